"""Every figure, drawn from fabricated tables of a five-classifier study."""

import io
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas
import pytest
import yaml
from matplotlib.colors import to_rgba
from matplotlib.text import Text
from skimage.data import astronaut, coffee
from skimage.transform import resize

from s2snets.config import Figures, Study, load
from s2snets.figures import style as look
from s2snets.figures.base import all_figures, study_drawings
from s2snets.figures.gallery import example_autoencoder, strength_position
from s2snets.figures.information import MutualInformation
from s2snets.figures.reconstructions import zoom_window
from s2snets.measure.color import lab_histogram
from s2snets.measure.lattice import build_lattice, chains, survey
from s2snets.measure.rrc import rrc_matrix, rrc_table
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays, read_csv
from s2snets.study.axes import Axes

CLASSIFIERS = "LAVIR"
PALETTE = {
    "L": "#c1272d",
    "A": "#0072b2",
    "V": "#009e73",
    "I": "#7b4ea3",
    "R": "#e68a00",
}
LONG = (
    "lenet5",
    "alexnet",
    "vgg16_bn",
    "inception_v3",
    "resnet50",
    "squeezenet1_1",
    "densenet121",
)
PRINTED = """autoencoder,L,A,V,I,R
A_L,0.3484,0.3077,0.0416,0.4352,0.4730
A_A,0.0211,0.5613,0.0097,0.5375,0.0925
A_V,0.2929,0.5362,0.7163,0.7400,0.7300
A_I,0.1829,0.3024,0.4555,0.7671,0.4540
A_R,0.0163,0.4972,0.0710,0.7249,0.7494
"""
FIGURES = {
    "figure-2": ["curves"],
    "figure-3": ["gallery", "lab"],
    "figure-4": ["gallery"],
    "figure-5": ["noise"],
    "figure-6": ["rrc"],
    "figure-7": ["lattices"],
    "lattice-barcode": ["distinct", "chains"],
    "error-consistency": ["pairs", "correlations"],
    "depth-profile": ["depth", "losses", "depth_gallery"],
    "depth-noticed": ["depth"],
    "depth-parts": ["depth"],
    "depth-pairs": ["depth", "depth_pairs"],
    "figure-8": ["gallery"],
    "figure-9": ["information"],
    "cross-evaluation": ["table2"],
    "denoisers": ["denoise"],
    "lighter-autoencoders": ["lighter"],
    "cleaned-photographs": ["outcomes", "shards"],
}


def settings(**changes):
    return Figures(**{"palette": PALETTE, "dpi": 60, "noise_example": "V"} | changes)


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


def depth_of(names, side=32):
    """What ``depth.csv`` and the tables beside it hold, of two of the networks."""
    layers = {
        name: ["conv1", f"block{n}.long_name", "logits"]
        for n, name in enumerate(names[1:3])
    }
    rows = []
    for name, own in layers.items():
        for weights in ("trained", "random"):
            ends = ["A_S", "input", *own] + ["A_C"] * (weights == "trained")
            for place, source in enumerate(ends):
                level = place - 1 if source not in ("A_S", "A_C") else np.nan
                keys = (weights, name, source, level)
                rows += [(*keys, "nmi", "", 0.5 - 0.05 * place)]
                rows += [(*keys, "null", "", 0.05)]
                rows += [(*keys, "band", at, 0.1 * place) for at in ("0.25", "1")]
                rows += [(*keys, "lab", at, 2.0 * place) for at in "Lab"]
                rows += [(*keys, "response", at, 0.1 * place) for at in ("input", *own)]
            for part in ("band 0.25", "band 1", "colour red", "place top left"):
                rows += [
                    (weights, name, part, np.nan, "noticed", at, 0.3)
                    for at in ("input", *own)
                ]
    columns = ["weights", "classifier", "source", "depth", "measure", "at", "mean"]
    table = pandas.DataFrame(rows, columns=columns).assign(images=9, sd=0.01)
    table["low"], table["high"] = table["mean"] - 0.02, table["mean"] + 0.02
    losses = pandas.DataFrame(
        (weights, name, layer, before, 0.05, 0.04, 0.06, layer == "logits", 0.9,
         "likely" if layer == "logits" else np.nan, layer != "conv1", "colour red", 0.4,
         0.99)
        for name, own in layers.items()
        for weights in ("trained", "random")
        for before, layer in itertools.pairwise(["input", *own])
    )  # fmt: skip
    losses.columns = ["weights", "classifier", "layer", "before", "lost", "low", "high",
                      "greatest", "share", "verdict", "reached", "part", "kept",
                      "part_share"]  # fmt: skip
    pairs = pandas.DataFrame(
        [(weights, name, *pair, "yes") for name, own in layers.items()
         for weights in ("trained", "random")
         for pair in itertools.combinations(own, 2)],
        columns=["weights", "classifier", "shallow", "deep", "serves"],
    )  # fmt: skip
    gallery = {}
    for name, own in layers.items():
        sources = ["original", "input", *own, "A_S", "A_C"]
        gallery[f"{name}.sources"] = np.array(sources)
        gallery[f"{name}.pictures"] = np.random.default_rng(0).integers(
            0, 256, (len(sources), 2, side, side, 3), dtype=np.uint8
        )
    return {
        "depth": table,
        "losses": losses,
        "depth_pairs": pairs,
        "depth_gallery": gallery,
    }


