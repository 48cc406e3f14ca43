"""From a synthetic YFCC100m to a pretrained autoencoder, as users run it."""

import gzip
import json
import shutil
from collections import Counter

import pytest
import yfcc
from project import Project, one_line
from safetensors.numpy import load_file

from s2snets.data.imageset import ImageSet
from s2snets.runtime.tables import read_csv

WEIGHTS = "results/yfcc/seed-0/autoencoders/pretrained/photos/weights.safetensors"
CLEAN = {
    "metadata": ["yfcc/v2/yfcc100m_dataset.bz2"],
    "tree": "yfcc/data/images",
    "exclude": "yfcc/exclude.txt",
    "shards": 12,
    "batches": 3,
    "held_out": 200,
}


def preset(project, name, **clean):
    """Write the smoke study on photographs that are cleaned first."""
    path = project.variant(
        name,
        study=name,
        data={"photos": None, "photos_validation": None},
        clean=clean,
        pretrain={"photos": {"images": 1280}},
    )
    return path.relative_to(project.root)


def outcomes(store):
    """Return the outcomes of each photo id, over all manifests of a store."""
    found = {}
    for path in store.glob("*/*.manifest.tsv.gz"):
        head, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        photoid, outcome = (head.split("\t").index(n) for n in ("photoid", "outcome"))
        for line in lines:
            cells = line.split("\t")
            found.setdefault(cells[photoid], []).append(cells[outcome])
    return found


def counted(results):
    table = read_csv(results / "tables/cleaning.csv")
    return {k: n for k, n in zip(table["outcome"], table["photos"], strict=True) if n}


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    """Clean 2,000 photographs with known outcomes, and pretrain an autoencoder."""
    project = Project(tmp_path_factory.mktemp("yfcc"))
    truth = yfcc.make(project.root / "yfcc")
    project.snakemake("cleaning", WEIGHTS, preset=preset(project, "yfcc", **CLEAN))
    return project, truth


@pytest.fixture
def again(cleaned, tmp_path):
    """Return a copy of that study, which a test may edit."""
    project = Project(tmp_path)
    for name in ("results", ".snakemake", "yfcc"):
        shutil.copytree(cleaned[0].root / name, project.root / name)
    preset(project, "yfcc", **CLEAN)
    return project


def test_every_row_meets_its_known_fate(cleaned):
    project, truth = cleaned
    found = outcomes(project.root / "results/yfcc/clean")
    assert counted(project.root / "results/yfcc") == truth["outcomes"]["v2"]
    assert sum(map(len, found.values())) == truth["rows"]["v2"]
    for photoid, photo in truth["photos"].items():
        assert found[photoid][0] == photo["outcome"], photoid
        assert set(found[photoid][1:]) <= {"repeated"}, photoid


def test_training_reads_the_very_photographs_that_were_kept(cleaned):
    project, truth = cleaned
    data = project.root / "results/yfcc/data"
    photos, held = (
        ImageSet(data / name / "index.npz", 32)
        for name in ("photos", "photos_validation")
    )
    found = Counter(
        one.read_bytes(number) for one in (photos, held) for number in range(len(one))
    )
    expected = Counter(
        (project.root / "yfcc" / photo["file"]).read_bytes()
        for photo in truth["photos"].values()
        if photo["outcome"] == "kept"
    )
    assert found == expected
    assert len(held) == 200
    assert load_file(project.root / WEIGHTS)


def test_a_second_run_has_nothing_to_do(cleaned):
    project, _ = cleaned
    assert not project.plan("cleaning", WEIGHTS, preset="config/yfcc.yaml")


