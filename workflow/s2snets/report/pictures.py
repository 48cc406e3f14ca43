"""Figures as parts of a page: as fine as screens show, together not too large."""

import base64
import io

from PIL import Image

PIXELS_PER_INCH = 125
"""On the screen: makes the figures' 8-point type as large as the text around it."""

TIERS = (
    {"format": "png", "optimize": True},
    {"format": "webp", "lossless": True},
    *({"format": "webp", "quality": quality} for quality in (90, 75, 50, 25)),
)
"""How a figure may be written, from the truest to the smallest."""

BYTES = 4 / 3
"""Characters that a byte takes in an address."""


def screened(path):
    """A PNG's picture, its size on screens, and its bytes where it is no finer."""
    with Image.open(path) as image:
        scale = PIXELS_PER_INCH / image.info.get("dpi", (200, 200))[0]
        size = [round(scale * side) for side in image.size]
        if image.width <= 2 * size[0]:
            return image.convert("RGB"), size, path.read_bytes()
        double = [2 * side for side in size]
        return image.convert("RGB").resize(double, Image.Resampling.LANCZOS), size, None


def written(picture, tier):
    """A picture in one of ``TIERS``."""
    data = io.BytesIO()
    picture.save(data, **TIERS[tier])
    return data.getvalue()


def embed(paths, characters):
    """PNGs as data addresses that fill at most so many characters, where they can.

    Each is as it was drawn, or as screens can show it; while all are too large, the
    largest goes on to a smaller way of writing it.

    Returns:
        A dict src, width, height for each: the address, and its size on screens.
    """
    pictures, sizes, drawn = zip(*map(screened, paths), strict=True)
    found = [data or written(one, 0) for one, data in zip(pictures, drawn, strict=True)]
    tiers = [0] * len(found)
    while sum(map(len, found)) * BYTES > characters:
        left = [n for n, tier in enumerate(tiers) if tier + 1 < len(TIERS)]
        if not left:
            break
        most = max(left, key=lambda n: len(found[n]))
        tiers[most] += 1
        found[most] = min(found[most], written(pictures[most], tiers[most]), key=len)
    return [
        {"src": address(data), "width": width, "height": height}
        for data, (width, height) in zip(found, sizes, strict=True)
    ]


def address(data):
    """A picture's bytes as a data address."""
    kind = "webp" if data[8:12] == b"WEBP" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
