"""Labelled sources: ImageNet's folders, lists, devkit, tars; shards; packed sets."""

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import imagenet
import numpy as np
import pytest
from imagenet import jpeg
from PIL import Image
from pydantic import ValidationError
from scipy.io import savemat

from s2snets.config import Source
from s2snets.config.data import Data
from s2snets.data.classes import find_classes
from s2snets.data.imagenet import synsets
from s2snets.data.images import decode
from s2snets.data.imageset import ImageSet
from s2snets.data.packing import set_classes, source_items
from s2snets.data.shards import read_index, write_index
from s2snets.data.sources import is_idx
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import sha256
from s2snets.stages.data import PackImages

# In the devkit's order, which is not the sorted one; the last is no leaf.
SYNSETS = ["n02119789", "n01440764", "n03888257", "n00001740"]
CLASSES = sorted(SYNSETS[:3])
TRUTH = [2, 1, 1, 3, 2, 1]  # ILSVRC2012_ID of the validation images
LABELS = [SYNSETS[number - 1] for number in TRUTH]
VAL = [f"ILSVRC2012_val_{number:08d}" for number in range(1, 7)]


def tar(path, files):
    """Return the bytes of a plain tar of (name, bytes); write them to a path, if any."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    if path is not None:
        path.write_bytes(buffer.getvalue())
    return buffer.getvalue()


def train_files():
    """Return two images of each class as (synset, name, bytes), sorted by synset."""
    return [
        (synset, f"{synset}_{number}.JPEG", jpeg((place, number)))
        for place, synset in enumerate(CLASSES)
        for number in (10, 7)
    ]


@pytest.fixture
def devkit(tmp_path):
    folder = imagenet.write_devkit(tmp_path, SYNSETS[:3], SYNSETS[3:], TRUTH)
    with tarfile.open(tmp_path / f"{folder.name}.tar.gz", "w:gz") as archive:
        archive.add(folder, folder.name)
    return folder


@pytest.fixture
def flat(tmp_path):
    return imagenet.write_flat(tmp_path / "val", map(jpeg, range(len(VAL))))


@pytest.fixture
def train(tmp_path):
    return imagenet.write_train(tmp_path / "train", train_files())


def source(path, labels=None, **more):
    return Source(path=str(path), labels=labels and str(labels), **more)


def labelled_bytes(one, classes=CLASSES):
    """Return (class, bytes) of every image of a source."""
    return [
        (classes[item.label], item.read())
        for item in source_items(one, classes, (0, 0))
    ]


def pack(tmp_path, sources, name="set", **job):
    values = {
        "sources": [one.model_dump() for one in sources],
        "labelled": True, "classes": None, "seed": 0, "shard_images": 4, **job,
    }  # fmt: skip
    folder = tmp_path / name
    PackImages.main([
        "--index", str(folder / "index.npz"), "--shards", str(folder / "shards"),
        "--record", str(folder / "record.json"), "--settings", json.dumps(values),
    ])  # fmt: skip
    return folder / "index.npz"


def lists(tmp_path):
    """Write the same labels in every common form; return the files."""
    kaggle = "".join(
        f"{name},{label} 85 1 499 272 {label} 1 2 3 4 \n"
        for name, label in reversed([*zip(VAL, LABELS, strict=True)])
    )
    texts = {
        "LOC_val_solution.csv": "ImageId,PredictionString\n" + kaggle,
        "val.txt": "".join(
            f"{name}.JPEG {CLASSES.index(label)}\n"
            for name, label in zip(VAL, LABELS, strict=True)
        ),
        "by-name.tsv": "".join(
            f"val/{name}.JPEG\t{label}\r\n"
            for name, label in zip(VAL, LABELS, strict=True)
        ),
        "synset_labels.txt": "\n".join(LABELS),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return [tmp_path / name for name in texts]


def test_every_form_of_ground_truth_tells_the_same(tmp_path, flat, devkit):
    truth = devkit / "data/ILSVRC2012_validation_ground_truth.txt"
    forms = [devkit, truth, Path(f"{devkit}.tar.gz"), devkit.parent / "devkits",
             *lists(tmp_path)]  # fmt: skip
    shutil.copytree(devkit, tmp_path / "devkits" / devkit.name)
    expected = [(label, jpeg(seed)) for seed, label in enumerate(LABELS)]
    for form in forms:
        assert labelled_bytes(source(flat, form)) == expected, form
        if form.name != "val.txt":
            assert find_classes([source(flat, form)]) == CLASSES


def test_the_official_tars_read_as_their_folders(tmp_path, flat, train, devkit):
    val = tmp_path / "ILSVRC2012_img_val.tar"
    tar(val, [(f"{VAL[n]}.JPEG", jpeg(n)) for n in (3, 1, 0, 2, 5, 4)])
    assert labelled_bytes(source(val, devkit)) == labelled_bytes(source(flat, devkit))
    assert labelled_bytes(source(val, tmp_path / lists(tmp_path)[0])) == labelled_bytes(
        source(flat, devkit)
    )
    official = tmp_path / "ILSVRC2012_img_train.tar"
    inner = [
        (synset, tar(None, [file[1:] for file in train_files() if file[0] == synset]))
        for synset in reversed(CLASSES)
    ]
    tar(official, [(f"{synset}.tar", data) for synset, data in inner])
    assert find_classes([source(official)]) == find_classes([source(train)]) == CLASSES
    assert labelled_bytes(source(official)) == labelled_bytes(source(train))
    assert len(labelled_bytes(source(official))) == 6
    unpacked_once = tmp_path / "once"
    unpacked_once.mkdir()
    for synset, data in inner:
        (unpacked_once / f"{synset}.tar").write_bytes(data)
    assert labelled_bytes(source(unpacked_once)) == labelled_bytes(source(train))
    whole = tmp_path / "folders.tar"
    tar(
        whole,
        [(f"./train/{synset}/{name}", data) for synset, name, data in train_files()],
    )
    assert labelled_bytes(source(whole)) == labelled_bytes(source(train))


def shards(folder, label=lambda synset: CLASSES.index(synset)):
    folder.mkdir()
    files = [
        file
        for synset, name, data in train_files()
        for file in (
            (f"{name[:-5]}.cls", f"{label(synset)}\n".encode()),
            (f"{name[:-5]}.jpg", data),
            (f"{name[:-5]}.json", b"{}"),
        )
    ]
    tar(folder / "imagenet-train-000000.tar", files[:9])
    tar(folder / "imagenet-train-000001.tar", files[9:])
    return folder


def test_numbered_shards_keep_numbers_until_a_list_names_them(tmp_path, train):
    numbered = source(shards(tmp_path / "numbered"))
    assert find_classes([numbered]) == ["0", "1", "2"]
    images = [data for _, _, data in train_files()]
    assert [data for _, data in labelled_bytes(numbered)] == images
    names = tmp_path / "names.txt"
    names.write_text("".join(f"{synset}\ta word\n" for synset in CLASSES))
    named = source(numbered.path, names)
    assert find_classes([named]) == CLASSES
    assert sorted(labelled_bytes(named)) == sorted(labelled_bytes(source(train)))
    by_name = source(shards(tmp_path / "by-name", str))
    assert labelled_bytes(by_name) == labelled_bytes(named)
    one = source(tmp_path / "by-name/imagenet-train-000000.tar")
    assert labelled_bytes(one) == labelled_bytes(by_name)[:3]


def test_imagenets_own_list_names_its_numbers(tmp_path):
    names = ASSETS / "imagenet/synsets.txt"
    found = find_classes([source(shards(tmp_path / "numbered"), names)])
    assert found == ["n01440764", "n01443537", "n01484850"]


def test_tars_are_photographs_too(tmp_path):
    numbered = source(shards(tmp_path / "numbered"))
    found = list(source_items(numbered, None, (0, 0)))
    assert {item.label for item in found} == {-1}
    assert [item.read() for item in found] == [data for _, _, data in train_files()]


def test_a_tar_left_beside_images_is_not_taken_for_them(train):
    expected = labelled_bytes(source(train))
    tar(train / "train.tar", [("other.JPEG", jpeg(9))])
    assert labelled_bytes(source(train)) == expected


def test_a_packed_set_packs_to_the_same_set(tmp_path, train):
    once = pack(tmp_path, [source(train)], "once")
    twice = pack(tmp_path, [source(once)], "twice")
    assert ImageSet(twice, 8).fingerprint == ImageSet(once, 8).fingerprint
    assert ImageSet(twice, 8).classes == CLASSES
    few = [item.label for item in source_items(source(once), CLASSES[::-1], (0, 0))]
    assert few == [2, 2, 1, 1, 0, 0]


def test_a_set_that_is_part_of_its_tars_is_packed_alone(tmp_path, train):
    columns, paths, classes, *_ = read_index(pack(tmp_path, [source(train)], "once"))
    part = tmp_path / "part/index.npz"
    part.parent.mkdir()
    about = {"file": str(paths[0]), "images": 2, "bytes": paths[0].stat().st_size}
    about["sha256"] = sha256(paths[0])
    chosen = {name: column[2:4] for name, column in columns.items()}
    write_index(part, chosen, [about], classes=classes)
    found = list(source_items(source(part), CLASSES, (0, 0)))
    assert [item.label for item in found] == chosen["label"].tolist()
    whole = ImageSet(tmp_path / "once/index.npz", 8)
    assert [item.read() for item in found] == [whole.read_bytes(n) for n in (2, 3)]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_bytes_are_the_original_ones_whatever_their_name_says(tmp_path, train):
    oddities = {
        "n02105855_2933.JPEG": jpeg(1, form="png"),
        "cmyk.JPEG": jpeg(2, "CMYK"),
    }
    exif = Image.Exif()
    exif[0x0112] = 1
    good = jpeg(4, exif=exif)
    at = good.index(b"Exif\0\0")
    oddities["order.JPEG"] = good[: at + 6] + b"XX" + good[at + 8 :]
    oddities["offset.JPEG"] = good[: at + 10] + b"\xff\xff\xff\x7f" + good[at + 14 :]
    oddities["count.JPEG"] = good[: at + 14] + b"\xff\xff" + good[at + 16 :]
    for name, data in oddities.items():
        (train / CLASSES[0] / name).write_bytes(data)
    images = ImageSet(pack(tmp_path, [source(train)]), 8)
    kept = {images.read_bytes(number) for number in range(len(images))}
    assert kept >= set(oddities.values())
    for name, data in oddities.items():
        assert decode(data, name).mode == "RGB"
    cmyk = np.asarray(decode(jpeg(2, "CMYK", quality=100, subsampling=0), "cmyk"))
    ink = np.random.default_rng(2).integers(0, 256, (9, 12, 4), np.uint8).astype(float)
    truth = (255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255
    assert np.abs(cmyk - truth).mean() < 6


def test_validation_is_labelled_as_training_is(tmp_path, flat, train, devkit, capsys):
    job = {"named_by": [source(train).model_dump(include={"path", "labels"})]}
    index = pack(tmp_path, [source(flat, devkit)], **job)
    images = ImageSet(index, 8)
    assert [images.classes[label] for label in images.labels] == LABELS
    assert (
        "6 images of 3 classes, from 1 (n03888257) to 3 (n02119789)"
        in capsys.readouterr().out
    )


def test_a_thousand_synsets_have_the_labels_of_published_weights(tmp_path):
    truth = imagenet.make(tmp_path, more=3)
    train = source(tmp_path / "train")
    val = source(tmp_path / "val", tmp_path / imagenet.DEVKIT)
    job = {"named_by": [train.model_dump(include={"path", "labels"})]}
    images = ImageSet(pack(tmp_path, [val], shard_images=500, **job), 8)
    assert images.classes == imagenet.SYNSETS
    assert [images.classes[label] for label in images.labels] == truth
    places = {name: number for number, name in enumerate(synsets())}
    assert images.labels.tolist() == [places[synset] for synset in truth]
    assert truth.count("n01440764") == 4


def test_sets_with_different_classes_are_one_line(tmp_path, flat, train, devkit):
    job = {"named_by": [source(train).model_dump()]}
    shutil.rmtree(train / CLASSES[1])
    with pytest.raises(
        UserError, match=f"val: '{CLASSES[1]}' is no class; the classes are"
    ):
        pack(tmp_path, [source(flat, devkit)], **job)
    job = {"named_by": [source(flat, devkit).model_dump()]}
    with pytest.raises(UserError, match=f"train: no image of {CLASSES[1]}, which"):
        pack(tmp_path, [source(train)], **job)
    assert not (tmp_path / "set").exists()


def test_named_classes_may_lack_images_and_the_log_says_so(tmp_path, train, capsys):
    pack(tmp_path, [source(train)], classes=[*CLASSES, "n07873807"])
    assert "none of n07873807" in capsys.readouterr().out


def cut(path, length):
    path.write_bytes(path.read_bytes()[:length])
    return path


def nested(tmp_path, change=lambda data: data):
    """Write a tar of two classes' tars, the first of them changed; return its path."""
    inner = tar(None, [file[1:] for file in train_files()[:2]])
    files = [("n01440764.tar", change(inner)), ("n02119789.tar", inner)]
    tar(tmp_path / "outer.tar", files)
    return tmp_path / "outer.tar"


