"""From an image file's bytes to upright RGB pixels, by one path for every use."""

import io
from contextlib import suppress

import numpy as np
from PIL import Image, ImageOps
from simplejpeg import decode_jpeg, decode_jpeg_header

from s2snets.runtime.errors import UserError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"}
FORMATS = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "BMP": "bmp",
    "GIF": "gif",
    "TIFF": "tif",
    "PPM": "ppm",
}
"""Format -> suffix, of all that is read whatever a file is called. Pillow knows more,
but some by way of programs that one machine has and another has not."""
MOST_PIXELS = 2 * Image.MAX_IMAGE_PIXELS
"""Where Pillow takes an image for a decompression bomb."""


def decode(data, name):
    """A whole, upright RGB image.

    EXIF orientation is applied and transparency laid on black; of an animation this
    is the first frame. JPEG is decoded by simplejpeg, whose pixels are Pillow's to
    the bit; Pillow reads other formats, CMYK, and JPEG whose scans are damaged but
    as long as they should be.

    Args:
        data: the file's bytes.
        name: what to call the file in a complaint.

    Raises:
        UserError: the bytes are no image, or a truncated one.
    """
    try:
        image = from_jpeg(data)
        return upright_rgb(opened(data) if image is None else image)
    except Image.DecompressionBombError:
        raise UserError(f"{name}: over {MOST_PIXELS} pixels; reduce it") from None
    except Exception as error:  # what rubbish makes decoders raise is in no list
        raise UserError(
            f"{name}: unreadable image ({error}); replace or remove it"
        ) from None


def opened(data):
    """An image of which only the header is read.

    Raises:
        Image.DecompressionBombError: it has over `MOST_PIXELS`.
        Exception: of whatever kind; UnidentifiedImageError where no format fits.
    """
    return Image.open(io.BytesIO(data), formats=tuple(FORMATS))


def from_jpeg(data):
    """The pixels of a JPEG with the tags of its header; None: let Pillow try.

    Raises:
        Image.DecompressionBombError: it has over `MOST_PIXELS`.
    """
    try:
        height, width, space, _ = decode_jpeg_header(data)
        if height * width > MOST_PIXELS:
            raise Image.DecompressionBombError
        if space not in ("YCbCr", "RGB", "Gray"):  # inks, which may be inverted
            return None
        image = Image.fromarray(decode_jpeg(data))
    except ValueError:
        return None
    with suppress(Exception):  # tags that cannot be read tell nothing
        image.info = opened(data).info
    return image


def upright_rgb(image):
    """What `decode` makes of an opened image.

    Raises:
        Exception: of whatever kind, where the pixels are damaged.
    """
    image.load()
    with suppress(Exception):  # as above
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):  # 16 bits; Pillow would clip, not scale
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image.paste((0, 0, 0, 255), mask=image.getchannel("A").point(lambda a: 255 - a))
    return image if image.mode == "RGB" else image.convert("RGB")


def encode_png(pixels):
    """Losslessly, the bytes of a PNG of uint8 (H, W) or (H, W, 3)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()
