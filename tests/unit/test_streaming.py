"""An index of any length, its order, and batches for any number of processes."""

import hashlib
import io
import json
import mmap
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from s2snets.config import Augmentation, Pretraining
from s2snets.data.imageset import ImageSet
from s2snets.data.order import ResumableBatchSampler, image_order, seeded_generator
from s2snets.data.shards import (
    COLUMNS,
    read_index,
    shard_entry,
    write_index,
    write_shard,
)
from s2snets.runtime.errors import UserError
from s2snets.training.batches import AugmentedImages, resumable_batches

CPU = torch.device("cpu")


def encoded(pixels, kind):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write_set(folder, counts, shuffled=True):
    """Write shards of so many small images each, labelled by number; return the index."""
    draw, rows, shards = np.random.default_rng(0), [], []
    for shard, count in enumerate(counts):
        path = folder / f"shards/{shard:06d}.tar"
        members = []
        for number in range(len(rows), len(rows) + count):
            kind = "png" if number % 3 == 0 else "jpeg"
            pixels = draw.integers(0, 256, (20 + number % 7, 24, 3), np.uint8)
            members.append((f".{kind}", encoded(pixels, kind)))
        found = write_shard(path, members, len(rows))
        rows += [
            (shard, *place, number) for number, place in enumerate(found, len(rows))
        ]
        shards.append(shard_entry(path, count, folder))
    columns = dict(zip(COLUMNS, np.transpose(rows), strict=True))
    write_index(
        folder / "index.npz",
        columns,
        shards,
        classes=list(map(str, range(len(rows)))),
        shuffled=shuffled,
    )
    return folder / "index.npz"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("streamed"), [9, 4, 0, 13, 1])


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("packed"), [9, 4, 13, 1], shuffled=False)


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def test_a_mapped_index_holds_what_numpy_reads(index):
    columns, *_ = read_index(index)
    with np.load(index, allow_pickle=False) as read:
        assert read.files == list(COLUMNS)
        for name, dtype in COLUMNS.items():
            assert is_mapped(columns[name])
            assert columns[name].dtype == read[name].dtype == dtype
            assert np.array_equal(columns[name], read[name])


def test_mapped_columns_cannot_be_written_to(index):
    columns, *_ = read_index(index)
    with pytest.raises(ValueError, match="read-only"):
        columns["label"][0] = 1


def test_the_fingerprint_is_of_columns_shards_and_kind_of_order(index, packed):
    for path, end in ((index, b"shuffled"), (packed, b"")):
        with np.load(path) as columns:
            content = b"".join(columns[name].tobytes() for name in COLUMNS)
        shards = json.loads(path.with_suffix(".json").read_text())["shards"]
        content += b"".join(shard["sha256"].encode() for shard in shards) + end
        expected = hashlib.sha256(content).hexdigest()[:16]
        assert ImageSet(path, 16).fingerprint == expected


def test_mapped_columns_are_written_as_lists_are(tmp_path):
    lists = {name: list(range(1000)) for name in COLUMNS}
    mapped = {
        name: np.memmap(tmp_path / name, dtype, "w+", shape=1000)
        for name, dtype in COLUMNS.items()
    }
    for column in mapped.values():
        column[:] = range(1000)
    for name, columns in (("lists", lists), ("mapped", mapped)):
        write_index(tmp_path / name / "index.npz", columns, [])
    for file in ("index.npz", "index.json"):
        one, other = ((tmp_path / name / file) for name in ("lists", "mapped"))
        assert one.read_bytes() == other.read_bytes()


def rewritten(save=np.savez, **changed):
    """Return a function that replaces or omits some columns of an index."""

    def write(path):
        with np.load(path) as file:
            columns = dict(file) | changed
        save(path, **{name: value for name, value in columns.items() if len(value)})

    return write


def overwritten(path):
    data = bytearray(path.read_bytes())
    data[60:160] = bytes(100)
    path.write_bytes(data)


