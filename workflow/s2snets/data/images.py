"""From an image file's bytes to square RGB pixels, by one path for every use."""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from s2snets.errors import Mistake

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"}


def decode(data, name):
    """A whole, upright RGB image.

    EXIF orientation is applied and transparency laid on black.

    Args:
        data: the file's bytes.
        name: what to call the file in a complaint.

    Raises:
        Mistake: the bytes are no image, or a truncated one.
    """
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Mistake(
            f"{name}: unreadable image ({error}); replace or remove it"
        ) from None
    except Image.DecompressionBombError:
        raise Mistake(
            f"{name}: over {Image.MAX_IMAGE_PIXELS} pixels; reduce it"
        ) from None
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits; Pillow would clip, not scale
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image.paste((0, 0, 0, 255), mask=image.getchannel("A").point(lambda a: 255 - a))
    return image.convert("RGB")


def squash(image, side):
    """Both sides resized to ``side``, the aspect lost."""
    return image.resize((side, side), Image.Resampling.BILINEAR)


def crop(image, side):
    """The centred square, resized to ``side``."""
    return ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR)


def pad(image, side):
    """Never enlarged, reduced if it must be, centred on black."""
    if max(image.size) > side:
        image = ImageOps.contain(image, (side, side), Image.Resampling.BILINEAR)
    framed = Image.new("RGB", (side, side))
    framed.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return framed


FITS = {"squash": squash, "crop": crop, "pad": pad}


def fitted(image, side, fit):
    """An image as uint8 (3, side, side); Pillow's bilinear is antialiased.

    Args:
        fit: ``squash``, ``crop`` or ``pad``.
    """
    if image.size != (side, side):
        image = FITS[fit](image, side)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def encode_png(pixels):
    """Losslessly, the bytes of a PNG of uint8 (H, W) or (H, W, 3)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()
