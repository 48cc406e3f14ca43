"""Sources, shards, the one dataset, its order, augmentation and noise."""

import gzip
import io
import lzma
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from s2snets.config import Augmentation, Crops, Source
from s2snets.data import augment
from s2snets.data.images import decode
from s2snets.data.imageset import ImageSet, LabelledImageSet
from s2snets.data.noise import add_noise, unit_noise
from s2snets.data.order import (
    ResumableBatchSampler,
    check_single_pass,
    describe_visits,
    image_order,
    sample,
)
from s2snets.data.packing import pack, source_items
from s2snets.data.resize import resize_to_square
from s2snets.data.sources import read_idx
from s2snets.runtime.errors import UserError


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def idx(values):
    header = bytes([0, 0, 8, values.ndim])
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return header + sizes + values.tobytes()


@pytest.fixture
def folder(tmp_path):
    """Write two classes of three images, each of another size; return the folder."""
    random = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / "raw" / ("cat" if number < 3 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (20 + number, 30, 3), np.uint8)
        path.write_bytes(png(pixels))
    return tmp_path / "raw"


def packed(folder, tmp_path, name="set", classes=("cat", "dog"), **options):
    source = Source(path=str(folder))
    index = tmp_path / name / "index.npz"
    pack(
        source_items(source, list(classes) if classes else None, (0, 0)),
        tmp_path / name / "shards",
        index,
        classes=list(classes) if classes else None,
        **{"shard_images": 4, **options},
    )
    return index


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)],
)
def test_idx_files_are_read_plain_and_compressed(tmp_path, suffix, compress):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / f"some-images-idx3-ubyte{suffix}"
    path.write_bytes(compress(idx(values)))
    assert np.array_equal(read_idx(path), values)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\0", idx(np.zeros(9, np.uint8))[:-1]],
)
def test_a_malformed_idx_file_is_named(tmp_path, content):
    path = tmp_path / "bad-idx1-ubyte"
    path.write_bytes(content)
    with pytest.raises(UserError, match="bad-idx1-ubyte"):
        read_idx(path)


def test_a_cut_compressed_idx_file_is_named(tmp_path):
    path = tmp_path / "cut-idx1-ubyte.xz"
    path.write_bytes(lzma.compress(idx(np.zeros(999, np.uint8)))[:-20])
    with pytest.raises(UserError, match=r"cut-idx1-ubyte\.xz"):
        read_idx(path)


def test_an_index_and_its_folder_read_alike(folder, tmp_path):
    from_index = ImageSet(packed(folder, tmp_path), 16)
    from_folder = ImageSet(folder, 16)
    assert from_index.classes == from_folder.classes == ["cat", "dog"]
    assert len(from_index) == len(from_folder) == 6
    for number in range(6):
        pixels, label = from_index[number]
        other, other_label = from_folder[number]
        assert torch.equal(pixels, other)
        assert label == other_label == (number >= 3)


def test_shards_keep_the_original_bytes_and_are_plain_tars(folder, tmp_path):
    index = packed(folder, tmp_path)
    originals = [path.read_bytes() for path in sorted(folder.rglob("*.png"))]
    found = []
    for path in sorted((index.parent / "shards").iterdir()):
        with tarfile.open(path) as tar:
            found += [tar.extractfile(member).read() for member in tar]
    assert found == originals
    images = ImageSet(index, 16)
    assert [images.read_bytes(number) for number in range(6)] == originals


def test_equal_images_make_equal_shards(folder, tmp_path):
    one, two = (packed(folder, tmp_path, name) for name in ("one", "two"))
    assert ImageSet(one, 16).fingerprint == ImageSet(two, 16).fingerprint
    for path in (one.parent / "shards").iterdir():
        assert path.read_bytes() == (two.parent / "shards" / path.name).read_bytes()


