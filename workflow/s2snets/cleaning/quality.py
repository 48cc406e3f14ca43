"""Judging one photograph by its bytes alone: kept, or the first reason against it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from simplejpeg import decode_jpeg, decode_jpeg_header

from s2snets.cleaning.dhash import dhash
from s2snets.data.images import MAX_PIXELS, open_image, upright_rgb

JPEG = b"\xff\xd8\xff"
ANIMATED = {"GIF", "PNG", "WEBP"}  # MPO and TIFF hold several photographs instead


class Verdict(NamedTuple):
    """The outcome of one photograph and what was measured on the way.

    Attributes:
        outcome: ``kept``, ``placeholder``, ``too_small``, ``not_image``, ``broken``,
            ``too_large`` or ``flat``.
        width, height: pixels as stored, before EXIF rotation; 0 where the header was
            not read.
        format: a key of `images.FORMATS`; empty where the header was not read.
        p95: the variance that decides whether the image is flat, in squared grey
            levels; nan where it was not measured.
        dhash: `dhash` of a kept photograph, else 0.
    """

    outcome: str
    width: int = 0
    height: int = 0
    format: str = ""
    p95: float = math.nan
    dhash: int = 0


class Profile(NamedTuple):
    """Rules of rejection; `docs/cleaning.md` has the reasons.

    Attributes:
        placeholder_bytes: sizes of files that stand for a deleted photograph.
        min_bytes: smaller files are ``too_small``.
        min_side: images with a shorter side, in pixels, are ``too_small``.
        max_aspect: so are images whose long side is more than this many short ones.
        reject_animated: whether animations are ``not_image``.
        reject_damaged: whether a JPEG is ``broken`` that only a lenient decoder reads.
        never_flat_bytes: files of this size or more are never ``flat``.
        min_variance: other files are ``flat`` where the 95th percentile of the
            variances of their lines is less.
        axes: which lines: 0 columns, 1 rows. The greater percentile counts.
        to_grey: converts what Pillow opened to the grey image that is measured.
    """

    placeholder_bytes: tuple[int, ...]
    min_bytes: int
    min_side: int
    max_aspect: float
    reject_animated: bool
    reject_damaged: bool
    never_flat_bytes: float
    min_variance: float
    axes: tuple[int, ...]
    to_grey: Callable[[Image.Image], Image.Image]


def published_grey(image: Image.Image) -> Image.Image:
    """Convert to grey as the paper's authors do."""
    return image.convert("L")


def training_grey(image: Image.Image) -> Image.Image:
    """Convert the pixels that training sees, at the scale at which JPEG is measured."""
    return upright_rgb(image).convert("L").reduce(8)


PROFILES = {
    "palacio2018": Profile(
        placeholder_bytes=(9218,),
        min_bytes=2600,
        min_side=1,
        max_aspect=math.inf,
        reject_animated=False,
        reject_damaged=False,
        never_flat_bytes=20_000,
        min_variance=50,
        axes=(0,),
        to_grey=published_grey,
    ),
    "strict": Profile(
        placeholder_bytes=(),
        min_bytes=0,
        min_side=64,
        max_aspect=8,
        reject_animated=True,
        reject_damaged=True,
        never_flat_bytes=math.inf,
        min_variance=4,
        axes=(0, 1),
        to_grey=training_grey,
    ),
}


def judge(data: bytes, profile: str) -> Verdict:
    """Return the first rule of a profile that a photograph breaks, or ``kept``.

    `images.decode` can read every photograph that is kept. Never raises: a photograph
    for which there is not enough memory counts as ``broken``.

    Args:
        data: the file's bytes.
        profile: a key of `PROFILES`.
    """
    rules = PROFILES[profile]
    if len(data) in rules.placeholder_bytes:
        return Verdict("placeholder")
    if len(data) < rules.min_bytes:
        return Verdict("too_small")
    try:
        width, height, format_name, animated = read_header(data)
    except Image.DecompressionBombError:
        return Verdict("too_large")
    except UnidentifiedImageError:
        return Verdict("broken" if data.startswith(JPEG) else "not_image")
    except Exception:  # decoders raise anything, as in `images.decode`
        return Verdict("broken")
    verdict = Verdict("kept", width, height, format_name)
    if width * height > MAX_PIXELS:
        return verdict._replace(outcome="too_large")
    short, long = sorted((width, height))
    if short < rules.min_side or short * rules.max_aspect < long:
        return verdict._replace(outcome="too_small")
    if rules.reject_animated and animated:
        return verdict._replace(outcome="not_image")
    try:
        grey = decode_grey(data, rules)
    except Exception:  # as above
        return verdict._replace(outcome="broken")
    if len(data) < rules.never_flat_bytes:
        p95 = max(np.percentile(grey.var(axis), 95) for axis in rules.axes)
        verdict = verdict._replace(p95=float(p95))
        if p95 < rules.min_variance:
            return verdict._replace(outcome="flat")
    return verdict._replace(dhash=dhash(grey))


def read_header(data: bytes) -> tuple[int, int, str, bool]:
    """Return width, height, format, and whether it is animated, decoding no pixels.

    Raises:
        Exception: of any type; UnidentifiedImageError where no format fits.
    """
    try:
        height, width, *_ = decode_jpeg_header(data)
        return width, height, "JPEG", False
    except ValueError:
        image = open_image(data)
    # MPO is a JPEG with more images behind it, which nothing here reads.
    format_name = "JPEG" if image.format == "MPO" else image.format or ""
    # Pillow declares `is_animated` for none of its classes; these three have it.
    animated = format_name in ANIMATED and image.is_animated  # type: ignore[attr-defined]
    return *image.size, format_name, animated


def decode_grey(data: bytes, rules: Profile) -> np.ndarray:
    """Return a grey image, uint8 (H, W): a JPEG at an eighth of its size, for speed.

    Raises:
        Exception: of any type, where the pixels are damaged.
    """
    try:
        return decode_jpeg(
            data, "GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1
        )[..., 0]
    except ValueError:
        if rules.reject_damaged and data.startswith(JPEG):
            raise
    return np.asarray(rules.to_grey(open_image(data)))


def dhash_of(data: bytes) -> int:
    """Return the `dhash` of a photograph, kept or not.

    Raises:
        Exception: of any type, where the pixels are damaged.
    """
    return dhash(decode_grey(data, PROFILES["palacio2018"]))
