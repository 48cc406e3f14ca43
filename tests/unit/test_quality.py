"""Judging photographs by their bytes."""

import io
import math
from collections import Counter
from contextlib import suppress
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from pictures import encoded, photograph
from PIL import Image
from simplejpeg import decode_jpeg

from s2snets.cleaning.dhash import dhash
from s2snets.cleaning.quality import PROFILES, judge
from s2snets.data import images
from s2snets.runtime.errors import UserError


def patched(data, at, new):
    return data[:at] + new + data[at + len(new) :]


def grey(lines):
    """Return an 8-bit image of float brightness."""
    return Image.fromarray(np.clip(lines, 0, 255).astype(np.uint8))


def deep(image):
    """Return an image as 16 bits of grey."""
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


PHOTOGRAPHS = Path(__file__).parents[2] / "resources/demo/photographs/validation"
PHOTO = photograph(250, 190)
JPEG = encoded(PHOTO, quality=90)
SCAN = JPEG.index(b"\xff\xda") + 14
NOISE = np.random.default_rng(2).bytes(4096)
EXIF = Image.Exif()
EXIF[0x0112] = 6
BOMB = patched(JPEG, JPEG.index(b"\xff\xc0") + 5, b"\xea\x60" * 2)
SECOND = photograph(250, 190, 1)

