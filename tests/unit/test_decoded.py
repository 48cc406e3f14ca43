"""Pixels that are decoded once: the same bits, wherever they come from."""

import io
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from PIL import Image

from s2snets.config import Augmentation, Pretraining
from s2snets.data.class_subset import ClassSubset
from s2snets.data.decoded import LIMIT
from s2snets.data.imageset import ImageSet, LabelledImageSet
from s2snets.data.shards import COLUMNS, shard_entry, write_index, write_shard
from s2snets.evaluation import EvaluationBatches, iterate_batches
from s2snets.runtime.errors import UserError
from s2snets.training.batches import resumable_batches

CPU = torch.device("cpu")
IMAGES, SIDE = 21, 16


@pytest.fixture
def index(tmp_path):
    """An index of small PNGs of three classes."""
    random = np.random.default_rng(0)
    members = []
    for number in range(IMAGES):
        buffer = io.BytesIO()
        pixels = random.integers(0, 256, (12 + number, 24, 3), np.uint8)
        Image.fromarray(pixels).save(buffer, "png")
        members.append((".png", buffer.getvalue()))
    shard = tmp_path / "shards/0.tar"
    extents = write_shard(shard, members, 0)
    rows = [(0, *place, number % 3) for number, place in enumerate(extents)]
    path = tmp_path / "index.npz"
    columns = dict(zip(COLUMNS, np.transpose(rows), strict=True))
    entry = shard_entry(shard, IMAGES, tmp_path)
    write_index(path, columns, [entry], classes=["a", "b", "c"])
    return path


def kept(index):
    return sorted(path.name for path in index.parent.glob(".*.npy"))


def opened(index, visits=IMAGES):
    images = LabelledImageSet(index, SIDE)
    images.decode_once(visits)
    return images


def same(images, others):
    return all(
        torch.equal(images[n][0], others[n][0]) and images[n][1] == others[n][1]
        for n in range(IMAGES)
    )


@pytest.mark.parametrize("resize_mode", ["squash", "crop", "pad"])
def test_kept_pixels_are_those_that_are_decoded(index, resize_mode):
    fresh, images = (ImageSet(index, SIDE, resize_mode) for _ in range(2))
    images.decode_once(IMAGES)
    assert images.decoded is not None
    assert same(fresh, images)
    numbers = [5, 0, 20, 5]
    for one, other in zip(fresh.read(numbers), images.read(numbers), strict=True):
        assert torch.equal(one, other)
        assert one.stride() == other.stride()


def test_a_second_job_decodes_nothing(index, monkeypatch):
    opened(index)
    monkeypatch.setattr(ImageSet, "read_bytes", None)
    assert opened(index)[3][0].shape == (3, SIDE, SIDE)


def test_sizes_and_ways_of_resizing_are_kept_apart(index):
    for side, resize_mode in ((SIDE, "pad"), (SIDE, "crop"), (8, "crop")):
        ImageSet(index, side, resize_mode).decode_once(IMAGES)
    assert len(kept(index)) == 3


def batches(images, workers):
    settings = Pretraining(images=30, batch=6, augment=Augmentation())
    stream = resumable_batches(images, settings, seed=3, device=CPU, workers=workers)
    return list(stream(12))


@pytest.mark.parametrize("workers", [0, 2])
def test_training_and_evaluation_see_the_same_bits(index, monkeypatch, workers):
    seen = {}
    for limit in ("0", "1000000"):
        monkeypatch.setenv(LIMIT, limit)
        images = LabelledImageSet(index, SIDE)
        trained = batches(images, workers) + batches(ClassSubset(images, ["b"]), 0)
        evaluated = EvaluationBatches(images, range(IMAGES), 4, noisy=7)
        groups = iterate_batches(evaluated, [0], device=CPU, workers=workers)
        measured = [(batch[1], batch[2]) for group in groups for batch in group]
        seen[limit] = trained + measured
        assert (images.decoded is None) == (limit == "0")
    for one, other in zip(*seen.values(), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def test_a_worker_maps_the_pixels_again(index):
    again = pickle.loads(pickle.dumps(opened(index)))
    assert isinstance(again, LabelledImageSet)
    assert again.decoded is not None
    assert len(pickle.dumps(again)) < 1000


def test_jobs_that_start_together_agree(index):
    with ProcessPoolExecutor(3, get_context("fork")) as pool:
        several = list(pool.map(opened, [index] * 3))
    assert len(kept(index)) == 1
    assert all(same(ImageSet(index, SIDE), images) for images in several)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"no array", None])
def test_a_damaged_file_is_made_anew(index, content):
    opened(index)
    (name,) = kept(index)
    path = index.parent / name
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    assert same(opened(index), ImageSet(index, SIDE))


def test_pixels_of_images_that_are_gone_are_removed(index):
    for name in ("old-code-16-crop", "old-code-8-pad"):
        (index.parent / f".pixels-{name}.npy").touch()
    opened(index)
    assert len(kept(index)) == 1
    assert opened(index).decoded is not None


def test_a_job_that_reads_little_keeps_nothing(index):
    assert opened(index, visits=IMAGES // 2 - 1).decoded is None
    opened(index)
    assert opened(index, visits=1).decoded is not None


def test_a_set_that_is_too_large_is_decoded_each_time(index, monkeypatch):
    monkeypatch.setenv(LIMIT, str(IMAGES * SIDE * SIDE * 3 - 1))
    assert opened(index).decoded is None
    assert kept(index) == []


@pytest.mark.parametrize("given", ["many", "-1", ""])
def test_a_limit_that_is_no_number_is_refused(index, monkeypatch, given):
    monkeypatch.setenv(LIMIT, given)
    with pytest.raises(UserError, match=f"^{LIMIT}: '{given}' is no number of bytes"):
        opened(index)


def test_an_unreadable_image_leaves_nothing_behind(index, monkeypatch):
    monkeypatch.setattr(ImageSet, "read_bytes", lambda *_: b"no image")
    with pytest.raises(UserError, match="unreadable image"):
        opened(index)
    assert kept(index) == []


def test_a_folder_of_images_is_read_as_it_is(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "one.png")
    images = ImageSet(tmp_path, SIDE)
    images.decode_once(visits=9)
    assert images.decoded is None