def pairs_of(names):
    """What ``consistency.csv`` holds."""
    random = np.random.default_rng(0)
    pairs = pandas.DataFrame(
        itertools.combinations(names, 2), columns=["network", "other"]
    )
    pairs["rrc"] = random.random(len(pairs))
    for name in ("kappa", "agreement", "cka"):
        pairs[name] = random.random(len(pairs))
        pairs[f"{name}_low"] = pairs[name] - 0.1
        pairs[f"{name}_high"] = pairs[name] + 0.1
    return pairs


CORRELATIONS = pandas.DataFrame(
    {
        "similarity": ["kappa", "agreement", "cka"],
        "rho": [0.81, np.nan, -0.2],
        "p": [1 / 60, 1.0, 0.7],
    }
)


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
    shown = {"original": ("original", gallery["originals"][0])}
    shown |= {
        source: (label, images)
        for source, label, images in zip(
            sources, labels, gallery["reconstructions"][0], strict=True
        )
    }
    lab = pandas.concat(
        lab_histogram(images, 51).assign(source=source, label=label)
        for source, (label, images) in shown.items()
    )
    return gallery, lab


def cross(names):
    """The printed table for the paper's five; a made-up one for other names."""
    if names == CLASSIFIERS:
        return pandas.read_csv(io.StringIO(PRINTED))
    rng = np.random.default_rng(1)
    accuracy = rng.uniform(0.1, 0.7, (len(names), len(names)))
    np.fill_diagonal(accuracy, 0.72)
    table = pandas.DataFrame(accuracy, columns=list(names))
    table.insert(0, "autoencoder", [f"A_{name}" for name in names])
    return table


def tables_of(size=32, names=CLASSIFIERS):
    seen = np.linspace(0, 9.2e7, 93)[1:]
    curves = pandas.concat(
        pandas.DataFrame(
            {
                "corpus": corpus,
                "seed": 0,
                "images": seen,
                "training": 0.02 * (1 + seen / 1e6) ** -slope,
                "validation_photos": 0.024 * (1 + seen / 1e6) ** -slope,
                "validation_labelled": 0.022 * (1 + seen / 1e6) ** -slope,
                "rate": 0.01,
            }
        )
        for corpus, slope in (("photos", 0.8), ("labelled", 0.5))
    )
    noise = pandas.DataFrame(
        {
            "input": given,
            "classifier": name,
            "noise": kind,
            "strength": strength,
            "images": 50000,
            "seeds": 1,
            "top1": (0.8 - 0.07 * place) * np.exp(-decay * strength**1.3),
        }
        for given, decay in (("original", 3.0), ("A_S", 4.0), ("A_i", 2.0))
        for place, name in enumerate(names)
        for kind in ("clipped", "unclipped")
        for strength in np.round(np.linspace(0, 1, 11), 1)
    )
    noise["top1_low"], noise["top1_high"] = noise["top1"] - 0.02, noise["top1"] + 0.02
    labels = {"original": "original", "pretrained": "A_S"}
    labels |= {f"decoder-{name}": f"A_{name}" for name in names}
    information = pandas.DataFrame(
        {
            "source": source,
            "label": label,
            "measure": measure,
            "bins": bins,
            "images": 50000,
            "mean": mean,
            "sd": mean / 5,
            "rank": place + 1,
        }
        for bins, factor in ((256, 1.0), (32, 1.4))
        for place, (source, label) in enumerate(labels.items())
        for measure, mean in (
            ("intra", 0.4 * factor * 0.8**place if place else 1.0),
            ("inter", 0.1 * factor),
            ("null", 0.06 * factor),
        )
    )
    denoise = pandas.concat(
        noise.loc[(noise["input"] == "original") & (noise["noise"] == "clipped")]
        .drop(columns=["input", "noise"])
        .assign(source=source, images=1000, top1=lambda t, f=factor: f * t["top1"])
        for source, factor in {
            **{"original": 1, "A_S": 0.95, "A_i": 1.02, "median": 0.9},
            **{"bilateral": 0.8, "nlm": 0.85, "autoencoder": 1.1},
        }.items()
    )
    sizes = [("original", np.nan, np.nan)]
    sizes += [(f"{w}x{s}", w, s) for s in (1, 2) for w in (8, 16, 64)]
    lighter = pandas.DataFrame(
        {
            "source": source,
            "width": width,
            "stages": stages,
            "multiply_adds": 9e4 * width**2 * stages,
            "mse": 0.02 * stages / width,
            "classifier": name,
            "top1": 0.8 - 0.05 * place - (0 if source == "original" else 0.4 / width),
        }
        for source, width, stages in sizes
        for place, name in enumerate(names)
    )
    outcomes = pandas.DataFrame(
        [
            ("malformed", "unwanted", 0),
            ("video", "unwanted", 793_436),
            ("missing", "missing", 4_704_140),
            ("fetch_error", "missing", 7),
            ("not_image", "filtered", 123),
            ("flat", "filtered", 2_412_822),
            ("kept", "kept", 92_089_479),
        ],
        columns=["outcome", "group", "photos"],
    )
    shards = pandas.DataFrame({"shard": range(300), "low": 0.02, "high": 0.032})
    shards["rate"] = 0.025 + 0.003 * np.sin(shards["shard"])
    shards.loc[[7, 8], ["rate", "low", "high"]] = [[np.nan] * 3, [0.06, 0.02, 0.03]]
    shards["outside"] = shards["shard"] == 8
    table2 = cross(names)
    accuracy = table2.drop(columns="autoencoder").to_numpy()
    scatter = np.random.default_rng(2).normal(0, 0.01, (50, *accuracy.shape))
    samples = np.clip(accuracy + scatter, 0.001, 1)
    rrc = rrc_table(table2, samples)
    gallery, lab = fabricate(size, names)
    return {
        "curves": curves,
        "gallery": gallery,
        "lab": lab,
        "noise": noise,
        "denoise": denoise,
        "lighter": lighter,
        "outcomes": outcomes,
        "shards": shards,
        "rrc": rrc,
        "lattices": [build_lattice(rrc, t) for t in (0.1, 0.2, 0.8, 0.9)],
        "distinct": survey(rrc, rrc_matrix(samples)),
        "chains": chains(rrc, (0.1, 0.2, 0.8, 0.9)),
        "pairs": pairs_of(names),
        "correlations": CORRELATIONS,
        **depth_of(names),
        "information": information,
        "table2": table2,
    }


