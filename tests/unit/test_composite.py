"""Objects on black, laid on photographs."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_erosion

from s2snets.config import Background, Source
from s2snets.data.composite import lay_on, outline
from s2snets.data.packing import source_items
from s2snets.runtime.errors import UserError

RING = np.zeros((9, 9), np.uint8)
RING[1:8, 1:8] = 200
RING[3:6, 3:6] = 0


@pytest.fixture
def photographs(tmp_path):
    """Two photographs: one blue, one red."""
    (tmp_path / "photos").mkdir()
    for name, colour in (("blue", (0, 0, 200)), ("red", (200, 0, 0))):
        Image.new("RGB", (60, 40), colour).save(tmp_path / f"photos/{name}.png")
    return tmp_path / "photos"


@pytest.fixture
def source(tmp_path, photographs):
    """One object, entered six times."""
    (tmp_path / "objects").mkdir()
    Image.fromarray(RING).save(tmp_path / "objects/ring.png")
    background = Background(path=str(photographs), size=16)
    return Source(path=str(tmp_path / "objects"), repeat=6, background=background)


def pixels(item):
    return np.asarray(Image.open(io.BytesIO(item.read())))


def test_an_outline_is_the_largest_object_with_its_holes():
    grey = np.pad(RING, 2)
    grey[0, 0], grey[12, 12] = 10, 99  # noise, and a speck
    assert outline(grey)[3:10, 3:10].all()
    assert outline(grey).sum() == 49
    assert not outline(np.zeros((4, 5), np.uint8)).any()


def test_an_object_keeps_its_shades_in_one_colour_and_nothing_saturates():
    scene = np.zeros((16, 16, 3), np.uint8)
    image = lay_on(scene, RING, np.random.default_rng(0))
    strength = image.max(2)
    assert 49 <= (strength > 0).sum() <= 121  # the object, and its soft edge
    assert image.max() < 255
    strong = image[strength > 20] / strength[strength > 20, None]
    assert np.ptp(strong, axis=0).max() < 0.1
    shades = np.unique(strength[strength > 20])
    assert shades[-1] > 2 * shades[0]  # the ring and its dark middle
    assert not lay_on(scene, 0 * RING, np.random.default_rng(0)).any()


def test_each_repetition_is_another_and_all_follow_the_seed(source):
    images = [pixels(item) for item in source_items(source, None, (0, 0))]
    assert [image.shape for image in images] == [(16, 16, 3)] * 6
    assert len({image.tobytes() for image in images}) == 6
    again = [pixels(item) for item in source_items(source, None, (0, 0))]
    assert np.array_equal(images, again)
    others = [pixels(item) for item in source_items(source, None, (1, 0))]
    assert not np.array_equal(images, others)


def test_photographs_are_dimmed_and_both_are_used(source):
    dark = source.background.model_copy(update={"brightness": 0.25})
    images = [
        pixels(item)
        for item in source_items(
            source.model_copy(update={"background": dark}), None, (0,)
        )
    ]
    corners = {
        tuple(image[row, column])
        for image in images
        for row in (0, -1)
        for column in (0, -1)
    }
    assert {(0, 0, 50), (50, 0, 0)} <= corners


def test_a_class_stays_with_its_image(tmp_path, photographs):
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.fromarray(RING).save(tmp_path / f"set/{name}/1.png")
    background = Background(path=str(photographs), size=9)
    source = Source(path=str(tmp_path / "set"), repeat=2, background=background)
    assert [item.label for item in source_items(source, ["a", "b"], (0,))] == [
        0,
        0,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("picture", "size", "said"),
    [
        (RING, 8, "larger than background.size, 8 pixels"),
        (np.dstack([RING, RING, 0 * RING]), 16, "has colours"),
    ],
)
def test_an_image_that_does_not_fit_is_named(
    tmp_path, photographs, picture, size, said
):
    (tmp_path / "objects").mkdir()
    Image.fromarray(picture).save(tmp_path / "objects/x.png")
    background = Background(path=str(photographs), size=size)
    source = Source(path=str(tmp_path / "objects"), background=background)
    with pytest.raises(UserError, match=rf"x\.png: {said}"):
        list(source_items(source, None, (0,)))


def test_a_folder_without_photographs_is_named(source, tmp_path):
    empty = source.background.model_copy(update={"path": str(tmp_path / "none")})
    with pytest.raises(UserError, match="none: no such folder"):
        list(source_items(source.model_copy(update={"background": empty}), None, (0,)))


def test_no_scene_shines_through_an_object():
    bright, dark = (
        lay_on(np.full((9, 9, 3), level, np.uint8), RING, np.random.default_rng(1))
        for level in (255, 0)
    )
    inner = binary_erosion(outline(RING))
    assert inner.sum() == 25
    assert abs(bright[inner].astype(int) - dark[inner]).max() < 12
