"""Bundles: what ``s2snets publish`` writes, ``pull`` verifies and ``see`` reads."""

import huggingface_hub
import numpy as np
import pytest
import torch
import yaml
from finished import fabricate, report
from PIL import Image

from s2snets import cli
from s2snets.networks import packaged
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, sha256, write_json
from s2snets.study import bundle as bundles
from s2snets.study.finished import load_study

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PIXELS = torch.linspace(0, 1, 3 * 16 * 16).view(1, 3, 16, 16)


@pytest.fixture
def study(tmp_path):
    return report(fabricate(tmp_path / "tiny"))


@pytest.fixture
def bundle(study, tmp_path):
    bundles.publish(study, tmp_path / "bundle", "mit", "drawn at random, CC0")
    return tmp_path / "bundle"


def rebuild_from_package(
    bundle, name="L", architecture="s2snets.networks.packaged:own"
):
    """Let a classifier of a bundle be a function's, without weights of its own."""
    folder = bundle / f"seed-0/classifiers/{name}"
    (folder / "weights.safetensors").unlink()
    settings = {"architecture": architecture}
    write_json(
        folder / "record.json", {"settings": {"image_size": 16, "classifier": settings}}
    )
    spec = read_json(folder / "spec.json")
    write_json(folder / "spec.json", spec | settings)


def test_a_bundle_is_the_study_without_its_images(study, bundle):
    ours, theirs = load_study(study), load_study(bundle)
    assert list(theirs.autoencoders) == list(ours.autoencoders) == ["A_S", "A_L", "A_R"]
    for networks, others in (
        (ours.autoencoders, theirs.autoencoders),
        (ours.classifiers, theirs.classifiers),
    ):
        for name, network in networks.items():
            assert torch.equal(network(PIXELS), others[name](PIXELS))
    assert theirs.classes == ours.classes
    assert theirs.table("table2").equals(ours.table("table2"))
    assert not theirs.absent
    names = {path.suffix for path in bundle.rglob("*") if path.is_file()}
    assert names == {".safetensors", ".json", ".csv", ".yaml", ".md", ""}


def test_the_card_is_what_model_hubs_read(bundle):
    card = (bundle / "README.md").read_text()
    _, front, text = card.split("---\n", 2)
    assert yaml.safe_load(front) == {
        "library_name": "s2snets",
        "pipeline_tag": "image-to-image",
        "license": "mit",
        "tags": ["autoencoder", "interpretability", "segnet"],
    }
    assert "| L | A_L | 50.0 | 40.0 to 60.0 | 90.0 | 60 |" in text
    assert "| A_L | 50.0 | 62.5 |" in text
    assert "drawn at random, CC0" in text
    settings = yaml.safe_load((bundle / "study.yaml").read_text())
    assert settings == read_json(bundle / "report.json")["settings"]


def test_what_nobody_stated_is_said_to_be_unstated(study, tmp_path):
    bundles.publish(study, tmp_path / "silent")
    card = (tmp_path / "silent/README.md").read_text()
    assert card.count("not stated by whoever published this") == 2
    assert "license:" not in card


def test_publishing_twice_gives_the_same_files(study, bundle):
    before = (bundle / "SHA256SUMS").read_text()
    (bundle / "stray.md").write_text("left by somebody")
    bundles.publish(study, bundle, "mit", "drawn at random, CC0")
    assert (bundle / "SHA256SUMS").read_text() == before
    assert not (bundle / "stray.md").exists()


def test_a_bundle_is_pulled_whole(bundle, tmp_path, capsys):
    (bundle / "unlisted.json").write_text("{}")
    cli.main(["pull", str(bundle), str(tmp_path / "copy")])
    files = len((bundle / "SHA256SUMS").read_text().splitlines())
    assert capsys.readouterr().out.endswith(
        f"{files} files, each as its checksum says\n"
    )
    assert not (tmp_path / "copy/unlisted.json").exists()
    assert bundles.verify(tmp_path / "copy") == bundles.verify(bundle)


def test_a_hubs_repository_is_read_at_its_commit(bundle, tmp_path, monkeypatch):
    asked = []

    def snapshot_download(repo, revision, allow_patterns):
        asked.append((repo, revision))
        assert not any("py" in pattern for pattern in allow_patterns)
        return str(bundle)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert bundles.pull(f"owner/name@{COMMIT}", tmp_path / "copy") > 10
    assert asked == [("owner/name", COMMIT)]


def test_a_hub_out_of_reach_is_told_in_one_line(monkeypatch):
    def snapshot_download(*_, **__):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(UserError, match=r"^owner/name@\w+: cannot be fetched \(.*\)$"):
        bundles.locate(f"owner/name@{COMMIT}")


@pytest.mark.parametrize("source", ["nowhere", "owner/name", "owner/name@main"])
def test_a_source_that_is_none_is_told(source):
    with pytest.raises(
        UserError, match=f"{source}: no such folder; .*owner/name@commit"
    ):
        bundles.locate(source)