@pytest.mark.parametrize("length", [0, 700, 1100, 1024 + 512, 2048])
def test_a_truncated_inner_tar_is_named(tmp_path, length):
    path = nested(tmp_path, lambda data: data[:length])
    with pytest.raises(UserError, match=r"outer\.tar:n01440764\.tar: .*cut") as caught:
        labelled_bytes(source(path))
    assert "\n" not in str(caught.value)


def test_a_truncated_outer_tar_is_named(tmp_path):
    for length in (100, 512, 5000, 11000, 21504):
        with pytest.raises(UserError, match=r"outer\.tar.*cut"):
            labelled_bytes(source(cut(nested(tmp_path), length)))


def test_a_compressed_tar_or_no_tar_is_named(tmp_path):
    for name in ("some.tar.gz", "some.tar", "page.html"):
        (tmp_path / name).write_bytes(b"\x1f\x8b nothing of the kind")
        with pytest.raises(UserError, match=f"{name}: no plain tar"):
            find_classes([source(tmp_path / name)])


def without_meta(devkit):
    (devkit / "data/meta.mat").unlink()


def no_matlab(devkit):
    (devkit / "data/meta.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(300))


def other_matlab(devkit):
    savemat(devkit / "data/meta.mat", {"classes": np.arange(3)})


def strange_number(devkit):
    truth = devkit / "data/ILSVRC2012_validation_ground_truth.txt"
    truth.write_text(truth.read_text().replace("3", "2000"))


def one_less(devkit):
    truth = devkit / "data/ILSVRC2012_validation_ground_truth.txt"
    truth.write_text(truth.read_text()[:-2])


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (without_meta, "no meta.mat there; give the devkit"),
        (no_matlab, "damaged devkit"),
        (other_matlab, "meta.mat has no 'synsets'"),
        (strange_number, "meta.mat has no 2000"),
        (one_less, "5 labels, but .*val has 6 images"),
    ],
)
def test_a_broken_devkit_is_one_line(flat, devkit, damage, complaint):
    damage(devkit)
    with pytest.raises(UserError, match=complaint) as caught:
        find_classes([source(flat, devkit)])
    assert "\n" not in str(caught.value)


