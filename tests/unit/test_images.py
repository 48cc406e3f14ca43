"""Decoding of image files, compared with Pillow."""

import io
import itertools

import numpy as np
import pytest
from pictures import encoded, photograph
from PIL import Image, ImageOps

from s2snets.data import images
from s2snets.runtime.errors import UserError


def pillows(data):
    """Return the pixels that Pillow decodes."""
    return np.asarray(
        ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    )


def pixels(data):
    return np.asarray(images.decode(data, "it"))


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (7, 33), (50, 37), (129, 64)])
@pytest.mark.parametrize(
    "subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1", "grey", "rgb"]
)
def test_jpeg_is_decoded_to_pillows_bits(size, subsampling):
    image = photograph(*size)
    options = {"subsampling": subsampling}
    if subsampling == "grey":
        image, options = image.convert("L"), {}
    if subsampling == "rgb":
        options = {"keep_rgb": True}
    for quality, progressive in itertools.product((1, 30, 75, 90, 100), (False, True)):
        data = encoded(image, quality=quality, progressive=progressive, **options)
        assert images.from_jpeg(data) is not None
        assert np.array_equal(pixels(data), pillows(data))


@pytest.mark.parametrize("orientation", range(10))
def test_orientation_is_applied_and_a_wrong_one_ignored(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for form in ("jpeg", "png", "webp", "tiff"):
        data = encoded(photograph(40, 24), form, exif=exif)
        assert np.array_equal(pixels(data), pillows(data))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_turns_nothing():
    image = photograph(40, 24)
    upright = pixels(encoded(image))
    for exif in (
        b"",
        b"MM",
        b"MM\0*\0\0\0\x08\0\x01\x01",
        b"II*\0\xff\xff\xff\xff" * 9,
        b"junk" * 99,
    ):
        assert np.array_equal(pixels(encoded(image, exif=b"Exif\0\0" + exif)), upright)
        assert images.decode(encoded(image, "png", exif=exif), "it").size == (40, 24)


def test_what_simplejpeg_cannot_read_is_read_by_pillow():
    inks = encoded(photograph(40, 24).convert("CMYK"))
    assert np.array_equal(pixels(inks), pillows(inks))
    damaged = bytearray(encoded(photograph(250, 190)))
    damaged[5000:5064] = np.random.default_rng(1).bytes(64)
    assert images.from_jpeg(bytes(damaged)) is None
    assert np.array_equal(pixels(bytes(damaged)), pillows(bytes(damaged)))


def test_of_several_images_in_a_file_the_first_is_taken():
    first, second = photograph(40, 24, 1), photograph(40, 24, 2)
    for form in ("gif", "png", "webp", "tiff", "mpo"):
        options = {"lossless": True} if form == "webp" else {}
        alone = encoded(first, "jpeg" if form == "mpo" else form, **options)
        both = encoded(first, form, save_all=True, append_images=[second], **options)
        assert np.array_equal(pixels(both), pixels(alone))


def test_palettes_and_their_transparency_are_laid_on_black():
    image = photograph(40, 24).quantize(16)
    clear = pixels(encoded(image, "png", transparency=3))
    seen = np.asarray(image) != 3
    assert not clear[~seen].any()
    assert np.array_equal(clear[seen], np.asarray(image.convert("RGB"))[seen])


@pytest.mark.parametrize("form", ["tiff", "png", "ppm"])
def test_16_bits_are_scaled(form):
    levels = np.arange(0, 65536, 257, np.uint16).reshape(16, 16)
    data = encoded(Image.fromarray(levels), form)
    assert np.array_equal(pixels(data)[..., 0], levels // 257)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_samples_of_unknown_range_are_refused(dtype):
    data = encoded(Image.fromarray(np.arange(64, dtype=dtype).reshape(8, 8)), "tiff")
    with pytest.raises(UserError, match=r"it: .*samples of 32 bits; save it with 8"):
        images.decode(data, "it")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "bmp"])
def test_a_decompression_bomb_is_refused_by_its_header(form):
    side = 9_500  # one megabyte and a half as a whole JPEG
    if form == "png":  # a header is checked by its sum, hence no editing
        data = encoded(Image.new("1", (side, side)), "png")
    else:
        data = bytearray(encoded(Image.new("L", (16, 24)), form))
        at, order = {
            "jpeg": (data.find(b"\xff\xc0") + 5, "big"),
            "gif": (6, "little"),
            "bmp": (18, "little"),
        }[form]
        step = 4 if form == "bmp" else 2
        for where in (at, at + step):
            data[where : where + 2] = side.to_bytes(2, order)
    with pytest.raises(UserError, match="it: over 89,478,485 pixels; reduce it"):
        images.decode(bytes(data), "it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html></html>" * 99,
        encoded(photograph(40, 24))[:-1],
        encoded(photograph(40, 24))[:200],
        encoded(photograph(40, 24), "png")[:300],
        encoded(photograph(40, 24), "ico"),
        encoded(photograph(40, 24), "eps"),
    ],
    ids=["nothing", "text", "one byte short", "header", "half", "icon", "PostScript"],
)
def test_what_is_no_whole_image_of_a_known_format_is_named(data):
    with pytest.raises(
        UserError, match=r"it: unreadable image .*; replace or remove it"
    ):
        images.decode(data, "it")


def test_every_format_is_read_and_nothing_follows_its_end():
    for form in images.FORMATS:
        data = encoded(photograph(40, 24), form)
        assert np.array_equal(pixels(data + b"junk" * 99), pillows(data))
