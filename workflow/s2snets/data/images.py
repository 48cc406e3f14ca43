"""From an image file's bytes to upright RGB pixels, by one path for every use."""

import io
from contextlib import suppress

import numpy as np
from PIL import Image, ImageOps
from simplejpeg import decode_jpeg, decode_jpeg_header

from s2snets.runtime.errors import UserError, one_line

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"}
FORMATS = {
    "JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif",
    "TIFF": "tif", "PPM": "ppm",
}  # fmt: skip
"""Suffixes of the formats that are read, whatever a file is called. Pillow knows more,
but needs programs for some that not every machine has."""
MAX_PIXELS = 89_478_485
"""Pillow warns that an image with more may be a decompression bomb. One of so many
takes 1 GB while it is decoded, whatever the size of its file."""


def decode(data: bytes, name: str) -> Image.Image:
    """Decode an image file to a whole, upright RGB image.

    EXIF orientation is applied and transparency laid on black; of an animation this
    is the first frame. simplejpeg decodes JPEG, to the same bits as Pillow; Pillow
    reads other formats, CMYK, and JPEG whose scans are damaged but not truncated.

    Args:
        data: the file's bytes.
        name: what to call the file in an error message.

    Raises:
        UserError: the bytes are no image, or a truncated one.
    """
    try:
        image = from_jpeg(data) or open_image(data)
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        return upright_rgb(image)
    except Image.DecompressionBombError:
        raise UserError(f"{name}: over {MAX_PIXELS:,} pixels; reduce it") from None
    except Exception as error:  # decoders raise errors of any type on damaged data
        raise UserError(
            f"{name}: unreadable image ({one_line(error)}); replace or remove it"
        ) from None


def open_image(data: bytes) -> Image.Image:
    """Open an image with Pillow, reading its header only.

    Raises:
        Image.DecompressionBombError: it has more than twice `MAX_PIXELS`.
        ValueError: its samples are of 32 bits, whose black and white nobody knows.
        Exception: of any type; UnidentifiedImageError where no format fits.
    """
    image = Image.open(io.BytesIO(data), formats=tuple(FORMATS))
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        raise ValueError("samples of 32 bits; save it with 8 or 16 bits")
    return image


def from_jpeg(data: bytes) -> Image.Image | None:
    """Decode a JPEG, with its header's tags; return None where only Pillow can.

    Raises:
        Image.DecompressionBombError: it has more than `MAX_PIXELS`.
    """
    try:
        height, width, space, _ = decode_jpeg_header(data)
        if height * width > MAX_PIXELS:
            raise Image.DecompressionBombError
        if space not in ("YCbCr", "RGB", "Gray"):  # CMYK, which may be inverted
            return None
        image = Image.fromarray(decode_jpeg(data))
    except ValueError:
        return None
    with suppress(Exception):  # unreadable tags count as none
        image.info = open_image(data).info
    return image


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return an opened image's pixels as RGB, upright, on black.

    Raises:
        Exception: of any type, where the pixels are damaged.
    """
    image.load()
    with suppress(Exception):  # as above
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):  # of 16 bits, as PPM's "I"; Pillow would clip them
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image.paste((0, 0, 0, 255), mask=image.getchannel("A").point(lambda a: 255 - a))
    return image if image.mode == "RGB" else image.convert("RGB")


def encode_png(pixels: np.ndarray) -> bytes:
    """Encode uint8 (H, W) or (H, W, 3) losslessly, and fast rather than small."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", compress_level=1)
    return buffer.getvalue()