def test_a_damaged_devkit_tar_is_named(flat, devkit):
    path = cut(Path(f"{devkit}.tar.gz"), 200)
    with pytest.raises(UserError, match=r"t12\.tar\.gz: damaged devkit"):
        find_classes([source(flat, path)])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "give each of its lines"),
        ("ImageId,PredictionString\n", "give each of its lines"),
        ("\n".join(LABELS[:5]), "5 labels, but .* 6 images"),
        ("\n".join(f"{name} x" for name in [*VAL, "more"]), "7 labels, but"),
        ("\n".join(f"{name} x" for name in [*VAL[:5], "other"]), f"no label for .*{VAL[5]}"),
        ("\n".join(f"{name} x" for name in [*VAL[:5], VAL[0]]), "names 1 of its files twice"),
        ("a b\nc", "give each of its lines"),
        ("\n".join(f"{name} n99999999" for name in VAL), "'n99999999' is no class"),
        ("\n".join(f"{name} 3" for name in VAL), "3 is no class"),
        (b"\xff\xfe\xfa", "no text of labels"),
    ],
)  # fmt: skip
def test_a_broken_list_is_one_line(tmp_path, flat, text, complaint):
    path = tmp_path / "labels.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=complaint) as caught:
        labelled_bytes(source(flat, path))
    assert "\n" not in str(caught.value)


