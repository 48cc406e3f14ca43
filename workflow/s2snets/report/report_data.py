"""What the report's script redraws, as plain values for JSON."""

import base64
import io
import math

from matplotlib.colors import to_hex
from PIL import Image

from s2snets.figures.command import at_strength
from s2snets.figures.style import colours

SMALL = 128
"""Images with a shorter side are shown with hard pixels."""

LARGEST = 256
"""Side to which greater images shrink, pixels."""


def known(number):
    """A number, or None where a table has none: JSON knows no nan."""
    return None if number is None or math.isnan(number) else float(number)


def diagrams(distinct, style, threshold):
    """The lattices of a slider over the threshold.

    Args:
        distinct: what ``distinct-lattices.json`` holds.
        style: the settings of the figures, for their colours.
        threshold: where the slider starts.

    Returns:
        dict: threshold; colours by network; lattices, ascending, each with low, high,
        chain, share, objects, covers, and concepts (objects, attributes, x, y).
    """
    names = {name for lattice in distinct for name in lattice["objects"]}
    kept = ("objects", "attributes", "x", "y")
    return {
        "threshold": threshold,
        "colours": {
            name: to_hex(colour)
            for name, colour in colours(style, names).items()
            if name in names
        },
        "lattices": [
            {
                "low": lattice["low"],
                "high": lattice["high"],
                "chain": lattice["chain"],
                "share": known(lattice["share"]),
                "covers": lattice["covers"],
                "concepts": [
                    {key: concept[key] for key in kept}
                    for concept in lattice["concepts"]
                ],
            }
            for lattice in sorted(distinct, key=lambda one: one["high"])
        ],
    }


def crossings(rrc, accuracy):
    """Every network on every signal, with intervals: a row a cell of Table 2.

    Args:
        rrc: ``rrc.csv``.
        accuracy: ``accuracy.csv``.

    Returns:
        dict (autoencoder, classifier) -> dict: accuracy, low, high (its 95 %
        interval), rrc, rrc_low, rrc_high, difference (against the network's own
        autoencoder).
    """
    clean = accuracy[accuracy["strength"] == 0]
    bounds = clean.set_index(["label", "classifier"])[["top1_low", "top1_high"]]
    table = rrc.set_index(["autoencoder", "classifier"])
    table = table.join(bounds.rename_axis(table.index.names))
    table["difference"] = table["accuracy"] - table["own_classifier"]
    names = {"top1_low": "low", "top1_high": "high"}
    return table.rename(columns=names).to_dict("index")


def picture(pixels):
    """uint8 pixels (H, W, 3) as a PNG's data address, no side above ``LARGEST``."""
    image = Image.fromarray(pixels)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def gallery(arrays, budget):
    """The gallery's clean images with every reconstruction, as far as they fit.

    Args:
        arrays: what ``gallery.npz`` holds.
        budget: characters that the pictures may fill; one image always comes.

    Returns:
        dict: sources (``original``, then the labels); side (of the images, pixels);
        small (whether pixels should stay visible); images, each with a name and its
        pictures, one a source.
    """
    clean = at_strength(arrays, 0)
    originals = arrays["originals"][clean]
    images, left = [], budget
    for number, truth in enumerate(arrays["truth"]):
        seen = arrays["reconstructions"][clean][:, number]
        pictures = [picture(pixels) for pixels in (originals[number], *seen)]
        left -= sum(map(len, pictures))
        if images and left < 0:
            break
        images.append({"name": str(truth), "pictures": pictures})
    side = originals.shape[2]
    return {
        "sources": ["original", *map(str, arrays["labels"])],
        "side": side,
        "small": side < SMALL,
        "images": images,
    }
