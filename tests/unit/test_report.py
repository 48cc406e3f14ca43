"""The report: its answer, its completeness, and that it stands alone."""

import base64
import io
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas
import pytest
from PIL import Image

from s2snets import report
from s2snets.errors import Mistake
from s2snets.measure.lattice import build
from s2snets.measure.rrc import relate
from s2snets.stages import report as stage

CAPTIONS = Path(report.__file__).parents[1] / "report"
PRINTED = """autoencoder,L,A,V,I,R
A_L,0.3484,0.3077,0.0416,0.4352,0.4730
A_A,0.0211,0.5613,0.0097,0.5375,0.0925
A_V,0.2929,0.5362,0.7163,0.7400,0.7300
A_I,0.1829,0.3024,0.4555,0.7671,0.4540
A_R,0.0163,0.4972,0.0710,0.7249,0.7494
"""
CONFIG = {
    "study": "demo",
    "image_size": 32,
    "seeds": [0, 1],
    "classifiers": {name: {"architecture": "lenet5"} for name in "LAVIR"},
    "predict": {"strengths": [0.0, 0.5, 1.0]},
    "lattice": {"thresholds": [0.1, 0.2, 0.8, 0.9]},
    "information": {
        "bins": [256, 32],
        "average_method": "geometric",
        "channels": "separate",
    },
    "finetune": {"images": 1281167},
    "autoencoder": {"width": 16, "stages": 2},
    "denoise": {"methods": ["median", "nlm"], "images": 1000},
    "pretrain": {"photos": {"images": 92100000}, "labelled": {"images": 92200000}},
}
RECORD = {
    "commit": "0123456789ab",
    "device": "a processor",
    "seed": None,
    "settings": {"bottleneck": 512},
    "versions": {"python": "3.11.2", "torch": "2.13.0", "concepts": None},
}
VOID = {"meta", "img", "br"}