def test_images_without_labels_say_what_is_wanted(flat, tmp_path):
    with pytest.raises(UserError, match=r"0001\.JPEG: has no label.*devkit, or a list"):
        find_classes([source(flat)])
    deep = tmp_path / "deep"
    shutil.copytree(flat, deep / "val")
    with pytest.raises(UserError, match=r"needs two classes.*here is val"):
        find_classes([source(deep)])


def test_numbers_and_names_do_not_mix(tmp_path, train):
    mixed = [source(train), source(shards(tmp_path / "numbered"))]
    with pytest.raises(UserError, match=r"names; list the names in data\.classes"):
        find_classes(mixed)


def test_too_few_names_for_numbered_shards_are_named(tmp_path):
    (tmp_path / "names.txt").write_text("one\ntwo\n")
    with pytest.raises(UserError, match=r"names\.txt: 2 names, but .* number 2"):
        find_classes([source(shards(tmp_path / "numbered"), tmp_path / "names.txt")])


TREE = {
    "cat/1.png": "cat", "cat/sub/2.png": "cat", "dog/a/b/3.png": "dog",
    ".git/4.png": None, "cat/.thumbnails/5.png": None, "cat/._1.png": None,
    "__MACOSX/cat/6.png": None,
}  # fmt: skip
"""Names of images and their classes; None: hidden."""


