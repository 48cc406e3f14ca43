"""One photograph, judged by its bytes alone: kept, or the first reason against it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from simplejpeg import decode_jpeg, decode_jpeg_header

from s2snets.cleaning.dhash import dhash
from s2snets.data.images import MOST_PIXELS, opened, upright_rgb

JPEG = b"\xff\xd8\xff"
FILMS = {"GIF", "PNG", "WEBP"}  # MPO and TIFF hold several photographs instead


class Verdict(NamedTuple):
    """What became of a photograph.

    Attributes:
        outcome: ``kept``, ``placeholder``, ``too_small``, ``not_image``, ``broken``,
            ``too_large`` or ``flat``.
        width, height: pixels as stored, EXIF aside; 0 where the header was not read.
        format: a key of `images.FORMATS`; empty where the header was not read.
        p95: the variance that flatness hangs on, in squared grey levels; nan where
            it was not asked.
        dhash: `dhash` of a kept photograph, else 0.
    """

    outcome: str
    width: int = 0
    height: int = 0
    format: str = ""
    p95: float = math.nan
    dhash: int = 0


class Profile(NamedTuple):
    """Rules of rejection. `docs/cleaning.md` has the reasons.

    Attributes:
        placeholder_bytes: sizes of files that stand for a deleted photograph.
        least_bytes: smaller files are ``too_small``.
        least_side: shorter sides, in pixels, are ``too_small``.
        most_aspect: as are sides shorter than this part of the long one.
        stills: whether animations are ``not_image``.
        intact: whether JPEG is ``broken`` that only a lenient decoder reads.
        flat_bytes: files of this size or more are never ``flat``.
        flat_below: others are where the 95th percentile of their lines' variances
            is less.
        along: the axes that lines run along: 0 down the columns, 1 along the rows.
            The greater percentile counts.
        grey: from what Pillow opened to the grey image that is looked at.
    """

    placeholder_bytes: tuple[int, ...]
    least_bytes: int
    least_side: int
    most_aspect: float
    stills: bool
    intact: bool
    flat_bytes: float
    flat_below: float
    along: tuple[int, ...]
    grey: Callable


def as_published(image):
    return image.convert("L")


def as_trained_on(image):
    """Of the pixels that `images.decode` gives, at the scale at which JPEG is seen."""
    return upright_rgb(image).convert("L").reduce(8)


PROFILES = {
    "palacio2018": Profile(
        placeholder_bytes=(9218,),
        least_bytes=2600,
        least_side=1,
        most_aspect=math.inf,
        stills=False,
        intact=False,
        flat_bytes=20_000,
        flat_below=50,
        along=(0,),
        grey=as_published,
    ),
    "strict": Profile(
        placeholder_bytes=(),
        least_bytes=0,
        least_side=64,
        most_aspect=8,
        stills=True,
        intact=True,
        flat_bytes=math.inf,
        flat_below=4,
        along=(0, 1),
        grey=as_trained_on,
    ),
}


def judge(data, profile):
    """The first rule of a profile that a photograph breaks.

    What is kept, `images.decode` can read. Never raises: a photograph for which
    there is not enough memory counts as ``broken``.

    Args:
        data: the file's bytes.
        profile: a key of `PROFILES`.
    """
    rules = PROFILES[profile]
    if len(data) in rules.placeholder_bytes:
        return Verdict("placeholder")
    if len(data) < rules.least_bytes:
        return Verdict("too_small")
    try:
        width, height, form, animated = header(data)
    except Image.DecompressionBombError:
        return Verdict("too_large")
    except UnidentifiedImageError:
        return Verdict("broken" if data.startswith(JPEG) else "not_image")
    except Exception:  # as in `images.decode`
        return Verdict("broken")
    verdict = Verdict("kept", width, height, form)
    if width * height > MOST_PIXELS:
        return verdict._replace(outcome="too_large")
    short, long = sorted((width, height))
    if short < rules.least_side or short * rules.most_aspect < long:
        return verdict._replace(outcome="too_small")
    if rules.stills and animated:
        return verdict._replace(outcome="not_image")
    try:
        grey = glance(data, rules)
    except Exception:  # as above
        return verdict._replace(outcome="broken")
    if len(data) < rules.flat_bytes:
        p95 = max(np.percentile(grey.var(axis), 95) for axis in rules.along)
        verdict = verdict._replace(p95=float(p95))
        if p95 < rules.flat_below:
            return verdict._replace(outcome="flat")
    return verdict._replace(dhash=dhash(grey))


def header(data):
    """Width, height, format, and whether it moves, without a look at the pixels."""
    try:
        height, width, *_ = decode_jpeg_header(data)
        return width, height, "JPEG", False
    except ValueError:
        image = opened(data)
    # MPO is JPEG with more of it behind, which no one reads.
    form = "JPEG" if image.format == "MPO" else image.format
    return *image.size, form, form in FILMS and image.is_animated


def glance(data, rules):
    """A grey image, uint8 (H, W): of JPEG at an eighth of its size, which is cheap.

    Raises:
        Exception: of whatever kind, where the pixels are damaged.
    """
    try:
        return decode_jpeg(
            data, "GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1
        )[..., 0]
    except ValueError:
        if rules.intact and data.startswith(JPEG):
            raise
    return np.asarray(rules.grey(opened(data)))


def dhash_of(data):
    """A photograph's `dhash`, whatever the rules would say of it.

    Raises:
        Exception: of whatever kind, where the pixels are damaged.
    """
    return dhash(glance(data, PROFILES["palacio2018"]))
