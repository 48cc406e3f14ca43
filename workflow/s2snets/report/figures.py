"""Figures as parts of the page: as fine as screens show, and small enough together."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from s2snets.config import Study
from s2snets.figures.base import Figure, all_figures
from s2snets.report.captions import SCORES, paragraphs_to_html
from s2snets.runtime.errors import UserError

PIXELS_PER_INCH = 125
"""On the screen: makes the figures' 8-point type as large as the text around it."""

ENCODINGS: tuple[dict[str, Any], ...] = (
    {"format": "png", "optimize": True},
    {"format": "webp", "lossless": True},
    *({"format": "webp", "quality": quality} for quality in (90, 75, 50, 25)),
)
"""How a figure may be encoded, from the most faithful to the smallest."""

CHARACTERS_PER_BYTE = 4 / 3
"""Of base64."""


@dataclass(frozen=True)
class ReportFigure:
    """A figure and its texts; the file's stem is its id on the page."""

    path: Path  # of its PNG
    section: str  # the heading's id below which it stands
    title: str
    alternative_text: str
    caption: str  # reStructuredText


def describe_figures(paths: Sequence[Path], study: Study) -> list[ReportFigure]:
    """Return the report's figures with their texts.

    Raises:
        UserError: a figure that every study has is missing, or the library declares no
            figure of a file's name.
    """
    by_stem = {path.stem: path for path in paths}
    declared = {
        stem: figure for stem, figure in all_figures().items() if figure.reported
    }
    if unknown := sorted(by_stem.keys() - declared.keys()):
        raise UserError(
            f"--figures: no place for {', '.join(unknown)}, which no module declares"
        )
    always = [stem for stem, figure in declared.items() if figure.needs == Figure.needs]
    if absent := [stem for stem in always if stem not in by_stem]:
        raise UserError(f"--figures: {', '.join(absent)} missing; make figures first")
    for path in paths:
        if not path.is_file():
            raise UserError(f"{path}: no such figure; make figures first")
    return [
        ReportFigure(
            by_stem[stem],
            figure.section,
            figure.title,
            figure.alternative_text.replace("accuracy", SCORES[study.reference]),
            figure.caption(study),
        )
        for stem, figure in declared.items()
        if stem in by_stem
    ]


def data_url(data: bytes) -> str:
    """Return the bytes of a PNG or WebP as a data URL."""
    kind = "webp" if data[8:12] == b"WEBP" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def encode(image: Image.Image, encoding: int) -> bytes:
    """Return an image in one of ``ENCODINGS``."""
    data = io.BytesIO()
    image.save(data, **ENCODINGS[encoding])
    return data.getvalue()


def fit_screen(path: Path) -> tuple[Image.Image, tuple[int, int], bytes | None]:
    """Shrink a PNG to at most two pixels for each pixel of its size on screens.

    Returns:
        The image, its (width, height) on screens, and the file's bytes if it was small
        enough.
    """
    with Image.open(path) as image:
        scale = PIXELS_PER_INCH / image.info.get("dpi", (200, 200))[0]
        width, height = (round(scale * side) for side in image.size)
        rgb = image.convert("RGB")
    if rgb.width <= 2 * width:
        return rgb, (width, height), path.read_bytes()
    shrunk = rgb.resize((2 * width, 2 * height), Image.Resampling.LANCZOS)
    return shrunk, (width, height), None


def embed_images(paths: Sequence[Path], characters: int) -> list[dict[str, str | int]]:
    """Return PNGs as data URLs that fill at most ``characters``, if possible.

    Each is encoded as it was drawn, or without loss. While all of them are too large,
    the largest one moves on to the next of ``ENCODINGS``.

    Returns:
        A dict for each: src (the URL), width, height (on screens, pixels).
    """
    images, sizes, files = zip(*map(fit_screen, paths), strict=True)
    encoded = [
        file or encode(image, 0) for image, file in zip(images, files, strict=True)
    ]
    encodings = [0] * len(encoded)
    while sum(map(len, encoded)) * CHARACTERS_PER_BYTE > characters:
        left = [n for n, used in enumerate(encodings) if used + 1 < len(ENCODINGS)]
        if not left:
            break
        largest = max(left, key=lambda n: len(encoded[n]))
        encodings[largest] += 1
        smaller = encode(images[largest], encodings[largest])
        encoded[largest] = min(encoded[largest], smaller, key=len)
    return [
        {"src": data_url(data), "width": width, "height": height}
        for data, (width, height) in zip(encoded, sizes, strict=True)
    ]


def embed_figures(
    figures: Sequence[ReportFigure], characters: int
) -> dict[str, dict[str, Any]]:
    """Return figures by stem: section, texts, src, width and height.

    Args:
        figures: those of the study.
        characters: room for all images.
    """
    images = embed_images([figure.path for figure in figures], characters)
    return {
        figure.path.stem: {
            "section": figure.section,
            "title": figure.title,
            "alternative_text": figure.alternative_text,
            "caption": paragraphs_to_html(figure.caption),
            **image,
        }
        for figure, image in zip(figures, images, strict=True)
    }