@pytest.fixture(scope="module")
def tables():
    return tables_of()


@pytest.fixture(scope="module", params=["five letters", "seven long names"])
def studies(request, tables):
    """Tables and settings of the paper's study, and of one with awkward names."""
    if request.param == "five letters":
        return tables, settings()
    return tables_of(64, LONG), settings(noise_example="vgg16_bn")


@pytest.fixture(autouse=True)
def theme():
    with matplotlib.rc_context(look.THEME):
        yield


def draw(name, tables, style):
    return all_figures()[name].draw(*(tables[table] for table in FIGURES[name]), style)


def rows(name, tables, style):
    return all_figures()[name].rows(*(tables[table] for table in FIGURES[name]), style)


def write(tables, folder):
    """Tables as the workflow leaves them; their paths by name."""
    paths = {}
    for name, table in tables.items():
        if name.endswith("gallery"):
            paths[name] = folder / f"{name}.npz"
            np.savez(paths[name], **table)
        elif name in ("lattices", "distinct"):
            paths[name] = folder / f"{name}.json"
            paths[name].write_text(json.dumps(table))
        else:
            paths[name] = folder / f"{name}.csv"
            table.to_csv(paths[name], index=False)
    return paths


@pytest.fixture(scope="module")
def boxes():
    """Function: size of a drawn figure, and every text on it with its place."""
    known = {}

    def places(name, tables, style):
        key = name, style.noise_example
        if key in known:
            return known[key]
        figure, drawn, plain = draw(name, tables, style), [], Text.draw

        def noted(text, renderer):
            drawn.append(text)
            plain(text, renderer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Text, "draw", noted)
            figure.draw_without_rendering()
        known[key] = (
            figure.bbox.size,
            [
                (text.get_text(), text.get_window_extent())
                for text in drawn
                if text.get_text().strip()
            ],
        )
        return known[key]

    return places


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_figure(name, studies, boxes):
    (width, height), texts = boxes(name, *studies)
    outside = [
        (text, box.bounds)
        for text, box in texts
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    assert not outside


@pytest.mark.parametrize("name", FIGURES)
def test_no_two_texts_overlap(name, studies, boxes):
    texts = boxes(name, *studies)[1]
    met = [
        (first, second)
        for (first, a), (second, b) in itertools.combinations(texts, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1
        and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]
    assert not met


@pytest.mark.parametrize("name", FIGURES)
def test_command_line_writes_the_same_bytes_twice(name, tables, tmp_path):
    needed = {table: tables[table] for table in FIGURES[name]}
    arguments = [
        word
        for table, path in write(needed, tmp_path).items()
        for word in (f"--{table.replace('_', '-')}", str(path))
    ]
    made = []
    for attempt in ("first", "second"):
        folder = tmp_path / attempt
        folder.mkdir()
        for form in ("pdf", "png", "csv"):
            arguments += [f"--{form}", str(folder / f"drawn.{form}")]
        all_figures()[name].main(
            [*arguments, "--settings", settings().model_dump_json()]
        )
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert set(made[0]) == {"drawn.pdf", "drawn.png", "drawn.csv"}
    assert made[0] == made[1]


@pytest.mark.parametrize("name", FIGURES)
def test_csv_holds_what_is_drawn(name, tables):
    drawn = rows(name, tables, settings())
    assert not drawn.empty
    assert not drawn.columns.has_duplicates


def test_figures_start_without_torch_and_seaborn():
    heavy = {"torch", "seaborn", "numpy", "pandas", "matplotlib", "PIL"}
    code = "from s2snets.figures.base import all_figures; all_figures()\n"
    code += f"import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_bars_stand_in_the_printed_order_of_figure_6(tables):
    printed = (
        "AV RL AL RV LV AR IL IA IR IV VL LA RA VA AI RI LL AA VV II RR VR VI LI LR"
    )
    drawn = rows("figure-6", tables, settings())
    pairs = drawn["autoencoder"].str[2:] + drawn["classifier"]
    assert list(pairs) == printed.split()
    axes = draw("figure-6", tables, settings()).axes[0]
    left, right = axes.containers
    assert [bar.get_height() for bar in left] == pytest.approx(list(drawn["rrc"]))
    for pair, one, other in zip(pairs, left, right, strict=True):
        assert one.get_facecolor() == to_rgba(PALETTE[pair[0]]), pair
        assert other.get_facecolor() == to_rgba(PALETTE[pair[1]]), pair


def test_pairs_that_are_not_above_chance_carry_a_dagger(tables):
    rrc = tables["rrc"].assign(above_chance=tables["rrc"]["rrc"] > 0.1)
    for given, marks in ((rrc, (rrc["rrc"] <= 0.1).sum()), (tables["rrc"], 0)):
        (axes,) = draw("figure-6", {"rrc": given}, settings()).axes
        texts = [text.get_text() for text in axes.texts]
        assert sum(text.endswith("†") for text in texts) == marks
    assert list(rows("figure-6", {"rrc": rrc}, settings())["above_chance"]) == list(
        rrc["above_chance"]
    )


def test_many_pairs_go_into_several_panels():
    table2 = cross(LONG)
    drawn = rows("figure-6", {"rrc": rrc_table(table2)}, settings())
    assert drawn["panel"].nunique() == 2
    assert drawn["panel"].is_monotonic_increasing
    assert drawn["rrc"].is_monotonic_increasing


def test_originals_are_dashed_in_both_noise_panels(tables):
    for axes in draw("figure-5", tables, settings()).axes:
        styles = [line.get_linestyle() for line in axes.get_lines()]
        assert styles == ["--"] * 5 + ["-"] * 5
        assert len({line.get_marker() for line in axes.get_lines()}) == 5


def test_denoisers_have_a_panel_a_network_and_a_line_an_input(tables):
    figure = draw("denoisers", tables, settings())
    assert [axes.get_title() for axes in figure.axes] == [
        f"({place}) ${name}$" for place, name in zip("abcde", "LAVIR", strict=True)
    ]
    for axes in figure.axes:
        assert len(axes.get_lines()) == 7
        assert axes.get_ylim() == figure.axes[0].get_ylim()
        assert (
            max(line.get_ydata().max() for line in axes.get_lines())
            < axes.get_ylim()[1]
        )


def test_shards_outside_the_band_are_marked_and_the_rest_are_points(tables):
    left, right = draw("cleaned-photographs", tables, settings()).axes
    points, odd = right.get_lines()
    assert odd.get_xydata().tolist() == [[8, 0.06]]
    assert np.isfinite(points.get_ydata()).sum() == 298
    texts = {text.get_text() for text in left.texts}
    assert {"0", "7", "92,089,479"} <= texts
    fine = tables | {"shards": tables["shards"].assign(outside=False)}
    assert len(draw("cleaned-photographs", fine, settings()).axes[1].get_lines()) == 1


def test_zoom_shows_the_very_pixels_of_the_centre(tables):
    figure = draw("figure-3", tables, settings())
    (start, side), gallery = zoom_window(32), tables["gallery"]
    assert (start, side) == (8, 16)
    picture, zoomed = (axes.images[0] for axes in figure.axes[:2])
    original = gallery["originals"][0, 0]
    assert (picture.get_array() == original).all()
    assert (zoomed.get_array() == original[8:24, 8:24]).all()
    assert zoomed.get_interpolation() == "nearest"


@pytest.mark.parametrize("name", ["US$ 5^$", "$x^$", r"\$y^\$", "one $", "caf\udce9"])
def test_names_from_outside_are_drawn_as_they_are_written(name, tables):
    gallery = tables["gallery"] | {"truth": np.array([name] * 4)}
    figure = draw("figure-3", tables | {"gallery": gallery}, settings())
    figure.savefig(io.BytesIO(), format="pdf")
    shown = {
        text._preprocess_math(text.get_text())
        for text in figure.findobj(Text)
        if text.get_rotation() == 90 and text.get_text()
    }
    assert {text.replace("\n", " ") for text, _ in shown} == {
        name.replace("\udce9", "?")
    }
    assert {is_mathtext for _, is_mathtext in shown} == {False}


@pytest.mark.parametrize("side", [8, 16, 28, 32, 33, 64, 224, 256])
def test_zoom_window_lies_in_the_middle(side):
    start, zoom = zoom_window(side)
    assert start >= 0
    assert start + zoom <= side
    assert abs(start - (side - start - zoom)) <= 1


def test_noise_rows_come_in_order_of_strength(tables):
    gallery = dict(tables["gallery"])
    order = [2, 0, 1]
    for name in ("strengths", "originals", "reconstructions"):
        gallery[name] = gallery[name][order]
    shuffled = draw("figure-4", {"gallery": gallery}, settings())
    sorted_ = draw("figure-4", tables, settings())
    for one, other in zip(shuffled.axes, sorted_.axes, strict=True):
        assert (one.images[0].get_array() == other.images[0].get_array()).all()
    drawn = rows("figure-4", tables, settings())
    assert list(drawn["label"].unique()) == ["input", "A_S", "A_V"]


def test_lattice_nodes_carry_reduced_labels(tables):
    drawn = rows("figure-7", tables, settings())
    sizes = drawn.groupby("threshold").size()
    assert dict(sizes) == {0.1: 2, 0.2: 4, 0.8: 5, 0.9: 6}  # the paper's Figure 7
    chain = drawn[drawn["threshold"] == 0.8].sort_values("y", ascending=False)
    assert list(chain["objects"]) == ["V", "L", "R", "A", "I"]
    assert list(chain["attributes"]) == ["A_V", "A_L", "A_R", "A_A", "A_I"]


def test_a_bar_spans_the_thresholds_at_which_its_concept_exists(tables):
    drawn = rows("lattice-barcode", tables, settings())
    counts = {one["high"]: one["concepts_count"] for one in tables["distinct"]}
    assert drawn.groupby("high").size().to_dict() == counts
    for _, bar in drawn.groupby("concept"):
        assert list(bar["low"][1:]) == list(bar["high"][:-1])  # no gap
    axes = draw("lattice-barcode", tables, settings()).axes
    assert len(axes) == 3
    dashed = {line.get_xdata()[0] for line in axes[2].get_lines()[2:]}
    assert dashed == {0.1, 0.2, 0.8, 0.9}


def test_lattices_too_large_to_list_still_have_their_steps(tables):
    distinct = [dict(one, concepts=[], share=None) for one in tables["distinct"]]
    for large in (distinct, distinct[:5] + tables["distinct"][5:]):
        given = tables | {"distinct": large}
        drawn = rows("lattice-barcode", given, settings())
        assert set(drawn["high"]) == {one["high"] for one in distinct}
        figure = draw("lattice-barcode", given, settings())
        figure.draw_without_rendering()


def test_pairs_of_networks_are_marked_in_both_colours(tables):
    figure = draw("error-consistency", tables, settings())
    for axes in figure.axes:
        assert len(axes.get_lines()) == 10
        assert {line.get_markerfacecolor() for line in axes.get_lines()} != {
            line.get_markerfacecoloralt() for line in axes.get_lines()
        }
        assert not axes.texts
    assert [axes.get_title() for axes in figure.axes] == [
        "(a) $\\rho$ = 0.81, $p$ = 0.017", "(b) no order",
        "(c) $\\rho$ = -0.20, $p$ = 0.7",
    ]  # fmt: skip


def test_a_similarity_that_is_not_defined_has_no_panel(tables):
    pairs = tables["pairs"].assign(kappa=np.nan, kappa_low=np.nan, kappa_high=np.nan)
    figure = draw("error-consistency", tables | {"pairs": pairs}, settings())
    shown = [axes.get_ylabel() for axes in figure.axes]
    assert shown == ["same first class", "features alike (CKA)"]


@pytest.mark.parametrize(
    ("verdict", "title", "spans"),
    [
        ("certain", "loses most from block0.long_name to logits", 1),
        ("likely", "in 90 % of draws", 1),
        ("open", "where it loses most is not established", 0),
    ],
)
def test_a_loss_is_drawn_as_sure_as_it_is(tables, verdict, title, spans):
    losses = tables["losses"].replace({"verdict": "likely"}, verdict)
    figure = draw("depth-profile", tables | {"losses": losses}, settings())
    told = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert title in told
    shaded = [one for axes in figure.axes for one in axes.patches]
    assert len(shaded) == 2 * spans  # two networks


def test_intervals_are_drawn_where_they_are_known(tables):
    axes = draw("figure-6", tables, settings()).axes[0]
    (lines,) = axes.collections
    ends = [segment[:, 1].tolist() for segment in lines.get_segments()]
    assert ends == tables["rrc"][["rrc_low", "rrc_high"]].to_numpy().tolist()
    without = {"rrc": tables["rrc"].drop(columns=["rrc_low", "rrc_high"])}
    assert not draw("figure-6", without, settings()).axes[0].collections
    for axes in draw("figure-5", tables, settings()).axes:
        assert len(axes.collections) == 10


def test_objects_stand_above_nodes_and_attributes_below(tables):
    figure = draw("figure-7", tables, settings())
    figure.draw_without_rendering()
    axes = figure.axes[2]
    places = {
        text.get_text(): text.get_window_extent()
        for text in axes.findobj(Text)
        if text.get_text() in ("$V$", "$A_{V}$")
    }
    highest = max(line.get_ydata()[0] for line in axes.get_lines())
    node = axes.transData.transform((0, highest))[1]
    assert places["$A_{V}$"].y1 < node < places["$V$"].y0


def test_information_keeps_null_and_drops_the_originals_own(tables, tmp_path):
    path = write({"information": tables["information"]}, tmp_path)["information"]
    drawn = MutualInformation.rows(read_csv(path), settings())
    assert set(drawn["measure"]) == {"intra", "inter", "null"}
    assert set(drawn.loc[drawn["source"] == "original", "measure"]) == {"inter", "null"}
    labels = drawn.drop_duplicates("place")["label"]
    assert list(labels) == ["original", "A_S", "A_L", "A_A", "A_V", "A_I", "A_R"]


def test_curves_leave_out_what_was_not_measured(tables):
    curves = tables["curves"].copy()
    curves.loc[curves["corpus"] == "photos", "validation_photos"] = np.nan
    drawn = rows("figure-2", {"curves": curves}, settings())
    assert drawn.groupby("corpus")["curve"].nunique().to_dict() == {
        "labelled": 3,
        "photos": 2,
    }


def test_curves_of_several_seeds_are_their_mean_and_range(tables):
    curves = tables["curves"]
    other = curves.assign(seed=1, training=3 * curves["training"])
    drawn = rows("figure-2", {"curves": pandas.concat([curves, other])}, settings())
    chosen = (drawn["corpus"] == "photos") & (drawn["curve"] == "training")
    once = curves.loc[curves["corpus"] == "photos", "training"].to_numpy()
    for column, factor in (("mse", 2), ("low", 1), ("high", 3)):
        np.testing.assert_allclose(drawn.loc[chosen, column], factor * once)


def test_pairs_show_originals_and_two_autoencoders(tables):
    drawn = rows("figure-8", tables, settings())
    assert list(drawn["label"]) == ["original", "A_S", "A_V"] * 2
    assert list(drawn["image"]) == [0, 0, 0, 1, 1, 1]


def test_unnamed_classifiers_get_colours_of_their_own():
    colours = look.colours(settings(), ["V", "new", "newer"])
    assert colours["V"] == PALETTE["V"]
    assert len({to_rgba(colour) for colour in colours.values()}) == 7
    assert look.palette_order(settings(), ["newer", "V", "new", "L"]) == [
        "L",
        "V",
        "new",
        "newer",
    ]


@pytest.mark.parametrize(
    ("label", "set_"),
    [
        ("original", "original"),
        ("A_S", "$A_{S}$"),
        ("A_V (encoder)", "$A_{V}$ (encoder)"),
        ("A_vgg16_bn", r"$A_{\text{vgg16_bn}}$"),
    ],
)
def test_labels_are_set_as_in_the_paper(label, set_):
    assert look.label_text(label) == set_


def test_first_autoencoder_is_the_example_when_none_is_named(tables):
    gallery = tables["gallery"]
    assert gallery["labels"][
        example_autoencoder(gallery, settings(noise_example=None))
    ] == ("A_L")


@pytest.mark.parametrize("name", ["figure-4", "figure-8"])
def test_unknown_example_is_told(name, tables):
    with pytest.raises(UserError, match=r"noise_example: .* no A_X, only A_L, A_A"):
        draw(name, tables, settings(noise_example="X"))


def test_gallery_without_clean_images_is_told(tables):
    with pytest.raises(UserError, match=r"strength 0, only at 0\.5, 1"):
        strength_position(tables["gallery"] | {"strengths": np.array([0.5, 1.0])}, 0.0)


def test_gallery_without_the_pretrained_is_told(tables):
    labels = np.array(["A_X", *tables["gallery"]["labels"][1:]])
    gallery = tables["gallery"] | {"labels": labels}
    with pytest.raises(UserError, match="no A_S among its sources A_X"):
        draw("figure-4", {"gallery": gallery}, settings())


def test_pairs_need_two_images(tables):
    gallery = tables["gallery"] | {"index": np.arange(1)}
    with pytest.raises(UserError, match="inter nMI needs two"):
        draw("figure-8", {"gallery": gallery}, settings())


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off"])
def test_damaged_gallery_is_told(content, tmp_path):
    path = tmp_path / "gallery.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"gallery\.npz: (no such arrays|damaged)"):
        read_arrays(path)


# What is declared


ROOT = Path(__file__).parents[2]
SECTIONS = {
    section
    for path in ASSETS.glob("report/*.j2")
    for section in re.findall('<h2 id="([a-z]+)">', path.read_text())
}
RESPONSES = [f"<results>/seed-0/reversed/{name}.npz" for name in "AVIRN"]
DEMO = {
    "figure-2": ["curves.csv"],
    "figure-3": ["gallery.npz", "lab.csv"],
    "figure-4": ["gallery.npz"],
    "figure-5": ["noise.csv"],
    "denoisers": ["denoise.csv"],
    "figure-6": ["rrc.csv"],
    "figure-7": ["lattices.json"],
    "lattice-barcode": ["distinct-lattices.json", "chains.csv"],
    "error-consistency": ["consistency.csv", "correlations.csv"],
    "figure-8": ["gallery.npz"],
    "figure-9": ["information.csv"],
    "depth-profile": ["depth.csv", "depth-losses.csv", "depth.npz"],
    "depth-noticed": ["depth.csv"],
    "depth-parts": ["depth.csv"],
    "depth-pairs": ["depth.csv", "depth-pairs.csv"],
    "cross-evaluation": ["table2.csv"],
    "lighter-autoencoders": ["lighter.csv"],
    "salient-architectures": RESPONSES,
    "salient-variants": RESPONSES,
    "salient-neurons": RESPONSES,
    "salient-support": RESPONSES,
    "salient-phase": RESPONSES,
    "salient-selectivity": ["selectivity.csv"],
    "salient-lrn": [*RESPONSES, "selectivity.csv"],
    "salient-inversion": ["inversion.csv"],
    "salient-segmentation": ["segmentation.csv", "segmentation.npz"],
    "synthesis-modes": ["synthesis.npz"],
    "synthesis-bias": ["synthesis.npz"],
    "synthesis-filters": ["synthesis.npz"],
    "synthesis-compounds": ["synthesis.npz"],
    "synthesis-measures": ["synthesis.csv"],
    **{
        f"synthesis-sheet-{name}-{mode}": [
            f"<results>/seed-0/preferred/{mode}/{name}.npz"
        ]
        for name in "LAVIR"
        for mode in ("scratch", "pretrained")
    },
}
"""Stem of every figure of the demo -> what it is drawn from."""


def study_of(preset, **changes) -> Study:
    """A preset's study, with some keys of its sections changed."""
    values = yaml.safe_load((ROOT / f"config/{preset}.yaml").read_text())
    for section, change in changes.items():
        known = values.get(section)
        merge = isinstance(known, dict) and isinstance(change, dict)
        values[section] = known | change if merge else change
    return load(values)


def captions(study):
    return {
        drawing.figure.stem: drawing.figure.caption(study)
        for drawing in study_drawings(Axes(study))
    }


def test_the_demo_draws_every_figure_from_these_files():
    drawn = {
        drawing.stem: [
            path.removeprefix("<tables>/")
            for paths in drawing.inputs.values()
            for path in ([paths] if isinstance(paths, str) else paths)
        ]
        for drawing in study_drawings(Axes(study_of("demo")))
    }
    assert drawn == DEMO
    cleaned = {drawing.stem for drawing in study_drawings(Axes(study_of("paper")))}
    assert "cleaned-photographs" in cleaned
    assert "lighter-autoencoders" not in cleaned


def test_optional_figures_come_with_their_parts():
    bare = study_of("demo", salient=None, synthesis=None, lighter=[], depth=None)
    stems = {drawing.stem for drawing in study_drawings(Axes(bare))}
    assert stems == {
        stem
        for stem in DEMO
        if not stem.startswith(("salient", "synthesis", "lighter", "depth"))
    }
    salient = {"classifiers": ["A", "V"], "inversion": None, "segmentation": None}
    plain = study_of("demo", salient=salient, seeds=[3, 4])
    inputs = {one.stem: one.inputs for one in study_drawings(Axes(plain))}
    assert not {"salient-lrn", "salient-inversion", "salient-segmentation"} & {*inputs}
    assert inputs["salient-phase"] == {
        "responses": [f"<results>/seed-3/reversed/{name}.npz" for name in "AV"]
    }


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"compounds": []}, {"compounds"}),
        ({"filters": {}}, {"filters"}),
        ({"filters": {"N": [{"layer": "0"}]}}, {"filters"}),  # not among the networks
        ({"classes": []}, {"modes", "bias"}),
    ],
)
def test_figures_of_targets_that_nobody_seeks_are_not_asked_for(changes, gone):
    study = study_of("demo", synthesis=changes)
    stems = {drawing.stem for drawing in study_drawings(Axes(study))}
    assert set(DEMO) - stems == {f"synthesis-{name}" for name in gone}


