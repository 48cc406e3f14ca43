"""Local response normalisation, reversed by backpropagation and by the identity."""

from s2snets.figures import salient
from s2snets.figures import style as look
from s2snets.figures.command import command
from s2snets.figures.salient_selectivity import read
from s2snets.stages.base import run

RULES = {"identity": "identity", "backprop": r"LRN$^\mathrm{BP}$"}
PAIR, MEASURE = "lrn", "cosine"


def similarity(selectivity, name, architecture, layer):
    """Mean similarity of the two, with its interval, as text."""
    found = selectivity[
        (selectivity["pair"] == PAIR)
        & (selectivity["classifier"] == name)
        & (selectivity["architecture"] == architecture)
        & (selectivity["layer"] == layer)
    ].iloc[0]
    low, high = found[f"{MEASURE}_low"], found[f"{MEASURE}_high"]
    return f"{MEASURE} {found[MEASURE]:.2f} [{low:.2f}, {high:.2f}]"


def blocks(responses, selectivity, style):
    """A block a network with LRN, a row an image; columns by layer, architecture."""
    for name, own in salient.networks(responses, style):
        kinds = own[own["panel"] == "lrn"].drop_duplicates(["architecture", "layer"])
        if kinds.empty:
            continue
        groups, heads = [("", 1)], ["image"]
        for layer, architecture in zip(
            kinds["layer"], kinds["architecture"], strict=True
        ):
            base, _, rule = architecture.partition("-")
            heads.append(RULES[rule])
            if rule == next(iter(RULES)):
                measured = similarity(selectivity, name, base, layer)
                title = salient.ARCHITECTURES[base]
                groups.append((f"{title}, {layer}\n{measured}", len(RULES)))
        rows = []
        for image in salient.images(own):
            pictures = [
                salient.pick(own, image, panel="lrn", architecture=one, layer=layer)
                for one, layer in zip(
                    kinds["architecture"], kinds["layer"], strict=True
                )
            ]
            original = salient.pick(own, image, panel="original")
            rows.append((image.name, [original, *pictures]))
        yield salient.Block(look.variable(name), tuple(groups), tuple(heads), rows)


def rows(responses, selectivity, style):
    """block, row, column and the keys of every picture."""
    return salient.table(blocks(responses, selectivity, style))


def draw(responses, selectivity, style):
    """Both reversals of LRN (Mahendran & Vedaldi 2016, section 3.1)."""
    shown = list(blocks(responses, selectivity, style))
    if not shown:
        names = " or ".join(dict.fromkeys(responses["classifier"]))
        return salient.message(style, f"No local response normalisation in {names}.")
    return salient.sheet(shown, style)


def main(argv=None):
    command(
        draw, rows, argv, several=("responses",), responses=salient.read,
        selectivity=read,
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