@pytest.mark.parametrize("root", ["", "./", "train/", "./data/train/"])
def test_a_tar_of_a_folder_has_the_folders_images_and_classes(tmp_path, root):
    for name in TREE:
        (path := tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(len(name), form="png"))
    whole = [(root + name, jpeg(len(name), form="png")) for name in TREE]
    tar(tmp_path / "tree.tar", whole)
    from_folder, from_tar = (
        labelled_bytes(source(tmp_path / name), ["cat", "dog"])
        for name in ("tree", "tree.tar")
    )
    assert from_tar == from_folder
    assert [label for label, _ in from_tar] == [one for one in TREE.values() if one]
    assert ImageSet(tmp_path / "tree", 8).labels.tolist() == [0, 0, 1]
    assert ImageSet(tmp_path / "tree", 8).classes == ["cat", "dog"]


def test_of_one_class_with_folders_inside_a_tar_keeps_the_class(tmp_path):
    tar(tmp_path / "one.tar", [("cat/1.png", b""), ("cat/sub/2.png", b"")])
    items = source_items(source(tmp_path / "one.tar"), ["cat"], (0, 0))
    assert [item.label for item in items] == [0, 0]


def test_a_folder_without_images_is_no_class(tmp_path, train):
    (train / "another").mkdir()
    (train / ".hidden").mkdir()
    assert ImageSet(train, 8).classes == CLASSES
    assert ImageSet(train, 8).labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_hidden_files_do_not_hide_tars(tmp_path, train):
    inner = tar(None, [file[1:] for file in train_files()[:2]])
    (folder := tmp_path / "tars").mkdir()
    (folder / ".git").mkdir()
    tar(folder / "all.tar", [("._n01440764.tar", b"x"), ("n01440764.tar", inner)])
    assert len(labelled_bytes(source(folder))) == 2


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_tar_is_not_dropped(tmp_path, kind):
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        entry = tarfile.TarInfo("cat/1.png")
        entry.type, entry.linkname = kind, "cat/0.png"
        archive.addfile(entry)
    with pytest.raises(UserError, match=r"links\.tar:cat/1\.png: a link.*dereference"):
        find_classes([source(tmp_path / "links.tar")])


def test_a_member_too_large_for_a_photograph_is_named(tmp_path, monkeypatch):
    tar(tmp_path / "large.tar", [("cat/1.png", bytes(2000))])
    (tmp_path / "large").mkdir()
    (tmp_path / "large/1.png").write_bytes(bytes(2000))
    monkeypatch.setattr("s2snets.data.sources.MAX_BYTES", 1999)
    for name in ("large.tar", "large"):
        (item,) = source_items(source(tmp_path / name), None, (0, 0))
        with pytest.raises(UserError, match=r"1\.png: over 1,999 bytes; reduce"):
            item.read()


@pytest.mark.parametrize("name", ["my_idx", "photos-ubyte"])
def test_a_folder_is_no_idx_file_whatever_its_name(tmp_path, train, name):
    assert labelled_bytes(source(train.rename(tmp_path / name)))


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a-idx3-ubyte", True), ("a.idx3-ubyte.gz", True), ("my_idx.tar", False)],
)
def test_idx_files_are_known_by_the_end_of_their_names(name, is_one):
    assert is_idx(name) == is_one


