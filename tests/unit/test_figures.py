"""Every figure, drawn from fabricated tables of a five-classifier study."""

import importlib
import io
import itertools
import json
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas
import pytest
from PIL import Image
from skimage.color import rgb2lab
from skimage.data import astronaut, coffee
from skimage.transform import resize

from s2snets.errors import Mistake
from s2snets.figures import style as look
from s2snets.figures.command import at_strength, example_source

CLASSIFIERS = "LAVIR"
PALETTE = {
    "L": "#c1272d",
    "A": "#0072b2",
    "V": "#009e73",
    "I": "#7b4ea3",
    "R": "#e68a00",
}
PRINTED = """autoencoder,L,A,V,I,R
A_L,0.3484,0.3077,0.0416,0.4352,0.4730
A_A,0.0211,0.5613,0.0097,0.5375,0.0925
A_V,0.2929,0.5362,0.7163,0.7400,0.7300
A_I,0.1829,0.3024,0.4555,0.7671,0.4540
A_R,0.0163,0.4972,0.0710,0.7249,0.7494
"""
FIGURES = {
    "figure2_reconstruction_error": ["curves"],
    "figure3_reconstructions": ["gallery", "lab"],
    "figure4_noise_examples": ["gallery"],
    "figure5_noise_accuracy": ["noise"],
    "figure6_rrc": ["rrc"],
    "figure7_lattices": ["lattices"],
    "figure8_information_pairs": ["gallery"],
    "figure9_information": ["information"],
    "figure_cross_evaluation": ["table2"],
}


def module(name):
    return importlib.import_module(f"s2snets.figures.{name}")


def settings(**changes):
    values = {"palette": PALETTE, "width": 7.0, "dpi": 60, "noise_example": "V"}
    return SimpleNamespace(**values | changes)


def relate(table2):
    """RRC, equation of section 3.4, as long rows."""
    own = {name: table2.set_index("autoencoder").at[f"A_{name}", name]
           for name in table2.columns[1:]}  # fmt: skip
    long = table2.melt("autoencoder", var_name="classifier", value_name="accuracy")
    long["own_autoencoder"] = long["autoencoder"].str[2:].map(own)
    long["own_classifier"] = long["classifier"].map(own)
    least = long[["own_autoencoder", "own_classifier"]].min(axis=1)
    return long.assign(rrc=long["accuracy"] / least).sort_values("rrc")


def lattice(rrc, threshold):
    """Concepts by brute force: close every set of objects."""
    table = rrc.pivot(index="classifier", columns="autoencoder", values="rrc")
    holds = table >= threshold
    objects, attributes = list(table.index), list(table.columns)
    pairs = set()
    for size in range(len(objects) + 1):
        for some in itertools.combinations(objects, size):
            intent = frozenset(m for m in attributes if holds.loc[list(some), m].all())
            extent = frozenset(g for g in objects if holds.loc[g, list(intent)].all())
            pairs.add((extent, intent))
    pairs = sorted(pairs, key=lambda pair: (len(pair[0]), sorted(pair[0])))
    covers = [
        [up, low]
        for up, (upper, _) in enumerate(pairs)
        for low, (lower, _) in enumerate(pairs)
        if lower < upper and not any(lower < other < upper for other, _ in pairs)
    ]
    height = {}
    for node, _ in enumerate(pairs):
        below = [height[low] for up, low in covers if up == node]
        height[node] = 1 + max(below, default=-1)
    levels = {}
    for node, level in height.items():
        levels.setdefault(level, []).append(node)
    concepts = []
    for node, (extent, intent) in enumerate(pairs):
        level = levels[height[node]]
        lower = [pairs[low] for up, low in covers if up == node]
        upper = [pairs[up] for up, low in covers if low == node]
        concepts.append(
            {
                "extent": sorted(extent),
                "intent": sorted(intent),
                "objects": sorted(extent - frozenset().union(*(c[0] for c in lower))),
                "attributes": sorted(
                    intent - frozenset().union(*(c[1] for c in upper))
                ),
                "x": level.index(node) - (len(level) - 1) / 2,
                "y": float(height[node]),
            }
        )
    return {
        "threshold": threshold,
        "objects": objects,
        "attributes": attributes,
        "concepts": concepts,
        "covers": covers,
        "chain": all(len(level) == 1 for level in levels.values()),
    }


def pictures(size, count=4):
    """Photographs: crops of two that come with scikit-image, in [0, 1]."""
    crops = [
        astronaut()[0:400, 60:460],
        coffee()[0:400, 100:500],
        astronaut()[200:500, 0:300],
        coffee()[60:300, 180:420],
    ]
    return np.stack([resize(crop, (size, size), anti_aliasing=True) for crop in crops])[
        :count
    ]