def test_what_must_go_goes_from_tars_and_index(again):
    path = next((again.root / "results/yfcc/clean").glob("*/*.manifest.tsv.gz"))
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    gone = next(line.split("\t")[0] for line in lines if "\tkept\t" in line)
    with (again.root / "yfcc/exclude.txt").open("a") as file:
        file.write(f"{gone}\n")
    shutil.rmtree(again.root / "yfcc/data")  # nothing is fetched for it
    (again.root / "yfcc/data/images").mkdir(parents=True)
    before = counted(again.root / "results/yfcc")
    plan = again.plan("cleaning", preset="config/yfcc.yaml")
    assert plan == {
        "clean_photos": 3, "audit_photos": 1, "index_photos": 1, "cleaning": 1,
    }  # fmt: skip
    again.snakemake("cleaning", preset="config/yfcc.yaml")
    after = counted(again.root / "results/yfcc")
    assert after["kept"] == before["kept"] - 1
    assert outcomes(again.root / "results/yfcc/clean")[gone] == ["excluded"]
    tars = (again.root / "results/yfcc/clean").glob("*/*.tar")
    assert not any(f"{gone}.".encode() in tar.read_bytes() for tar in tars)
    about = json.loads((again.root / "results/yfcc/data/photos/index.json").read_text())
    assert about["images"] + 200 == after["kept"]


def test_a_placeholder_that_a_person_accepts_is_rejected(again, cleaned):
    _, truth = cleaned
    table = again.root / "results/yfcc/tables/placeholders-proposed.tsv"
    head, row = (line.split("\t") for line in table.read_text().splitlines())
    proposed = dict(zip(head, row, strict=True))
    assert proposed["sha256"] == truth["shared"]
    (again.root / "yfcc/placeholders.txt").write_text(truth["shared"] + "\n")
    path = preset(again, "yfcc", **CLEAN, placeholders="yfcc/placeholders.txt")
    before = counted(again.root / "results/yfcc")
    again.snakemake("cleaning", preset=path)
    after = counted(again.root / "results/yfcc")
    assert after["kept"] == before["kept"] - int(proposed["photos"])
    assert after["placeholder"] == before["placeholder"] + int(proposed["photos"])


def test_ten_parts_with_hashes_and_zips_keep_the_same_photographs(cleaned, tmp_path):
    project, truth = cleaned
    shutil.copytree(project.root / "yfcc", tmp_path / "yfcc")
    other = Project(tmp_path)
    zips = yfcc.zipped(tmp_path / "yfcc", "key").relative_to(tmp_path)
    path = preset(
        other,
        "parts",
        metadata=[f"yfcc/v1/yfcc100m_dataset-{part}.bz2" for part in range(10)],
        hashes="yfcc/v1/yfcc100m_hash.bz2",
        zips={"path": str(zips)},
        **{key: CLEAN[key] for key in ("exclude", "shards", "batches", "held_out")},
    )
    other.snakemake("cleaning", preset=path)
    assert counted(tmp_path / "results/parts") == truth["outcomes"]["v1"]
    kept = [
        {photo for photo, fates in outcomes(store).items() if "kept" in fates}
        for store in (
            project.root / "results/yfcc/clean",
            tmp_path / "results/parts/clean",
        )
    ]
    assert kept[0] == kept[1]


def test_any_folder_of_photographs_goes_the_same_way(again):
    path = preset(
        again, "folder", tree="resources/demo/photographs/train",
        shards=2, batches=1, held_out=10, profile="strict",
    )  # fmt: skip
    again.snakemake("cleaning", preset=path)
    assert counted(again.root / "results/folder")["kept"] > 20


def test_a_source_that_is_no_source_is_told_in_one_line(again):
    shutil.rmtree(again.root / "yfcc/data/images")
    (again.root / "yfcc/data/images").mkdir()
    shutil.rmtree(again.root / "results")
    again.snakemake("cleaning", preset="config/yfcc.yaml", check=False)
    assert "error: " in again.logs()
    assert "Traceback" not in again.logs()
    path = preset(again, "both", **CLEAN, zips={"path": "yfcc"})
    done = again.snakemake("--dry-run", preset=path, check=False)
    one_line(done, "give one of tree, zips, s3 and http, not tree, zips")
