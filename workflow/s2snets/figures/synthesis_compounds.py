"""Images that two or more classes prefer together, beside those of each."""

from s2snets.figures import strips as page
from s2snets.figures import style as look
from s2snets.stages.base import run

ACROSS = 11  # pictures: three pairs with what comes of them, and gaps
WITH = " + "  # between the classes in a compound's name


def sums(compounds):
    """Targets and signs of some compounds in a row: classes, compound, a gap."""
    targets, signs = [], []
    for compound in compounds:
        parts = compound.split(WITH)
        targets += [None, *parts, compound]
        signs += ["", "", *"+" * (len(parts) - 1), "="]
    return targets[1:], signs[2:]


def strips(gallery, style):
    """For each network, compounds side by side; a row a mode."""
    keys = page.listing(gallery)
    for name in look.ordered(style, keys["classifier"]):
        network = keys[keys["classifier"] == name]
        compounds = network.loc[network["kind"] == "compound", "target"]
        compounds = list(dict.fromkeys(compounds))
        own = network[network["kind"].isin(["class", "compound"])]
        widest = max((len(sums([one])[0]) + 1 for one in compounds), default=1)
        heading = look.variable(name)
        for band in page.bands(len(compounds), max(1, (ACROSS + 1) // widest)):
            targets, signs = sums(compounds[band.start : band.stop])
            captions = ["" if not one or WITH in one else one for one in targets]
            yield from page.by_mode(own, targets, heading, captions, signs)
            heading = ""


rows, draw, main = page.figure(
    strips, "Preferred images of compounds (Despraz et al. 2017, Figure 9)."
)


if __name__ == "__main__":
    run(main)
