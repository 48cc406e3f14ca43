"""Preferred images above the training images that the network ranks highest."""

from s2snets.figures import strips as page
from s2snets.figures import style as look
from s2snets.stages.base import run

ACROSS = 10
TRAINING = "training"  # the kind of the training images


def strips(gallery, style):
    """For each network, bands of classes: a row a mode, then the training images.

    What a training image is labelled is told where that is another class.
    """
    keys = page.listing(gallery)
    ranked = keys[keys["kind"] == TRAINING]
    keys = keys[keys["kind"] == "class"]
    for name in look.ordered(style, keys["classifier"]):
        own, seen = (one[one["classifier"] == name] for one in (keys, ranked))
        classes = list(dict.fromkeys(own["target"]))
        rank = seen.groupby("target").cumcount()
        heading = look.variable(name)
        for band in page.bands(len(classes), ACROSS):
            shown = classes[band.start : band.stop]
            yield from page.by_mode(own, shown, heading, shown)
            heading = ""
            for place in range(rank.max() + 1 if len(seen) else 0):
                pictures = page.found(seen[rank == place], shown)
                labels = [None if p is None else seen["label"][p] for p in pictures]
                yield page.Strip(
                    pictures,
                    f"training\nimage {place + 1}",
                    below=tuple(
                        label if label and label != target else ""
                        for label, target in zip(labels, shown, strict=True)
                    ),
                )


rows, draw, main = page.figure(
    strips, "Preferred and training images (Despraz et al. 2017, Figures 6 and 7)."
)


if __name__ == "__main__":
    run(main)