def test_a_damaged_file_is_named_and_nothing_is_copied(bundle, tmp_path):
    weights = bundle / "seed-0/autoencoders/decoder/L/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=f"{weights}: not what SHA256SUMS says"):
        bundles.pull(str(bundle), tmp_path / "copy")
    weights.unlink()
    with pytest.raises(UserError, match=f"{weights}: missing"):
        bundles.pull(str(bundle), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("name", ["../out.json", "/etc/out.json", "run.py", "w.pt"])
def test_a_file_that_a_bundle_may_not_have_is_refused(bundle, tmp_path, name):
    with (bundle / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(
        UserError, match=rf"SHA256SUMS, line \d+: .* cannot have {name}"
    ):
        bundles.pull(str(bundle), tmp_path / "copy")


def test_a_folder_of_something_else_is_left_alone(study, bundle, tmp_path):
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.md").write_text("years of work")
    for write in (
        lambda: bundles.publish(study, other),
        lambda: bundles.pull(str(bundle), other),
    ):
        with pytest.raises(UserError, match="exists and is no bundle"):
            write()
    assert (other / "chapter.md").read_text() == "years of work"


def test_an_unfinished_study_is_not_published(tmp_path):
    study = fabricate(tmp_path / "half")
    with pytest.raises(UserError, match="no finished study; run it up to its report"):
        bundles.publish(study, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_classifier_whose_package_is_missing_is_left_out(
    bundle, tmp_path, monkeypatch, capsys
):
    def own():
        packaged.packaged_file("a_package_that_nobody_has", "*.h5")

    monkeypatch.setattr(packaged, "own", own, raising=False)
    for name in "LR":
        rebuild_from_package(bundle, name)
    study = load_study(bundle)
    assert study.classifiers == {}
    assert "pip install" in study.absent["L"]
    assert list(study.autoencoders) == ["A_S", "A_L", "A_R"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "can_show", lambda: False)
    Image.effect_mandelbrot((70, 40), (-2, -1, 1, 1), 30).save("picture.png")
    cli.main(["see", "picture.png", "--study", str(bundle)])
    told = capsys.readouterr()
    assert told.out == "picture-seen.png\n"
    assert told.err.count("without the classes of") == 2
    with Image.open("picture-seen.png") as image:
        assert image.width > image.height > 300


def test_a_classifier_is_rebuilt_from_its_package(study, bundle, monkeypatch):
    network = load_study(study).classifiers["L"].net
    monkeypatch.setattr(
        packaged, "own", lambda: (network, {"resize": 32}), raising=False
    )
    rebuild_from_package(bundle)
    rebuilt = load_study(bundle)
    assert not rebuilt.absent
    expected = load_study(study).classifiers["L"](PIXELS)
    assert torch.equal(rebuilt.classifiers["L"](PIXELS), expected)


def test_a_function_that_a_bundle_names_runs_only_if_trusted(bundle):
    rebuild_from_package(bundle, architecture="theirs:net")
    with pytest.raises(UserError, match=r"would run: theirs:net .*--trust"):
        load_study(bundle)


def test_weights_that_nobody_publishes_are_missed(bundle):
    (bundle / "seed-0/classifiers/L/weights.safetensors").unlink()
    assert "nobody publishes them" in load_study(bundle).absent["L"]


def test_checksums_are_those_that_sha256sum_checks(bundle):
    for line in (bundle / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert sha256(bundle / name) == digest


# What comes with the library


def test_the_shipped_bundle_is_whole_and_says_what_it_is():
    assert len(bundles.verify(bundles.SHIPPED)) > 20
    study = load_study(bundles.SHIPPED)
    assert list(study.autoencoders) == ["A_S", "A_E0", "A_E1", "A_E2", "A_Q"]
    assert study.classifiers.keys() | study.absent.keys() == {"Q", "E0", "E1", "E2"}
    assert all("pip install" in why for why in study.absent.values())
    assert study.classes["Q"][0] == "tench"
    card = (bundles.SHIPPED / "README.md").read_text()
    assert "license: mit" in card
    assert "not stated" not in card
    record = read_json(bundles.SHIPPED / "report.json")
    assert not record["commit"].endswith("+")
    for path in bundles.SHIPPED.rglob("*"):
        assert path.is_dir() or path.stat().st_size < 500_000, path


def test_the_shipped_autoencoders_reconstruct_a_photograph():
    from skimage.data import coffee

    study = load_study(bundles.SHIPPED)
    side = study.settings.image_size
    photo = Image.fromarray(coffee()[:, 100:500]).resize((side, side))
    pixels = torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1)[None] / 255
    errors = {
        label: float((network(pixels) - pixels).square().mean())
        for label, network in study.autoencoders.items()
    }
    assert errors["A_S"] < 0.001
    assert all(
        errors["A_S"] < error < 0.05
        for label, error in errors.items()
        if label != "A_S"
    )


def test_see_takes_what_comes_with_the_library(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "can_show", lambda: False)
    Image.effect_mandelbrot((70, 40), (-2, -1, 1, 1), 30).save("picture.png")
    cli.main(["see", "picture.png"])
    assert capsys.readouterr().out == "picture-seen.png\n"
    with Image.open("picture-seen.png") as image:
        assert image.width > image.height > 300