@pytest.mark.parametrize(
    "content", [b"", b"<html>", png(np.zeros((9, 9), np.uint8))[:-30]]
)
def test_an_unreadable_image_stops_packing_and_is_named(folder, tmp_path, content):
    (folder / "cat/broken.png").write_bytes(content)
    with pytest.raises(UserError, match=r"cat/broken\.png.*replace or remove"):
        packed(folder, tmp_path)
    assert not (tmp_path / "set/index.npz").exists()
    assert not list(tmp_path.glob("set/shards/*"))


def test_an_empty_folder_is_named(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="none: holds no images"):
        packed(tmp_path / "none", tmp_path)


def test_a_folder_that_is_no_class_is_named(folder, tmp_path):
    with pytest.raises(UserError, match="'dog' is no class"):
        packed(folder, tmp_path, classes=["cat"])


def test_a_cut_shard_is_noticed(folder, tmp_path):
    index = packed(folder, tmp_path)
    shard = index.parent / "shards/000000.tar"
    shard.write_bytes(shard.read_bytes()[:-512])
    with pytest.raises(UserError, match=r"000000\.tar.*repack"):
        ImageSet(index, 16)


def test_unlabelled_images_cannot_teach_a_classifier(folder, tmp_path):
    index = packed(folder, tmp_path, classes=None)
    with pytest.raises(UserError, match="has no labels"):
        LabelledImageSet(index, 16)


def test_a_source_gives_as_many_images_as_asked_for(folder):
    few = list(source_items(Source(path=str(folder), images=4), None, (1, 0)))
    assert len({item.name for item in few}) == 4
    twice = list(source_items(Source(path=str(folder), repeat=2), None, (1, 0)))
    assert len(twice) == 12
    with pytest.raises(UserError, match="7 asked for, 6 there"):
        list(source_items(Source(path=str(folder), images=7), None, (1, 0)))


def groups_of(source, tmp_path):
    """The groups of a set of one source, packed; None where it has none."""
    index = tmp_path / "grouped/index.npz"
    pack(
        source_items(source, None, (0, 0)), tmp_path / "grouped/shards", index,
        classes=None, shard_images=4,
    )  # fmt: skip
    groups = ImageSet(index, 8).groups
    return index, None if groups is None else groups.tolist()


def test_crops_of_an_image_are_a_group_and_others_are_none(folder, tmp_path):
    source = Source(path=str(folder))
    assert groups_of(source, tmp_path / "a")[1] is None
    crops = source.model_copy(update={"crops": Crops(count=2, side=(0.5, 1.0))})
    index, groups = groups_of(crops, tmp_path / "b")
    assert groups == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    # A packed set that is a source keeps them; repeated images are a group too.
    assert groups_of(Source(path=str(index)), tmp_path / "c")[1] == groups
    twice = source.model_copy(update={"repeat": 2})
    assert groups_of(twice, tmp_path / "d")[1] == groups
    pack(
        [*source_items(crops, None, (0, 0)), *source_items(source, None, (0, 0))],
        tmp_path / "e/shards", tmp_path / "e/index.npz", classes=None, shard_images=9,
    )  # fmt: skip
    assert ImageSet(tmp_path / "e/index.npz", 8).groups.tolist() == [
        *groups, *range(6, 12),
    ]  # fmt: skip


def test_a_pattern_says_which_images_are_a_group(folder, tmp_path):
    source = Source(path=str(folder), group=r"(cat|dog)/\d")
    assert groups_of(source, tmp_path / "a")[1] == [0, 0, 0, 1, 1, 1]
    whole = Source(path=str(folder), group=r"[024]?\.png$")
    assert groups_of(whole, tmp_path / "b")[1] == [0, 1, 2, 1, 3, 1]
    with pytest.raises(UserError, match=r"0\.png: group: 'frame' is not found"):
        groups_of(Source(path=str(folder), group="frame"), tmp_path / "c")
    with pytest.raises(ValueError, match=r"group\n.*is no regular expression"):
        Source(path=str(folder), group="(")