def idx(*shape):
    sizes = b"".join(size.to_bytes(4, "big") for size in shape)
    return bytes([0, 0, 8, len(shape)]) + sizes + bytes(int(np.prod(shape)))


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        ((5,), (5, 4, 4), r"images-ubyte: an IDX file of 1 axes; images have three"),
        ((5, 4, 4), (5, 4, 4), r"labels-ubyte: .* 3 axes.* labels have one"),
        ((5, 4, 4), (4,), r"labels-ubyte: 4 labels, 5 images"),
        ((5, 4, 4, 2), (5,), r"images-ubyte: 5×4×4×2 bytes are no images"),
        ((5, 0, 4), (5,), r"images-ubyte: 5×0×4 bytes are no images"),
        ((0, 4, 4), (0,), r"images-ubyte: 0×4×4 bytes are no images"),
        ((1,) * 200, (5,), r"images-ubyte: an IDX file of 200 axes"),
    ],
)
def test_idx_files_that_are_no_pair_are_one_line(tmp_path, images, labels, complaint):
    (tmp_path / "images-ubyte").write_bytes(idx(*images))
    (tmp_path / "labels-ubyte").write_bytes(idx(*labels))
    pair = source(tmp_path / "images-ubyte", tmp_path / "labels-ubyte")
    with pytest.raises(UserError, match=complaint):
        find_classes([pair])


def test_what_is_no_file_of_labels_is_one_line(tmp_path, flat, devkit):
    (devkit / "data/meta.mat").unlink()
    (devkit / "data/meta.mat").mkdir()
    (tmp_path / "long.csv").write_text(f"{VAL[0]},{'x' * 200_000}\n")
    (tmp_path / "number.txt").write_text("\n".join(["9" * 5000] * len(VAL)))
    for name, complaint in {
        devkit.name: r"meta\.mat: is a directory; mend or remove it",
        "absent.txt": r"absent\.txt: no such file",
        "long.csv": r"long\.csv: no text of labels \(field larger",
        "number.txt": r"needs two classes",
    }.items():
        with pytest.raises(UserError, match=complaint):
            find_classes([source(flat, tmp_path / name)])


def test_a_class_number_out_of_all_bounds_is_named(tmp_path, flat):
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(["0", "1", "2", "3", "4", "987654321"]))
    with pytest.raises(UserError, match="class of number 987654321; count"):
        find_classes([source(flat, labels)])


@pytest.mark.parametrize(
    ("classes", "complaint"),
    [
        ([], "at least 2"),
        (["cat"], "at least 2"),
        (["a", "b", "a"], "'a' is there twice"),
    ],
)
def test_a_list_of_classes_names_at_least_two_and_each_once(classes, complaint):
    one = {"path": "x"}
    with pytest.raises(ValidationError, match=complaint):
        Data.model_validate({"train": [one], "validation": [one], "classes": classes})


def test_an_empty_list_of_classes_is_a_list(tmp_path, train):
    with pytest.raises(UserError, match="is no class"):
        set_classes([source(train)], [], None)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "not a regular file"),
        (lambda path: path.symlink_to("nowhere"), "a link to nothing"),
        (lambda path: path.symlink_to(path), "too many levels"),
    ],
)
def test_an_image_that_is_no_file_stops_the_packing(tmp_path, train, make, reason):
    make(train / CLASSES[0] / "x.jpg")
    complaint = rf"x\.jpg: {reason}.*; mend or remove it"
    with pytest.raises(UserError, match=complaint):
        pack(tmp_path, [source(train)])
    with pytest.raises(UserError, match=complaint):
        ImageSet(train, 8).batch(range(7))
    assert not (tmp_path / "set/index.npz").exists()


def test_an_unreadable_image_is_named_rather_than_the_shard(
    tmp_path, train, monkeypatch
):
    secret = train / CLASSES[0] / "x.jpg"
    secret.write_bytes(jpeg(1))
    os_open = os.open  # root may read every file

    def deny(path, *args, **options):
        if os.fspath(path) == str(secret):
            raise PermissionError(13, "Permission denied", str(path))
        return os_open(path, *args, **options)

    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(UserError, match=r"x\.jpg: permission denied; mend"):
        pack(tmp_path, [source(train)])


def test_a_class_that_is_no_unicode_is_refused_before_it_is_packed(train):
    (train / CLASSES[0]).rename(train / "caf\udce9")
    with pytest.raises(UserError, match=r"class 'caf\\udce9' .*not UTF-8; rename"):
        set_classes([source(train)], None, None)
