"""Figures of preferred images, drawn from made-up sweeps, small ones and great ones."""

import io
import json

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from s2snets.config import Figures
from s2snets.figures import picture_strips as page
from s2snets.figures import style as look
from s2snets.figures.base import all_figures
from s2snets.measure.modes import summarise
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays
from s2snets.stages.synthesis import CollectSynthesis
from s2snets.synthesis.gallery import MIN_CLASSES, choose_classes, select_pictures

CLASSES = [f"class_{number}" for number in range(7)]
GALLERY = ("modes", "bias", "filters", "compounds")
STYLE = Figures(dpi=60)


def figure_of(name):
    return all_figures()[f"synthesis-{name}"]


def sweep(mode, classes=CLASSES, filters=13, side=8):
    """As ``synthesise`` leaves one: every picture of another grey."""
    targets = [(name, "class", "logits") for name in classes]
    targets += [(f"{classes[1]} + {classes[4]}", "compound", "logits")]
    targets += [(f"0: {number}", "filter", "0") for number in range(filters)]
    targets += [("7.0: 1, 5", "group", "7.0")] if filters else []
    names, kinds, layers = (np.array(one) for one in zip(*targets, strict=True))
    grey = np.arange(len(names)) % 256
    return {
        "pictures": np.tile(grey[:, None, None, None], (1, side, side, 3)).astype("u1"),
        "target": names,
        "kind": kinds,
        "layer": layers,
        "mode": np.full(len(names), mode),
    }


def ranked(name, classes=CLASSES, beside=2, side=8):
    """As ``rank_images`` leaves them: of each class the second is mislabelled."""
    targets = np.repeat(classes, beside)
    wrong = np.arange(len(targets)) % beside == 1
    return {
        "pictures": np.full((len(targets), side, side, 3), 200, np.uint8),
        "classifier": np.full(len(targets), name),
        "target": targets,
        "rank": np.tile(np.arange(beside) + 1, len(classes)),
        "label": np.where(wrong, "something else", targets),
    }


def gallery(names="AV", classes=CLASSES, modes=("scratch", "pretrained")):
    return select_pictures(
        [sweep(mode, classes) for _ in names for mode in modes],
        [name for name in names for _ in modes],
        [ranked(name, classes) for name in names],
    )


def scores(names="AV"):
    random = np.random.default_rng(0)
    parts = []
    for name in names:
        for mode in ("scratch", "pretrained"):
            keys = pd.DataFrame(sweep(mode) | {"pictures": CLASSES[0]})
            numbers = random.uniform(0, 1, (len(keys), 4))
            columns = ["activation", "confidence", "total_variation", "high_frequency"]
            table = keys.assign(**dict(zip(columns, numbers.T, strict=True)))
            table = table.assign(rank=1, agrees=1.0, started=True, seed=0)
            table.loc[keys["layer"] != "logits", ["confidence", "agrees"]] = np.nan
            parts.append(table.assign(classifier=name))
    return pd.concat(parts)


@pytest.fixture(autouse=True)
def theme():
    with matplotlib.rc_context(look.THEME):
        yield


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


@pytest.mark.parametrize("name", GALLERY)
def test_every_picture_stands_where_its_table_says(name):
    arrays = gallery()
    figure = figure_of(name).draw(arrays, STYLE)
    table = figure_of(name).rows(arrays, STYLE)
    images = figure.axes[0].images
    assert len(images) == len(table)
    keys = page.key_table(arrays)
    for image, (_, row) in zip(images, table.iterrows(), strict=True):
        same = np.logical_and.reduce([keys[key] == row[key] for key in keys])
        values = {int(one[0, 0, 0]) for one in arrays["pictures"][same]}
        assert int(image.get_array()[0, 0, 0]) in values
    left, right, _, top = np.array([image.get_extent() for image in images]).T
    margins = left - table["column"] * (right - left + page.GAP)
    assert np.ptp(margins) < 1e-6
    assert (np.diff(top)[np.diff(table["row"]) > 0] > 0.3).all()
    assert (np.diff(top)[np.diff(table["row"]) == 0] == 0).all()


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("modes", [("pretrained",), ("scratch",)])
def test_one_mode_is_enough(name, modes):
    table = figure_of(name).rows(gallery("V", modes=modes), STYLE)
    assert set(table["mode"]) <= {*modes, ""}
    figure_of(name).draw(gallery("V", modes=modes), STYLE).draw_without_rendering()


def test_the_pretrained_row_is_above_as_in_the_paper():
    table = figure_of("modes").rows(gallery("V"), STYLE)
    assert table.groupby("row")["mode"].first().tolist() == ["pretrained", "scratch"]
    assert table.groupby("row")["target"].agg(list).tolist() == [CLASSES, CLASSES]


def test_another_classs_training_image_says_so_in_red():
    drawn = figure_of("bias").draw(gallery("V"), STYLE).axes[0].texts
    red = [text for text in drawn if to_rgba(text.get_color()) == to_rgba(page.ACCENT)]
    assert [text.get_text() for text in red] == ["something else"] * len(CLASSES)


def test_filters_are_ordered_by_layer_and_groups_come_last():
    table = figure_of("filters").rows(gallery("V"), STYLE)
    own = table[table["mode"] == "scratch"]
    assert own["layer"].tolist() == ["0"] * 13 + ["7.0"]
    assert own["kind"].iloc[-1] == "group"
    assert own.groupby("row").size().tolist() == [6, 7, 1]


def test_a_compound_stands_after_its_classes():
    figure = figure_of("compounds").draw(gallery("V"), STYLE)
    table = figure_of("compounds").rows(gallery("V"), STYLE)
    own = table[table["mode"] == "scratch"]["target"].tolist()
    assert own == ["class_1", "class_4", "class_1 + class_4"]
    assert texts(figure).count("+") == texts(figure).count("=") == 2