def test_crops_lie_inside_and_follow_the_seed(folder):
    source = Source(path=str(folder), crops=Crops(count=5, side=(0.5, 1.0)))
    crops = [item.read() for item in source_items(source, None, (0, 0))]
    assert len(crops) == 30
    sides = [Image.open(io.BytesIO(data)).size for data in crops]
    assert all(width == height and 10 <= width <= 25 for width, height in sides)
    assert crops == [item.read() for item in source_items(source, None, (0, 0))]
    assert crops != [item.read() for item in source_items(source, None, (1, 0))]
    sized = source.model_copy(update={"crops": Crops(count=2, side=(0.5, 1.0), size=8)})
    for item in source_items(sized, None, (0, 0)):
        assert Image.open(io.BytesIO(item.read())).size == (8, 8)


def test_fits_keep_what_they_promise():
    image = Image.fromarray(np.full((10, 20, 3), 255, np.uint8))
    assert resize_to_square(image, 16, "squash").min() == 255
    assert resize_to_square(image, 16, "crop").min() == 255
    framed = resize_to_square(image, 32, "pad")
    assert framed.shape == (3, 32, 32)
    assert framed[:, 11:21, 6:26].min() == 255
    assert framed.sum() == 3 * 10 * 20 * 255


def test_orientation_transparency_and_depth_are_respected():
    buffer, upright = io.BytesIO(), np.zeros((4, 8), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(upright).save(buffer, "jpeg", exif=exif)
    assert decode(buffer.getvalue(), "turned").size == (4, 8)
    clear = np.full((2, 2, 4), 255, np.uint8)
    clear[0, 0, 3] = 0
    assert np.asarray(decode(png(clear), "clear"))[:, :, 0].tolist() == [
        [0, 255],
        [255] * 2,
    ]
    deep = np.array([[0, 32896, 65535]], np.uint16)
    assert np.asarray(decode(png(deep), "deep"))[0, :, 0].tolist() == [0, 128, 255]


def test_an_epoch_shows_each_image_once_and_each_epoch_another_order():
    numbers = [number for _, number in image_order(0, 14, 7, seed=3)]
    assert sorted(numbers[:7]) == sorted(numbers[7:]) == list(range(7))
    assert numbers[:7] != numbers[7:]


@pytest.mark.parametrize("start", [0, 4, 12, 16])
def test_batches_from_anywhere_are_the_tail_of_all(start):
    whole = list(ResumableBatchSampler(7, 20, 4, seed=1))
    assert len(whole) == 5
    assert (
        list(ResumableBatchSampler(7, 20, 4, seed=1, start=start))
        == whole[start // 4 :]
    )


def test_a_smaller_sample_begins_a_greater_one():
    assert np.array_equal(sample(50, 10, 0), sample(50, None, 0)[:10])


def test_a_sample_of_more_images_than_there_are_says_so(capsys):
    assert len(sample(5, 2000, 0)) == len(sample(5, None, 0)) == len(sample(5, 5, 0))
    said = capsys.readouterr().err
    assert said == "2,000 images asked for, 5 there: all of them are taken\n"


NOTHING = Augmentation(
    scale=(1, 1), rotation=0, shift=0, noise=0, blur=0, brightness=0, contrast=0,
    color=0, mirror=0,
)  # fmt: skip


def augmented(settings, pixels, position=0, seed=0):
    drawn = augment.draw(settings, seed, [position], pixels.shape[-1])
    return augment.apply(pixels[None], drawn)[0]


def one(**changed):
    return NOTHING.model_copy(update={"pixelwise": 1.0, **changed})


def test_augmentation_turned_off_changes_nothing():
    pixels = torch.rand(3, 17, 17)
    assert torch.allclose(augmented(NOTHING, pixels), pixels, atol=1e-5)


def test_mirror_flips_left_and_right():
    pixels = torch.rand(3, 16, 16)
    assert torch.allclose(augmented(one(mirror=1), pixels), pixels.flip(-1), atol=1e-5)


def test_scale_magnifies_about_the_centre():
    pixels = torch.zeros(3, 33, 33)
    pixels[:, 12:21, 12:21] = 1
    seen = augmented(one(scale=(2, 2)), pixels)
    assert float(seen.mean()) == pytest.approx(4 * float(pixels.mean()), rel=0.1)


def test_contrast_brightness_color_and_noise_stay_in_their_ranges():
    grey = torch.full((3, 24, 24), 0.5)
    for position in range(20):
        assert torch.allclose(
            augmented(one(contrast=1.5), grey, position), grey, atol=1e-5
        )
        shifted = augmented(one(brightness=0.4), grey, position) - grey
        assert shifted.std() < 1e-5
        assert shifted.abs().max() <= 0.2 + 1e-5
        tinted = augmented(one(color=0.4), grey, position)
        assert tinted.std((1, 2)).max() < 1e-5
        assert tinted.mean((1, 2)).std() > 0
        noisy = augmented(one(noise=0.1), grey, position) - grey
        assert noisy.abs().max() <= 0.1 + 1e-5


def test_blur_equals_scipys():
    pixels = torch.rand(2, 3, 40, 40, dtype=torch.float64)
    sigma = torch.tensor([1.5, 0.7], dtype=torch.float64)
    seen = augment.gaussian_blur(pixels, sigma)
    for image, blurred, width in zip(pixels, seen, sigma, strict=True):
        for plane, found in zip(image.numpy(), blurred.numpy(), strict=True):
            truth = gaussian_filter(plane, float(width), mode="mirror", radius=5)
            assert np.allclose(found, truth, atol=1e-6)


def test_augmentation_follows_seed_and_position_alone():
    settings, pixels = Augmentation(), torch.rand(3, 16, 16)
    assert torch.equal(augmented(settings, pixels, 5), augmented(settings, pixels, 5))
    assert not torch.equal(
        augmented(settings, pixels, 5), augmented(settings, pixels, 6)
    )
    assert not torch.equal(
        augmented(settings, pixels, 5), augmented(settings, pixels, 5, seed=1)
    )


def test_noise_is_uniform_and_belongs_to_the_image():
    noise = unit_noise([3, 8], seed=0, side=64)
    assert torch.equal(noise[1], unit_noise([8], seed=0, side=64)[0])
    assert -1 <= noise.min() < -0.999
    assert 0.999 < noise.max() <= 1
    assert float(noise.var()) == pytest.approx(1 / 3, rel=0.02)


def test_stronger_noise_is_the_weaker_one_magnified_then_clipped():
    pixels, noise = torch.full((1, 3, 8, 8), 0.5), unit_noise([0], 0, 8)
    weak, strong = (add_noise(pixels, noise, s, clip=False) for s in (0.2, 0.8))
    assert torch.allclose((strong - pixels), 4 * (weak - pixels), atol=1e-6)
    assert torch.equal(add_noise(pixels, noise, 0.8), strong.clamp(0, 1))
    assert add_noise(pixels, noise, 0) is pixels


def test_a_single_pass_over_too_few_images_is_refused():
    with pytest.raises(UserError, match=r"60,521 would be seen again; set images to"):
        check_single_pass(92_100_000, 92_039_479)
    check_single_pass(92_039_479, 92_039_479)


@pytest.mark.parametrize(
    ("images", "runs", "line"),
    [
        (92_100_000, 92_039_479, "60,521 are seen 2×, the others 1×"),
        (
            7,
            np.array([2, 1]),
            "7 images asked for, 3 there: 1 are seen 3×, the others 2×",
        ),
        (6, 3, "each of 3 images is seen 2×"),
        (2, 3, "2 of 3 images are seen, each once"),
    ],
)
def test_a_line_says_how_many_images_a_training_repeats(images, runs, line):
    assert line in describe_visits(images, runs)
    count = int(np.sum(runs))
    if count < 99:
        seen = [number for _, number in image_order(0, images, runs, 0)]
        assert sorted(np.bincount(seen, minlength=count)) == sorted(
            images // count + (number < images % count) for number in range(count)
        )