DAMAGES = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "no zip": lambda path: path.write_bytes(b"<html>" * 99),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-30]),
    "overwritten": overwritten,
    "compressed": rewritten(np.savez_compressed),
    "no labels": rewritten(label=[]),
    "other type": rewritten(offset=np.zeros(27)),
    "other length": rewritten(size=np.zeros(26, np.int32)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_named(tmp_path, damage):
    path = write_set(tmp_path, [20, 7])
    DAMAGES[damage](path)
    with pytest.raises(UserError, match=r"index\.npz: damaged index.*repack"):
        ImageSet(path, 16)


def test_a_pickled_set_maps_its_columns_again(tmp_path):
    count = 100_000
    columns = dict.fromkeys(COLUMNS, np.zeros(count, np.int32))
    (tmp_path / "0.tar").touch()
    shard = {"file": "0.tar", "images": count, "bytes": 0, "sha256": ""}
    write_index(tmp_path / "index.npz", columns, [shard])
    pickled = pickle.dumps(ImageSet(tmp_path / "index.npz", 16))
    assert len(pickled) < 1000
    images = pickle.loads(pickled)
    assert len(images) == count
    assert all(map(is_mapped, images.columns.values()))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_read_the_same_however_they_are_started(index, start):
    images = ImageSet(index, 16)
    loader = DataLoader(
        images, batch_size=9, num_workers=1, multiprocessing_context=start
    )
    pixels, labels = (torch.cat(parts) for parts in zip(*loader, strict=True))
    assert labels.tolist() == list(range(27))
    assert torch.equal(pixels, torch.stack([images[n][0] for n in range(27)]))


def test_files_that_are_pushed_out_stay_open_while_they_are_read(tmp_path):
    for number in range(100):
        (tmp_path / f"{number:03d}.png").write_bytes(number.to_bytes())
    images = ImageSet(tmp_path, 16)
    numbers = np.random.default_rng(0).integers(0, 100, 4000).tolist()
    with ThreadPoolExecutor(8) as pool:
        read = pool.map(images.read_bytes, numbers)
    assert [int.from_bytes(data) for data in read] == numbers


def test_what_trains_is_what_is_measured_to_the_bit(index):
    images = ImageSet(index, 16)
    loader = DataLoader(
        AugmentedImages(images, None, seed=0),
        batch_size=None,
        sampler=ResumableBatchSampler(images.runs, 27, 9, seed=0),
        num_workers=2,
    )
    for pixels, labels, _ in loader:
        measured, truth = images.batch(labels.tolist())
        assert torch.equal(pixels.permute(0, 3, 1, 2).float() / 255, measured)
        assert torch.equal(labels, truth)


def order(runs, seed, epoch):
    """Return one epoch's images by the definition of the order."""
    random = seeded_generator(seed, epoch)
    if isinstance(runs, int):
        return random.permutation(runs).tolist()
    numbers = np.split(np.arange(runs.sum()), runs.cumsum()[:-1])
    return [n for run in random.permutation(len(runs)) for n in numbers[run].tolist()]


def test_the_order_of_a_packed_set_is_what_it_always_was():
    numbers = [number for _, number in image_order(0, 14, 7, seed=3)]
    assert numbers == [1, 0, 2, 5, 4, 3, 6, 2, 0, 1, 6, 3, 5, 4]
    assert numbers == order(7, 3, 0) + order(7, 3, 1)


def test_only_a_shuffled_set_is_permuted_by_shard(index, packed, tmp_path):
    assert ImageSet(index, 16).runs.tolist() == [9, 4, 0, 13, 1]
    assert ImageSet(packed, 16).runs == 27
    (tmp_path / "one.png").touch()
    assert ImageSet(tmp_path, 16).runs == 1


def test_an_epoch_of_92_million_is_found_without_being_written_down():
    runs = np.full(10_000, 9_209)
    end = 4 * int(runs.sum())
    last = seeded_generator(1, 3).permutation(10_000)[-1]
    stop = (int(last) + 1) * 9_209
    assert image_order(end - 2, end, runs, seed=1) == [
        (end - 2, stop - 2),
        (end - 1, stop - 1),
    ]


def drawn_training(random):
    """Return a random training's arguments, and all (position, image) of it in order."""
    runs = random.integers(0, 9, random.integers(1, 9))
    runs[0] += 1
    if random.random() < 0.5:
        runs = int(runs.sum())
    seed, batch = map(int, (random.integers(100), random.integers(7, 20)))
    steps = int(random.integers(1, 12))
    epochs = -(-steps * batch // int(np.sum(runs)))
    shown = [n for epoch in range(epochs) for n in order(runs, seed, epoch)]
    images = steps * batch + int(random.integers(batch))
    truth = list(enumerate(shown[: steps * batch]))
    return (runs, images, batch, seed), truth


def joined_ranks(training, start, world):
    """Yield the ranks' batches joined together."""
    ranks = [
        ResumableBatchSampler(*training, start, rank, world) for rank in range(world)
    ]
    assert len({len(rank) for rank in ranks}) == 1
    for parts in zip(*ranks, strict=True):
        sizes = {len(part) for part in parts}
        assert max(sizes) - min(sizes) <= 1
        yield [place for part in parts for place in part]


@pytest.mark.parametrize("number", range(40))
def test_a_training_shows_the_same_at_any_world_size_and_after_any_kill(number):
    random = np.random.default_rng(number)
    training, truth = drawn_training(random)
    runs, _, batch, _ = training
    steps = [truth[first : first + batch] for first in range(0, len(truth), batch)]
    for world in range(1, 8):
        assert list(joined_ranks(training, 0, world)) == steps
        done, resumed_world = random.integers(len(steps)), random.integers(1, 8)
        before = list(joined_ranks(training, 0, world))[:done]
        after = joined_ranks(training, int(done) * batch, int(resumed_world))
        assert before + list(after) == steps
    count = int(np.sum(runs))
    for first in range(0, len(truth) - count + 1, count):
        epoch = [image for _, image in truth[first : first + count]]
        assert sorted(epoch) == list(range(count))


def test_more_processes_than_images_in_a_batch_are_refused():
    with pytest.raises(UserError, match="batch: 4 is less than the 5 processes"):
        ResumableBatchSampler(20, 20, 4, seed=0, world=5)


def joined_batches(images, settings, seen, workers, world):
    """Yield pixels and numbers of every batch after ``seen`` images, from all ranks."""
    ranks = [
        resumable_batches(
            images,
            settings,
            seed=5,
            device=CPU,
            workers=workers,
            rank=rank,
            world=world,
        )(seen)
        for rank in range(world)
    ]
    for parts in zip(*ranks, strict=True):
        yield tuple(map(torch.cat, zip(*parts, strict=True)))


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("kind", ["index", "packed"])
@pytest.mark.parametrize(("workers", "world"), [(0, 3), (1, 1), (2, 3), (3, 2)])
def test_pixels_are_the_same_from_any_processes(request, kind, workers, world):
    images = ImageSet(request.getfixturevalue(kind), 16)
    settings = Pretraining(
        images=66, batch=11, check_every=66, augment=Augmentation(pixelwise=1)
    )
    whole = list(joined_batches(images, settings, 0, workers=0, world=1))
    numbers = torch.cat([labels for _, labels in whole]).tolist()
    expected = [n for epoch in range(3) for n in order(images.runs, 5, epoch)]
    assert numbers == expected[:66]
    for seen in (0, 33):
        tail = joined_batches(images, settings, seen, workers, world)
        for (pixels, labels), (truth, numbers) in zip(
            tail, whole[seen // 11 :], strict=True
        ):
            assert torch.equal(labels, numbers)
            # Sums over another number of images may round otherwise.
            torch.testing.assert_close(pixels, truth, rtol=0, atol=1e-6)