def test_figures_show_compounds_classes_and_others_evenly():
    classes = [str(number) for number in range(1000)]
    chosen = choose_classes(classes, [["7", "8"], ["7", "999"]])
    assert {"7", "8", "999"} <= set(chosen)
    assert len(chosen) == MIN_CLASSES
    assert chosen == sorted(chosen, key=int)
    gaps = np.diff([int(one) for one in chosen if one not in ("7", "8", "999")])
    assert gaps.min() > 100
    assert choose_classes(["a", "b"], []) == ["a", "b"]


def test_a_gallery_has_the_training_images_of_the_classes_it_shows():
    classes = [f"n{number:03}" for number in range(200)]
    keys = page.key_table(gallery("V", classes))
    shown = set(keys.loc[keys["kind"] == "class", "target"])
    assert set(keys.loc[keys["kind"] == "training", "target"]) == shown
    assert len(shown) == MIN_CLASSES
    assert (keys["kind"] == "filter").sum() == 2 * 13


@pytest.mark.parametrize("count", [10, 1000])
def test_a_sheet_shows_every_image_of_its_sweep(count):
    arrays = sweep("scratch", [f"some long name of {n}" for n in range(count)])
    figure, table = (
        getattr(figure_of("sheet"), what)(arrays, STYLE) for what in ("draw", "rows")
    )
    assert sorted(table["target"]) == sorted(arrays["target"])
    assert len(figure.axes[0].images) == len(table) == count + 15
    width, height = figure.get_size_inches()
    extents = np.array([image.get_extent() for image in figure.axes[0].images])
    assert extents[:, 1].max() <= width
    assert extents[:, 2].max() <= height < 100
    assert (extents[:, 1] - extents[:, 0]).min() > 0.4


def test_captions_stay_in_their_pictures_width():
    arrays = sweep("scratch", [f"wide_haired_pointing_terrier_{n}" for n in range(90)])
    figure = figure_of("sheet").draw(arrays, STYLE)
    axes = figure.axes[0]
    cell = np.ptp(axes.images[0].get_extent()[:2]) + page.GAP
    boxes = [
        text.get_window_extent().width / figure.dpi
        for text in axes.texts
        if text.get_text().startswith("wide")
    ]
    assert len(boxes) == 91  # with a compound
    assert max(boxes) < cell


def test_names_are_broken_and_cut():
    assert page.break_text("T-shirt", 0.6) == "T-shirt"
    assert page.break_text("hen_of_the_woods", 0.5) == "hen of the\nwoods"
    assert page.break_text("a b c d e f g h i j k l m n", 0.25).endswith("…")


@pytest.mark.parametrize("name", GALLERY)
def test_names_are_no_mathtext(name):
    odd = [f"${one}^$" for one in CLASSES]
    given = gallery(classes=odd)
    figure = figure_of(name).draw(given, Figures(dpi=40))
    figure.savefig(io.BytesIO())
    assert not any("^" in text and "$" not in text for text in texts(figure))


@pytest.mark.parametrize("name", ["filters", "compounds"])
def test_a_gallery_without_such_pictures_is_told(name):
    arrays = gallery("V")
    kept = np.isin(arrays["kind"], ["class", "training"])
    arrays = {key: values[kept] for key, values in arrays.items()}
    with pytest.raises(UserError, match="no picture"):
        figure_of(name).draw(arrays, STYLE)


def test_measures_have_a_point_a_mode_kind_and_network():
    table = summarise(scores(), 100, 0)
    figure = figure_of("measures").draw(table.replace("", np.nan), STYLE)
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 6
    for axes in figure.axes[:2]:
        points = [line for line in axes.get_lines() if line.get_marker() in "os"]
        assert [len(line.get_xdata()) for line in points] == [8, 8]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["$A$  classes", "$A$  compounds"]
    scratch = table.query(
        "classifier == 'A' and kind == 'class' and mode == 'scratch'"
        " and against == '' and measure == 'activation'"
    )
    line = next(one for one in figure.axes[0].get_lines() if one.get_marker() == "o")
    assert line.get_xdata()[0] == scratch["mean"].item()


def test_measures_of_one_mode_name_no_other():
    table = summarise(scores("V").query("mode == 'scratch'"), 100, 0)
    figure = figure_of("measures").draw(table.replace("", np.nan), STYLE)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["scratch"]


def test_a_figure_is_written_by_its_command_line(tmp_path):
    for name, arrays in (("a", sweep("scratch")), ("b", sweep("pretrained"))):
        np.savez(tmp_path / f"{name}.npz", **arrays)
    np.savez(tmp_path / "ranked.npz", **ranked("V"))
    at = {name: str(tmp_path / name) for name in ("a.npz", "b.npz", "ranked.npz")}
    CollectSynthesis.main(
        [
            *("--preferred", at["a.npz"], at["b.npz"], "--names", "V", "V"),
            *("--ranked", at["ranked.npz"], "--gallery", str(tmp_path / "g.npz")),
        ]
    )
    found, expected = read_arrays(tmp_path / "g.npz"), gallery("V")
    assert all((found[name] == expected[name]).all() for name in expected)
    out = {form: tmp_path / f"figure.{form}" for form in ("pdf", "png", "csv")}
    flags = [one for form, path in out.items() for one in (f"--{form}", str(path))]
    settings = json.dumps({"dpi": 60})
    figure_of("bias").main(
        [*("--gallery", str(tmp_path / "g.npz")), *flags, "--settings", settings]
    )
    assert out["pdf"].read_bytes().startswith(b"%PDF")
    assert Image.open(out["png"]).width == 7 * 60
    assert len(pd.read_csv(out["csv"])) == 4 * len(CLASSES)