def test_every_figure_is_declared_in_full():
    figures = all_figures()
    assert {*figures} == {
        stem if not stem.startswith("synthesis-sheet") else "synthesis-sheet"
        for stem in (*DEMO, "cleaned-photographs")
    }
    for stem, figure in figures.items():
        assert figure.section in SECTIONS, stem
        assert figure.title.strip(), stem
        assert len(figure.alternative_text.split()) > 7, stem
        assert figure.reported is (stem != "synthesis-sheet")
    assert len({figure.title for figure in figures.values()}) == len(figures)


@pytest.mark.parametrize("preset", ["demo", "paper"])
def test_captions_name_their_source(preset):
    for stem, text in captions(study_of(preset)).items():
        assert len(text.split()) > 15
        papers = r"(Palacio et al\. 2018|Mahendran & Vedaldi 2016|Despraz et al\. 2017)"
        source = re.search(rf"{papers},? (Figure|Table|section)s? [\d.]+", text)
        assert source, text
        number = re.search(r"\d+$", stem)
        assert number is None or source[0].rstrip(".").endswith(number[0])
        assert text.count("``") % 2 == 0
        assert "  " not in text
        assert not re.search(r"[ .,]\n|\n [ ]*|None|\[\]|\{", text.replace(".\n\n", ""))