def png(side=40, dots=200):
    """A small picture as the figures are: 8 bits, with its resolution."""
    data = io.BytesIO()
    Image.new("RGBA", (side, side // 2), "white").save(data, "png", dpi=(dots, dots))
    return data.getvalue()


@pytest.fixture(scope="module")
def tables():
    """Tables 1 and 2 as printed where the paper prints them, else made up."""
    table2 = pandas.read_csv(io.StringIO(PRINTED))
    inputs = [(name, given) for name in "LAVIR" for given in ("original", "A_S", "A_i")]
    table1 = pandas.DataFrame(inputs, columns=["classifier", "input"]).assign(
        images=50000, seeds=1, top1=0.323, top1_difference=-0.0122, top5=0.5463
    )
    table1["top5_difference"] = 0.0316
    own = table1["input"] == "original"
    table1.loc[own, ["top1_difference", "top5_difference"]] = np.nan
    parts = table1[table1["input"] == "A_i"].drop(columns="input")
    parts.insert(0, "part", "decoder")
    information = pandas.DataFrame(
        {"source": f"decoder-{name}", "label": f"A_{name}", "measure": measure}
        | {"bins": bins, "images": 50000, "mean": mean, "sd": 0.03, "rank": 1}
        for bins in (256, 32)
        for measure in ("intra", "inter")
        for name, mean in zip("LAVIR", (0.22, 0.17, 0.3, 0.12, 0.2), strict=True)
    )
    costs = pandas.DataFrame(
        [("predict", "a", 9.2, 12.0, 1200.4), ("predict", "b", 60.0, np.nan, np.nan)],
        columns=["rule", "job", "seconds", "cpu_seconds", "peak_mb"],
    )
    return {
        "table1": table1,
        "table2": table2,
        "parts": parts,
        "rrc": relate(table2),
        "information": information,
        "costs": costs,
    }


@pytest.fixture(scope="module")
def lattices(tables):
    return [build(tables["rrc"], threshold) for threshold in (0.1, 0.2, 0.8, 0.9)]


@pytest.fixture
def figures(tmp_path):
    paths = [tmp_path / f"{stem}.png" for stem in report.FIGURES]
    for path in paths:
        path.write_bytes(png())
    return paths


@pytest.fixture
def write(tables, lattices, figures, tmp_path):
    """Function: the report's text, with any argument exchanged."""

    def text(**changes):
        html = tmp_path / "report.html"
        given = {"figures": figures, "captions": CAPTIONS, "config": CONFIG}
        given |= {"tables": tables, "lattices": lattices, "record": RECORD} | changes
        report.write(html, **given)
        return html.read_text()

    return text


class Page(HTMLParser):
    """What a page consists of; complains where a tag is not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        self.words += data.split() if "style" not in self.open else []

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def test_answer_of_the_printed_table_is_the_papers(tables, lattices):
    found = report.answer(tables["rrc"], lattices, tables["information"], 256)
    assert found["threshold"] == 0.8
    assert found["by_use"] == "V > L > R > A > I"
    assert (found["first"], found["last"]) == (["V"], ["I"])
    assert (found["most"], found["least"], found["others"]) == (4, 0, 4)
    assert len(found["lattice"]["concepts"]) == 5
    assert found["lattice"]["chain"]
    assert found["chains"] == 3
    assert found["networks"][0]["serves"] == ["L", "A", "I", "R"]
    assert found["networks"][0]["nmi"] == 0.3


def test_networks_that_serve_as_many_share_a_rank(tables):
    flat = tables["table2"].copy()
    flat[list("LAVIR")] = 0.5
    rrc = relate(flat)
    found = report.answer(rrc, [build(rrc, 0.5)], tables["information"], 256)
    assert found["by_use"] == "L = A = V = I = R"
    assert found["by_information"] == "V > L > R > A > I"
    assert found["most"] == found["least"] == 4


def test_page_says_the_answer_in_words(write):
    words = " ".join(Page(write()).words)
    assert (
        "V uses the most of the input: at t = 0.8, its signal serves all 4 others."
        in words
    )
    assert "its signal serves none of the others." in words
    assert "has 5 concepts and is a chain" in words
    assert "Of the 4 thresholds, 3 give a chain." in words
    assert "Both orders agree." in words


def test_page_says_that_networks_tie(write, tables):
    flat = tables["table2"].copy()
    flat[list("LAVIR")] = 0.5
    rrc = relate(flat)
    changed = tables | {"table2": flat, "rrc": rrc}
    words = " ".join(Page(write(tables=changed, lattices=[build(rrc, 0.5)])).words)
    assert "No network's signal stands out: at t = 0.5, each serves all 4 others." in (
        words
    )
    assert "has a single concept" in words
    assert "The orders differ." in words


def test_page_refers_to_nothing_outside_itself(write):
    text = write()
    page = Page(text)
    assert not page.all("script", "link", "iframe", "object")
    assert not re.search(r"https?:|url\(|@import|srcset", text)
    assert all(image["src"].startswith("data:image/png;") for image in page.all("img"))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= ids


def test_page_holds_every_figure_described_for_those_who_cannot_see(write):
    images = Page(write()).all("img")
    assert len(images) == len(report.FIGURES)
    assert all(len(image["alt"]) > 40 for image in images)
    assert all(
        base64.b64decode(image["src"].partition(",")[2]) == png() for image in images
    )


def test_headings_descend_one_level_at_a_time(write):
    levels = [
        int(tag[1]) for tag, _ in Page(write()).tags if re.fullmatch("h[1-6]", tag)
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_page_fits_light_dark_paper_and_phones(write):
    text = write()
    for need in ("prefers-color-scheme: dark", "@media print", "width=device-width"):
        assert need in text


def test_tables_show_percent_points_and_costs(write):
    text = write()
    for cell in ("<td>32.30</td>", "<td>−1.22</td>", "<td>+3.16</td>", "50,000"):
        assert cell in text
    assert "<td>1 min 09 s</td><td>12.0 s</td>\n<td>1,200 MB</td>" in text
    assert text.count('class="enough"') == 15  # pairs of the print with RRC >= 0.8
    assert text.count('class="own"') == 5


def test_record_names_versions_but_not_settings_twice(write):
    words = " ".join(Page(write()).words)
    assert "python 3.11.2, torch 2.13.0" in words
    assert "bottleneck" not in words
    assert "commit 0123456789ab" in words


def test_settings_are_there_to_unfold(write):
    page = Page(write())
    assert len(page.all("details")) == 1
    assert "1281167" in page.words


def test_names_cannot_break_the_page(write):
    config = CONFIG | {"study": "<script>alert(1)</script>"}
    assert "<script" not in write(config=config)
    assert report.signal("A_V < A_i∘j") == (
        "<i>A</i><sub>V</sub> &lt; <i>A</i><sub>i</sub>∘j"
    )


@pytest.mark.parametrize("path", sorted(CAPTIONS.glob("*.rst")), ids=lambda p: p.stem)
def test_captions_need_only_the_config_and_name_their_source(path):
    text = path.read_text()
    page = jinja2.Template(text, undefined=jinja2.StrictUndefined)
    said = page.render(snakemake=SimpleNamespace(config=CONFIG))
    assert len(said.split()) > 15
    if path.stem != "table-costs":
        source = r"Palacio et al\.\s2018,\s(Figure|Table|section)\s[\d.]+"
        found = re.search(source, said)
        assert found, said
        number = re.search(r"\d+$", path.stem)
        assert number is None or found[0].rstrip(".").endswith(number[0])
    assert said.count("``") % 2 == 0


def test_every_figure_and_caption_is_used(write):
    text = write()
    for path in CAPTIONS.glob("*.rst"):
        assert f'id="{path.stem}"' in text, path


def test_caption_paragraphs_become_html():
    assert report.prose("One ``x < 1``\nof A_S.\n\nTwo.\n") == (
        "<p>One <code>x &lt; 1</code>\nof <i>A</i><sub>S</sub>.</p><p>Two.</p>"
    )


def test_fine_figures_shrink_to_what_screens_show(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (700, 2100, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "fine.png", dpi=(300, 300))
    shown = report.embed(tmp_path / "fine.png")
    assert (shown["width"], shown["height"]) == (875, 292)
    kept = Image.open(io.BytesIO(base64.b64decode(shown["src"].partition(",")[2])))
    assert kept.size == (1750, 584)


def test_missing_figure_is_told(write, figures):
    with pytest.raises(Mistake, match="figure-6 missing; make figures first"):
        write(figures=[path for path in figures if path.stem != "figure-6"])


def test_a_study_without_lighter_autoencoders_has_a_report_too(write, figures):
    some = [path for path in figures if path.stem not in report.OPTIONAL]
    assert len(some) == len(figures) - 1
    assert "lighter" not in write(figures=some, config=CONFIG)


def test_figure_that_was_never_drawn_is_told(write, figures):
    figures[0].unlink()
    with pytest.raises(Mistake, match=r"figure-2\.png: no such figure"):
        write()


def test_figure_without_a_place_is_told(write, figures, tmp_path):
    with pytest.raises(Mistake, match="no place for figure-10"):
        write(figures=[*figures, tmp_path / "figure-10.png"])


def test_missing_caption_is_told(write, tmp_path):
    folder = tmp_path / "captions"
    folder.mkdir()
    for path in CAPTIONS.iterdir():
        if path.name != "table-1.rst":
            (folder / path.name).write_text(path.read_text())
    with pytest.raises(Mistake, match=r"table-1\.rst: no such caption"):
        write(captions=folder)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (8.44, "8.4 s"),
        (59.99, "1 min 00 s"),
        (200, "3 min 20 s"),
        (18180, "5 h 03 min"),
        (np.nan, ""),
    ],
)
def test_durations_read_as_spoken(seconds, said):
    assert report.duration(seconds) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_lists_read_as_spoken(names, said):
    assert report.listed(names) == said


def test_command_line_reads_files_and_json(tables, lattices, figures, tmp_path):
    arguments = []
    for name, table in tables.items():
        path = tmp_path / f"{name}.csv"
        table.to_csv(path, index=False)
        arguments += [f"--{name}", str(path)]
    (tmp_path / "lattices.json").write_text(json.dumps(lattices))
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    arguments += ["--lattices", str(tmp_path / "lattices.json")]
    arguments += ["--figures", *map(str, figures)]
    html = tmp_path / "made.html"
    for config in (json.dumps(CONFIG), str(tmp_path / "config.json")):
        stage.main([*arguments, "--config", config, "--html", str(html)])
        words = " ".join(Page(html.read_text()).words)
        assert "V > L > R > A > I" in words
        assert "numpy " + np.__version__ in words


def test_settings_that_are_no_json_are_told():
    with pytest.raises(Mistake, match="--config: not JSON"):
        stage.plain("{study: demo")