CASES = {
    # name: (bytes, outcome of palacio2018, of strict)
    "JPEG": (JPEG, "kept", "kept"),
    "progressive": (encoded(PHOTO, progressive=True), "kept", "kept"),
    "grey JPEG": (encoded(PHOTO.convert("L")), "kept", "kept"),
    "CMYK": (encoded(PHOTO.convert("CMYK")), "kept", "kept"),
    "turned by EXIF": (encoded(PHOTO, exif=EXIF), "kept", "kept"),
    "wrong EXIF": (encoded(PHOTO, exif=b"Exif\0\0MM junk"), "kept", "kept"),
    "trailing junk": (JPEG + NOISE, "kept", "kept"),
    "several in one JPEG": (
        encoded(PHOTO, "mpo", save_all=True, append_images=[SECOND]),
        "kept",
        "kept",
    ),
    "PNG": (encoded(PHOTO, "png"), "kept", "kept"),
    "palette PNG": (encoded(PHOTO.quantize(64), "png"), "kept", "kept"),
    "16-bit PNG": (encoded(deep(PHOTO), "png"), "kept", "kept"),
    "small 16-bit PNG": (
        encoded(deep(photograph(64, 64).point(lambda level: 40 + level // 2)), "png"),
        "flat",
        "kept",
    ),
    "GIF": (encoded(PHOTO, "gif"), "kept", "kept"),
    "WebP": (encoded(PHOTO, "webp"), "kept", "kept"),
    "animated GIF": (
        encoded(PHOTO, "gif", save_all=True, append_images=[SECOND]),
        "kept",
        "not_image",
    ),
    "animated WebP": (
        encoded(PHOTO, "webp", save_all=True, append_images=[SECOND]),
        "kept",
        "not_image",
    ),
    "0 bytes": (b"", "too_small", "not_image"),
    "2599 bytes": (NOISE[:2599], "too_small", "not_image"),
    "2600 bytes": (NOISE[:2600], "not_image", "not_image"),
    "9218 bytes": (JPEG[:9218], "placeholder", "broken"),
    "page": (b"<!DOCTYPE html>" + b"<p>Gone.</p>" * 300, "not_image", "not_image"),
    "vector drawing": (encoded(PHOTO, "eps"), "not_image", "not_image"),
    "1 byte short": (JPEG[:-1], "broken", "broken"),
    "half": (JPEG[: len(JPEG) // 2], "broken", "broken"),
    "start and filler": (JPEG[:40] + bytes(4000), "broken", "broken"),
    "half a PNG": (encoded(PHOTO, "png")[:9000], "broken", "broken"),
    "64 bytes overwritten": (patched(JPEG, SCAN + 4000, NOISE[:64]), "kept", "broken"),
    "4 KiB overwritten": (patched(JPEG, SCAN + 4000, NOISE), "kept", "broken"),
    "JPEG bomb": (BOMB, "too_large", "too_large"),
    "PNG bomb": (
        encoded(Image.new("1", (19_000, 19_000)), "png"),
        "too_large",
        "too_large",
    ),
    "1 × 1": (encoded(photograph(1, 1)), "too_small", "too_small"),
    "1 × 1 and filler": (encoded(photograph(1, 1)) + NOISE, "flat", "too_small"),
    "1 × 2000": (encoded(photograph(1, 2000), quality=95), "kept", "too_small"),
    "2000 × 1": (encoded(photograph(2000, 1), quality=95), "flat", "too_small"),
    "64 × 64": (encoded(photograph(64, 64), quality=97), "kept", "kept"),
    "63 × 64": (encoded(photograph(63, 64), quality=97), "kept", "too_small"),
    "8 to 1": (encoded(photograph(800, 100)), "kept", "kept"),
    "longer": (encoded(photograph(808, 100)), "kept", "too_small"),
}


@pytest.mark.parametrize("what", CASES)
@pytest.mark.parametrize("profile", PROFILES)
def test_each_kind_of_file_has_its_outcome(what, profile):
    data, *wanted = CASES[what]
    assert judge(data, profile).outcome == wanted[list(PROFILES).index(profile)]


def published(data):
    """Return whether the authors' published rules, in their order, keep a file."""
    if len(data) < 2600 or len(data) == 9218:
        return False
    try:
        pixels = decode_jpeg(
            data, "gray", fastdct=True, fastupsample=True, min_height=1, min_width=1
        )[..., 0]
    except ValueError:
        try:
            pixels = np.array(Image.open(io.BytesIO(data)).convert("L"))
        except Exception:  # theirs lists some
            return False
    return len(data) >= 20_000 or np.percentile(pixels.var(axis=0), 95) >= 50


@pytest.mark.parametrize(
    "what", sorted(CASES.keys() - {"JPEG bomb", "PNG bomb", "vector drawing"})
)
def test_palacio2018_keeps_what_the_published_rules_keep(what):
    data = CASES[what][0]
    assert (judge(data, "palacio2018").outcome == "kept") == published(data)


x, y = np.meshgrid(np.arange(640), np.arange(480))
DRAWN = {
    # name: (brightness, quality, outcome of palacio2018, of strict)
    "vertical stripes": (200 * (x // 16 % 2), 75, "flat", "kept"),
    "horizontal stripes": (200 * (y // 16 % 2), 75, "kept", "kept"),
    "gradient to the right": (150 * x / 640, 75, "flat", "kept"),
    "gradient down": (150 * y / 480, 75, "kept", "kept"),
    "fog": (180 + 20 * y / 480, 97, "flat", "kept"),
    "thick fog": (180 + 5 * y / 480, 97, "flat", "flat"),
    "black and noise": (
        np.random.default_rng(3).normal(2, 2, x.shape),
        97,
        "kept",
        "flat",
    ),
    "noise": (np.random.default_rng(3).normal(127, 12, x.shape), 90, "kept", "flat"),
    "white": (np.full(x.shape, 255), 97, "flat", "flat"),
    "a dark photograph": (
        np.asarray(photograph(640, 480).convert("L")) / 5,
        90,
        "kept",
        "kept",
    ),
    "a moon": (200.0 * (np.hypot(x - 300, y - 200) < 30), 97, "kept", "kept"),
    "a star": (200.0 * (np.hypot(x - 300, y - 200) < 6), 97, "flat", "flat"),
}


@pytest.mark.parametrize("what", DRAWN)
def test_what_counts_as_flat(what):
    lines, quality, *wanted = DRAWN[what]
    data = encoded(grey(lines), quality=quality, comment=bytes(1000))
    assert published(data) == (wanted[0] == "kept")
    assert [judge(data, profile).outcome for profile in PROFILES] == wanted


def test_strict_judges_an_image_and_its_transpose_alike():
    for lines, quality, *_, wanted in DRAWN.values():
        turned = encoded(grey(lines.T), quality=quality)
        assert judge(turned, "strict").outcome == wanted


def test_a_verdict_tells_what_was_seen():
    turned, small = CASES["turned by EXIF"][0], CASES["63 × 64"][0]
    assert judge(turned, "strict")[1:4] == (250, 190, "JPEG")
    assert judge(CASES["several in one JPEG"][0], "strict").format == "JPEG"
    assert judge(CASES["WebP"][0], "palacio2018").format == "WEBP"
    assert judge(small, "strict")[:3] == ("too_small", 63, 64)
    assert judge(BOMB, "strict")[:3] == ("too_large", 60_000, 60_000)
    assert judge(b"", "strict")[1:4] == (0, 0, "")
    # The published rule looks at the columns of small files alone.
    columns = decode_jpeg(JPEG, "gray", fastdct=True, min_height=1, min_width=1).var(0)
    assert judge(JPEG, "palacio2018").p95 == np.percentile(columns, 95)
    assert judge(JPEG, "strict").p95 >= np.percentile(columns, 95)
    assert math.isnan(judge(encoded(PHOTO, "png"), "palacio2018").p95)


def mutations(count, seed):
    """Yield small files of every kind, damaged in every manner."""
    random = np.random.default_rng(seed)
    photo, other = photograph(72, 64, 1), photograph(72, 64, 2)

    def film(form, **options):
        return encoded(
            photo, form, save_all=True, append_images=[other.copy()], **options
        )

    whole = [
        encoded(photo, quality=97),
        encoded(photo, quality=97, progressive=True, exif=EXIF),
        encoded(photo, quality=97, subsampling=0, restart_marker_blocks=3),
        encoded(
            photo, quality=97, icc_profile=NOISE[:99], xmp=b"<x:xmpmeta/>", dpi=(9, 9)
        ),
        encoded(photo.convert("L"), quality=99),
        encoded(photo.convert("CMYK"), quality=97),
        film("mpo", quality=97),
        encoded(photo, "png", exif=EXIF),
        encoded(photo.quantize(64), "png", transparency=3),
        encoded(deep(photo), "png"),
        encoded(photo.convert("LA"), "png"),
        film("png"),
        encoded(photo, "gif"),
        film("gif"),
        encoded(photo, "webp", quality=97, exif=EXIF),
        film("webp", lossless=True),
        encoded(photo, "bmp"),
        encoded(photo, "tiff", compression="tiff_lzw"),
        film("tiff"),
        encoded(photo, "ppm"),
    ]
    for _ in range(count):
        data = whole[random.integers(len(whole))]
        for _ in range(random.integers(1, 4)):
            # Half of the damage is done to headers.
            at = int(random.integers((200, len(data))[random.integers(2)]))
            length = int(2 ** random.uniform(0, 10))
            some = random.bytes(length)
            data = [
                patched(data, at, bytes([data[at] ^ 1 << random.integers(8)])),
                patched(data, at, some),
                patched(data, at, bytes(length)),
                data[:at] + data[at + length :],
                data[:at] + some + data[at:],
                data[:at] + data[at // 2 :],
                data[:-length],
            ][random.integers(7)] or whole[0]
            data = data if len(data) > 1 else whole[1]
        yield data


@pytest.mark.filterwarnings("ignore")
def test_whatever_the_bytes_there_is_a_verdict_and_what_is_kept_is_readable(
    monkeypatch,
):
    # A header that lies about its size would else cost memory and time.
    monkeypatch.setattr(images, "MAX_PIXELS", 200_000)
    monkeypatch.setattr("s2snets.cleaning.quality.MAX_PIXELS", 200_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    found = Counter()
    for data in mutations(3000, 0):
        published_profile, strict = verdicts = [judge(data, one) for one in PROFILES]
        found.update(verdict.outcome for verdict in verdicts)
        if "kept" in (published_profile.outcome, strict.outcome):
            assert images.decode(data, "it").mode == "RGB"
        else:
            with suppress(UserError):
                images.decode(data, "it")
        if published_profile.outcome != "too_large":
            assert (published_profile.outcome == "kept") == published(data)
    assert min(found[outcome] for outcome in ("kept", "broken", "not_image")) > 500
    assert found["too_large"]


def differing(first, second):
    return (first ^ second).bit_count()


def test_dhash_has_a_bit_for_each_rise_along_a_row():
    blocks = np.random.default_rng(4).integers(0, 256, (8, 9), np.uint8)
    wanted = 0
    for row in blocks.tolist():
        for left, right in pairwise(row):
            wanted = 2 * wanted + (right > left)
    assert dhash(blocks) == wanted
    ramp = np.tile(np.arange(90, dtype=np.uint8), (80, 1))
    assert dhash(ramp) == 2**64 - 1
    assert dhash(ramp[:, ::-1]) == 0 == dhash(np.zeros((1, 1), np.uint8))


def test_dhash_tells_copies_from_other_photographs():
    photos = [
        Image.open(path).resize((512, 384), Image.Resampling.BICUBIC)
        for path in sorted(PHOTOGRAPHS.glob("*.jpg"))[:12]
    ]
    originals = [judge(encoded(photo, quality=90), "strict").dhash for photo in photos]
    for photo, original in zip(photos, originals, strict=True):
        for copy in (
            encoded(photo, quality=40),
            encoded(photo, "png"),
            encoded(photo.resize((256, 192), Image.Resampling.BICUBIC)),
            encoded(photo.point(lambda level: 0.7 * level + 20)),
        ):
            assert differing(original, judge(copy, "strict").dhash) <= 10
    assert len(photos) == 12
    assert min(differing(*pair) for pair in combinations(originals, 2)) > 10