def reconstruct(images, which):
    """What the paper reports: tints, a compressed range, checkerboards."""
    y, x = np.indices(images.shape[1:3])
    board = (((x // 2 + y // 2) % 2) - 0.5)[..., None]
    tint = np.array([[0, 0, 0], [0.1, -0.02, 0.08], [0.0, 0.01, 0], [0.08, 0.04, -0.1]])
    flat = 0.5 + (images - 0.5) * [1, 0.8, 0.95, 0.6][which % 4]
    return np.clip(flat + tint[which % 4] + 0.05 * (which % 3) * board, 0, 1)


def fabricate(size=32, names=CLASSIFIERS, strengths=(0.0, 0.5, 1.0)):
    """The gallery and its LAB histograms."""
    rng = np.random.default_rng(0)
    clean = pictures(size)
    noisy = np.stack(
        [np.clip(clean + s * rng.uniform(-1, 1, clean.shape), 0, 1) for s in strengths]
    )
    sources = ["pretrained", *(f"decoder-{name}" for name in names)]
    labels = ["A_S", *(f"A_{name}" for name in names)]
    outputs = np.stack(
        [[reconstruct(n, i) for i in range(len(sources))] for n in noisy]
    )
    gallery = {
        "sources": np.array(sources),
        "labels": np.array(labels),
        "strengths": np.array(strengths),
        "index": np.arange(len(clean)) * 7,
        "truth": np.array(["astronaut", "espresso", "space_shuttle", "cup"]),
        "originals": (255 * noisy).round().astype(np.uint8),
        "reconstructions": (255 * outputs).round().astype(np.uint8),
    }
    table = []
    named = [("original", "original", clean)]
    named += list(zip(sources, labels, outputs[0], strict=True))
    for source, label, images in named:
        for image, channels in enumerate(rgb2lab(images)):
            for i, (channel, span) in enumerate(
                {"L": (0, 100), "a": (-110, 110), "b": (-110, 110)}.items()
            ):
                counts, edges = np.histogram(channels[..., i], 50, span)
                table += [
                    (image, source, label, channel, low, high, count / size**2)
                    for low, high, count in zip(
                        edges, edges[1:], counts, strict=False
                    )
                ]
    columns = "image source label channel low high fraction".split()
    return gallery, pandas.DataFrame(table, columns=columns)


def tables_of(size=32, names=CLASSIFIERS):
    table2 = pandas.read_csv(io.StringIO(PRINTED))
    seen = np.linspace(0, 9.2e7, 93)
    curves = pandas.concat(
        [
            pandas.DataFrame(
                {
                    "corpus": corpus,
                    "images": seen[1:],
                    "training": 0.02 * (1 + seen[1:] / 1e6) ** -slope,
                    "validation_photos": 0.024 * (1 + seen[1:] / 1e6) ** -slope,
                    "validation_labelled": 0.022 * (1 + seen[1:] / 1e6) ** -slope,
                    "rate": 0.01,
                }
            )
            for corpus, slope in (("photos", 0.8), ("labelled", 0.5))
        ]
    )
    strengths = np.round(np.linspace(0, 1, 11), 1)
    clean = dict(zip("LAVIR", (0.323, 0.5496, 0.7135, 0.7712, 0.7402), strict=True))
    decay = {"original": 3.0, "A_S": 4.0, "A_i": 2.0}
    noise = pandas.DataFrame(
        [
            (given, name, s, 50000, 1, clean[name] * np.exp(-decay[given] * s**1.3))
            for given in decay
            for name in CLASSIFIERS
            for s in strengths
        ],
        columns="input classifier strength images seeds top1".split(),
    )
    information = []
    sources = ["original", "pretrained", *(f"decoder-{name}" for name in CLASSIFIERS)]
    intra = dict(zip(sources, (1, 0.38, 0.22, 0.17, 0.3, 0.12, 0.2), strict=True))
    for bins, factor in ((256, 1.0), (32, 1.4)):
        for measure, part in (("intra", 1), ("inter", 0.3), ("null", 0.2)):
            for source in sources:
                label = source.replace("decoder-", "A_").replace("pretrained", "A_S")
                mean = factor * intra[source] * part
                if measure != "intra":
                    mean = factor * (0.05 + 0.1 * part * intra[source])
                rank = sorted(intra.values(), reverse=True).index(intra[source]) + 1
                information.append(
                    (source, label, measure, bins, 50000, mean, mean / 5, rank)
                )
    rrc = relate(table2)
    gallery, lab = fabricate(size, names)
    return {
        "curves": curves,
        "gallery": gallery,
        "lab": lab,
        "noise": noise,
        "rrc": rrc,
        "lattices": [lattice(rrc, t) for t in (0.1, 0.2, 0.8, 0.9)],
        "information": pandas.DataFrame(
            information,
            columns="source label measure bins images mean sd rank".split(),
        ),
        "table2": table2,
    }


@pytest.fixture(scope="module")
def tables():
    return tables_of()


def write(tables, folder):
    """Tables as the workflow leaves them; their paths by name."""
    paths = {}
    for name, table in tables.items():
        if name == "gallery":
            paths[name] = folder / "gallery.npz"
            np.savez(paths[name], **table)
        elif name == "lattices":
            paths[name] = folder / "lattices.json"
            paths[name].write_text(json.dumps(table))
        else:
            paths[name] = folder / f"{name}.csv"
            table.to_csv(paths[name], index=False)
    return paths