def test_captions_tell_agreement_from_accuracy():
    study = study_of("demo")
    labelled = captions(study)
    agreement = captions(study.model_copy(update={"reference": "predictions"}))
    for stem, text in labelled.items():
        assert "agree" not in text.lower()
        if "accurac" in text.lower():
            assert "agree" in agreement[stem].lower()
            assert "accurac" not in agreement[stem].lower()
    assert "agreement" in agreement["figure-6"]
    assert "the study's own images" in agreement["figure-2"]


@pytest.mark.parametrize(
    ("stem", "changes", "texts"),
    [
        ("figure-2", {"image_size": 48}, ["``48`` pixels", "``20,000`` images"]),
        ("figure-3", {"finetune": {"images": 4321}}, ["L, A, V, I, R on ``4,321``"]),
        ("figure-5", {"predict": {"strengths": [0, 0.25]}}, ["s = 0, 0.25,", "seeds (``1``) and replicates (``1``)"]),
        ("figure-5", {"bootstrap": {"resamples": 777}}, ["``777`` draws of images."]),
        ("figure-5", {"seeds": [1, 2, 3]}, ["seeds (``3``)"]),
        ("figure-6", {}, ["among L, A, V, I, R, in"]),
        ("figure-7", {"lattice": {"thresholds": [0.15, 0.5]}}, ["t = 0.15, 0.5."]),
        ("lattice-barcode", {"lattice": {"thresholds": [0.15]}}, ["t = 0.15."]),
        ("error-consistency", {}, ["networks L, A, V, I, R: over", "With 5 networks"]),
        ("depth-profile", {}, ["over images and trainings"]),
        ("depth-pairs", {"depth": {"replicates": 1}}, ["certainty over images."]),
        ("figure-9", {"information": {"bins": [16]}}, ["of 16 bins", "``geometric``"]),
        ("denoisers", {}, ["(median, bilateral, nlm, autoencoder)", "``4,000`` noisy"]),
        ("denoisers", {"denoise": {"methods": ["nlm"]}}, ["(nlm)", "same ``150`` im"]),
        ("denoisers", {"denoise": {"images": None}}, ["use the same images. Class"]),
        ("lighter-autoencoders", {}, ["SegNet is 16 and the depth 1;"]),
        ("salient-architectures", {}, ["networks A, V, I, R, N by", "of 128 pixels,"]),
        ("salient-selectivity", {"salient": {"measured": None}}, ["over all validation"]),
        ("salient-lrn", {}, ["of A, V, I, R, N that", "``100`` validation images at"]),
        ("salient-inversion", {}, ["invert V up to its last", "``5,000`` images"]),
        ("synthesis-bias", {"synthesis": {"beside": 5}}, ["the ``5`` training images"]),
        ("synthesis-measures", {"synthesis": {"judge": "R"}}, ["network, R, the"]),
        ("synthesis-modes", {"synthesis": {"classifiers": ["A", "V"]}}, ["works A, V for"]),
    ],
)  # fmt: skip
def test_captions_quote_the_settings(stem, changes, texts):
    caption = captions(study_of("demo", **changes))[stem]
    for text in texts:
        assert text in caption


def test_settings_and_columns_of_figures_are_the_studys():
    study = study_of("demo", figures={"dpi": 77})
    for figure in all_figures().values():
        assert figure.settings_for(study) == study.figures
        assert json.loads(figure.settings_json(study, {}))["dpi"] == 77


def test_missing_columns_are_told(tmp_path):
    table = tmp_path / "selectivity.csv"
    table.write_text("classifier,depth\nA,1\n")
    with pytest.raises(
        UserError, match=r"selectivity\.csv: lacks column layer, archit"
    ):
        all_figures()["salient-selectivity"].main(
            [
                *("--selectivity", str(table), "--settings", "{}"),
                *("--pdf", "x.pdf", "--png", "x.png", "--csv", "x.csv"),
            ]
        )
