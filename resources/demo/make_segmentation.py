"""Make the demo's labelled foregrounds: clothes laid on photographs, from what is here.

Fashion-MNIST shows its products on black, so that their outline is known. Products of
the validation slice are enlarged and laid at random places on random crops of the
demo's photographs, a class as often as any other; the crops are dimmed and softened, as
behind an object in focus. An image's mask is its product's outline with the holes
filled. Random numbers are those of a digest, the same with every release of anything;
the same Pillow release gives the same bytes again.

    python make_segmentation.py
"""

import argparse
import hashlib
import lzma
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import binary_fill_holes, label

HERE = Path(__file__).parent
CLASSES = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker",
    "bag", "ankle-boot",
)  # fmt: skip
EACH = 6  # images of a class
SIDE, PRODUCT = 72, 36  # pixels: of an image, of the square that a product fills
DIM = 0.25  # of the photograph's brightness: the demo's networks know products on black
BLUR = 1.0  # deviation, pixels
QUALITY = 90
NOISE = 16  # levels that specks around a product do not exceed


def read_idx(path):
    """The array in an IDX file of unsigned bytes, xz-compressed."""
    data = lzma.decompress(path.read_bytes())
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def drawn(limit, *key):
    """An integer from 0 up to and without a limit, from a key."""
    digest = hashlib.sha256(" ".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8]) % limit


def chosen(labels):
    """For each class the numbers of its products, in an order of chance."""
    for number, name in enumerate(CLASSES):
        found = np.flatnonzero(labels == number).tolist()
        yield name, sorted(found, key=lambda n: drawn(2**64, "product", n))[:EACH]


def product_and_mask(pixels):
    """A product enlarged, and its outline: L images of PRODUCT² pixels."""
    size = (PRODUCT, PRODUCT)
    parts, count = label(pixels > NOISE, np.ones((3, 3)))
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    whole = binary_fill_holes(parts == 1 + areas.argmax())
    grown = Image.fromarray((255 * whole).astype(np.uint8))
    grown = grown.resize(size, Image.Resampling.BICUBIC)
    mask = grown.point(lambda level: 255 * (level > 127))
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC), mask


def background(photographs, number):
    """A crop of a photograph, dimmed and softened."""
    photo = Image.open(photographs[drawn(len(photographs), "photo", number)])
    photo = photo.convert("RGB")
    short = min(photo.size)
    scale = max(SIDE, short // 2) / short
    size = [max(SIDE, round(scale * side)) for side in photo.size]
    photo = photo.resize(size, Image.Resampling.LANCZOS)
    left, top = (
        drawn(side - SIDE + 1, axis, number)
        for side, axis in zip(photo.size, "xy", strict=True)
    )
    photo = photo.crop((left, top, left + SIDE, top + SIDE))
    photo = photo.filter(ImageFilter.GaussianBlur(BLUR))
    return photo.point(lambda level: round(DIM * level))


def composed(pixels, photographs, number):
    """An image and its mask."""
    product, outline = product_and_mask(pixels)
    place = [drawn(SIDE - PRODUCT + 1, axis, "place", number) for axis in "xy"]
    image = background(photographs, number)
    image.paste(product.convert("RGB"), place, outline)
    mask = Image.new("1", (SIDE, SIDE))
    mask.paste(outline.convert("1"), place)
    return image, mask


def main():
    """Make the set from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "segmentation")
    out = parser.parse_args().out
    fashion = HERE / "fashion-mnist"
    pixels = read_idx(fashion / "validation-images-idx3-ubyte.xz")
    labels = read_idx(fashion / "validation-labels-idx1-ubyte.xz")
    photographs = sorted((HERE / "photographs/validation").glob("*.jpg"))
    for kind in ("images", "masks"):
        shutil.rmtree(out / kind, ignore_errors=True)
    for name, numbers in chosen(labels):
        for number in numbers:
            image, mask = composed(pixels[number], photographs, number)
            for kind, one, suffix, options in (
                ("images", image, ".jpg", {"quality": QUALITY, "optimize": True}),
                ("masks", mask, ".png", {"optimize": True}),
            ):
                path = out / kind / name / f"{number:04d}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                one.save(path, **options)


if __name__ == "__main__":
    main()
