"""The report: its answer, its completeness, and that it stands alone."""

import base64
import io
import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas
import pytest
from PIL import Image

from s2snets.config import Figures, Study, load
from s2snets.figures.base import Figure, all_figures
from s2snets.measure.lattice import build_lattice, thresholds
from s2snets.measure.rrc import rrc_table
from s2snets.report.answer import rank_networks
from s2snets.report.captions import CAPTIONS, paragraphs_to_html
from s2snets.report.certainty import resample_support, use_bounds
from s2snets.report.figures import describe_figures, embed_images
from s2snets.report.formatting import duration, join_names, typeset_signals
from s2snets.report.open_definitions import OPEN, open_definitions
from s2snets.report.page import GALLERY_SIZE, ReportInputs
from s2snets.report.page import write as write_page
from s2snets.report.report_data import lattice_slider, reconstruction_viewer
from s2snets.runtime.errors import UserError
from s2snets.stages.report import Report

PRINTED = """autoencoder,L,A,V,I,R
A_L,0.3484,0.3077,0.0416,0.4352,0.4730
A_A,0.0211,0.5613,0.0097,0.5375,0.0925
A_V,0.2929,0.5362,0.7163,0.7400,0.7300
A_I,0.1829,0.3024,0.4555,0.7671,0.4540
A_R,0.0163,0.4972,0.0710,0.7249,0.7494
"""
STUDY = load(
    {
        "study": "demo",
        "image_size": 32,
        "classifiers": {name: {"architecture": "lenet5"} for name in "LAVIR"},
        "data": {
            name: [{"path": "here"}]
            for name in ("train", "validation", "photos", "photos_validation")
        },
        "predict": {"strengths": [0.0, 0.5, 1.0]},
        "autoencoder": {"width": 16, "stages": 2},
        "depth": {"classifiers": ["V", "R"]},
        "salient": {
            "classifiers": ["A", "V"],
            "segmentation": {"path": "here"},
            "inversion": {},
        },
        "synthesis": {
            "classifiers": ["V"],
            "filters": {"V": [{"layer": "0"}]},
            "compounds": [["bag", "boot"]],
        },
    }
)
CONFIG = STUDY.model_dump(mode="json")
FIGURES = {stem: one for stem, one in all_figures().items() if one.reported}
OPTIONAL = {stem for stem, one in FIGURES.items() if one.needs != Figure.needs}
DEVIATIONS = """# Deviations

Those of A_S, [elsewhere](https://example.org).

## Everywhere

| matter | here |
|---|---|
| noise | `clip` <b>on</b> |
"""
RECORD = {
    "commit": "0123456789ab",
    "device": "a processor",
    "seed": None,
    "settings": {"bottleneck": 512},
    "versions": {"python": "3.11.2", "torch": "2.13.0", "concepts": None},
}
CLEANING = {
    "profile": "palacio2018",
    "rejected": 0.05,
    "unusual": [0.015, 0.04],
    "shards": 2000,
    "outside": [1204],
    "exact": {"groups": 1, "surplus": 29},
    "near": {"groups": 12, "surplus": 1},
    "trivial": 3,
    "validation": 50_000,
    "overlap_exact": {"photos": 2, "images": 1},
    "overlap_near": {"photos": 9, "images": 8},
    "proposed": 1,
    "proposed_photos": 1234,
    "strangers": 20,
    "totals": [
        {
            "quantity": quantity,
            "photos": photos,
            "share": share,
            "of": of,
            "paper": paper,
            "paper_share": share,
        }
        for quantity, photos, share, of, paper in (
            ("rows", 1010, None, "", 100_000_000),
            ("unwanted", 10, 0.0099, "rows", 793_436),
            ("wanted", 1000, 0.9901, "rows", 99_206_564),
            ("missing", 0, 0.0, "wanted", 4_704_140),
            ("obtained", 1000, 1.0, "wanted", 94_502_424),
            ("filtered", 50, 0.05, "obtained", 2_412_945),
            ("kept", 950, 0.95, "obtained", 92_089_479),
        )
    ],
    "outcomes": [
        {
            "outcome": outcome,
            "group": group,
            "meaning": f"it is {outcome}",
            "photos": photos,
            "share": 0.05,
            "of": of,
        }
        for outcome, group, photos, of in (
            ("video", "unwanted", 10, "rows"),
            ("missing", "missing", 0, "wanted"),
            ("flat", "filtered", 50, "obtained"),
            ("kept", "kept", 950, "obtained"),
        )
    ],
    "licences": [
        {"licence": "by-nc-sa", "photos": 900, "share": 0.947},
        {"licence": "", "photos": 50, "share": 0.053},
    ],
}
COMPANIONS = {
    "selectivity": """classifier,depth,layer,architecture,pair,cosine,cosine_low,cosine_high
A,1,pool1,desalinet,strongest-random,0.03,0.01,0.05
A,1,pool1,desalinet,image,0.02,0.01,0.03
A,2,logits,desalinet,strongest-random,0.987,0.98,0.99
A,2,logits,desalinet,image,-0.11,-0.13,-0.09
""",
    "inversion": """error,informed,against,value,low,high,printed
relative,both,,0.225,0.221,0.229,
mse,both,,0.012,0.011,0.013,
relative,both,masks,0.043,0.038,0.048,0.46
""",
    "segmentation": """source,classifier,network,method,pp,pp_low,pp_high,iou,iou_low,iou_high,images
measured,A,AlexNet,desalinet,0.935,0.93,0.94,0.759,0.7,0.81,60
printed,,VGG-16,salinet,0.8245,,,0.5633,,,4276
""",
    "synthesis": """classifier,kind,mode,against,measure,targets,mean,low,high
V,class,scratch,,first,10,0.9,0.7,1.0
V,class,scratch,,confidence,10,0.72,0.6,0.8
V,class,scratch,,total_variation,10,0.0812,0.07,0.09
V,class,scratch,,high_frequency,10,0.073,0.06,0.08
V,class,pretrained,scratch,first,10,-0.1,-0.2,0.0
V,filter,scratch,,activation,12,3.0,2.0,4.0
""",
}
DEPTH = {
    "depth_losses": """weights,classifier,layer,before,lost,low,high,greatest,share,verdict,reached,part,kept,part_share
trained,V,pool,input,0.01,0.005,0.02,False,0.0,,True,colour red,0.9,0.99
trained,V,logits,pool,0.04,0.03,0.05,True,0.96,certain,True,band 1,0.25,0.99
random,V,pool,input,0.0,-0.01,0.01,False,0.2,,True,place top left,0.9,0.99
random,V,logits,pool,0.02,0.01,0.03,True,0.8,likely,False,colour blue,0.8,0.99
trained,R,block,input,0.02,-0.01,0.05,True,0.7,open,True,colour red,0.9,0.99
trained,R,logits,block,0.01,-0.02,0.04,False,0.3,,True,colour red,0.9,0.99
random,R,block,input,0.0,-0.01,0.01,True,0.6,open,True,colour red,0.9,0.99
random,R,logits,block,0.0,-0.01,0.01,False,0.4,,True,colour red,0.9,0.99
""",
    "depth_orders": """weights,depth,network,other,layer,other_layer,difference,low,high,established
trained,1,V,R,pool,block,0.05,0.04,0.06,True
trained,2,R,V,logits,logits,0.012,-0.001,0.025,False
random,2,V,R,logits,logits,0.3,0.2,0.4,True
""",
    "depth_pairs": """weights,classifier,shallow,deep,serves
trained,V,pool,logits,yes
random,V,pool,logits,open
trained,R,block,logits,no
random,R,block,logits,yes
""",
    "depth_layers": """classifier,depth,layer,passed_by_all
V,1,pool,False
V,2,logits,True
R,1,block,True
R,2,logits,True
""",
}
VOID = {"meta", "img", "br", "input"}


def trained(seeds=1, replicates=1):
    """The study with so many seeds and replicates."""
    finetune = STUDY.finetune.model_copy(update={"replicates": replicates})
    changes = {"seeds": list(range(seeds)), "finetune": finetune}
    return STUDY.model_copy(update=changes)


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
        images=50000, seeds=1, top1=0.323, top1_difference=-0.0122, top5=0.5463,
        top1_low=0.32, top1_high=0.327, top1_sd=np.nan, top1_difference_low=-0.02,
        top1_difference_high=-0.01,
    )  # fmt: skip
    table1["top5_difference"] = 0.0316
    own = table1["input"] == "original"
    table1.loc[own, [name for name in table1 if "difference" in name]] = np.nan
    parts = table1[table1["input"] == "A_i"].drop(columns="input")
    parts.insert(0, "part", "decoder")
    information = pandas.DataFrame(
        {"source": f"decoder-{name}", "label": f"A_{name}", "measure": measure}
        | {"bins": bins, "images": 50000, "mean": mean, "sd": 0.03, "rank": 1}
        | {"low": mean - 0.012, "high": mean + 0.012}
        for bins in (256, 32)
        for measure in ("intra", "inter")
        for name, mean in zip("LAVIR", (0.22, 0.17, 0.3, 0.12, 0.2), strict=True)
    )
    costs = pandas.DataFrame(
        [("predict", "a", 9.2, 12.0, 1200.4), ("predict", "b", 60.0, np.nan, np.nan)],
        columns=["rule", "job", "seconds", "cpu_seconds", "peak_mb"],
    )
    rrc = rrc_table(table2, chance=np.full(len(table2), 0.1))
    rrc = rrc.assign(rrc_low=rrc["rrc"] - 0.02, rrc_high=rrc["rrc"] + 0.02)
    rrc["rrc_sd"] = np.nan
    accuracy = table2.melt("autoencoder", var_name="classifier", value_name="top1")
    accuracy = accuracy.rename(columns={"autoencoder": "label"}).assign(
        strength=0.0,
        top1_low=accuracy["top1"] - 0.004,
        top1_high=accuracy["top1"] + 0.004,
    )
    chains = pandas.DataFrame(
        {
            "threshold": [0.1, 0.2, 0.8, 0.9],
            "chain": [True, True, True, False],
            "share": [1.0, 0.99, 0.934, 0.04],
        }
    )
    agreement = chains[["threshold"]].assign(
        trainings=1, kendall_w=np.nan, lattice_share=np.nan
    )
    pairs = itertools.combinations("VLRAI", 2)
    orders = pandas.DataFrame(pairs, columns=["network", "other"]).assign(
        threshold=0.8, established=True
    )
    variance = accuracy[["label", "classifier", "top1"]].assign(
        images_sd=0.002, replicates_sd=0.0151, seeds_sd=np.nan
    )
    comparison = pandas.DataFrame(
        [
            ("a", "3.3", "number", "Top-1 of L", "0.323", "0.4", 0.077,
             0.39, 0.41, np.nan, "fails", np.nan),
            ("b", "3.4", "claim", "A <chain> at A_V", "chain", "chain", np.nan,
             np.nan, np.nan, 0.07, "holds", "5 concepts"),
            ("c", "3.3, 4", "claim", "On YFCC100m", np.nan, np.nan, np.nan,
             np.nan, np.nan, np.nan, "untestable", "no such images"),
        ],
        columns=["id", "section", "kind", "statement", "paper", "ours", "difference",
                 "low", "high", "null", "verdict", "why"],
    )  # fmt: skip
    return {
        "accuracy": accuracy,
        "table1": table1,
        "table2": table2,
        "parts": parts,
        "rrc": rrc,
        "information": information,
        "chains": chains,
        "agreement": agreement,
        "orders": orders,
        "correlations": pandas.DataFrame(
            {
                "similarity": ["kappa", "agreement"],
                "pairs": [10, 10],
                "rho": [0.812, -0.1],
                "p": [1 / 60, 0.8],
            }
        ),
        "variance": variance,
        "comparison": comparison,
        "costs": costs,
    } | {
        name: pandas.read_csv(io.StringIO(text))
        for name, text in (COMPANIONS | DEPTH).items()
    }


@pytest.fixture(scope="module")
def lattices(tables):
    return [
        build_lattice(tables["rrc"], threshold) for threshold in (0.1, 0.2, 0.8, 0.9)
    ]


@pytest.fixture(scope="module")
def distinct(tables):
    """What ``distinct-lattices.json`` holds."""
    return [
        build_lattice(tables["rrc"], threshold) | {"share": 0.5}
        for threshold in thresholds(tables["rrc"])
    ]


def made_gallery(side=32, images=3, networks="LAVIR"):
    """Arrays as ``gallery.npz`` has them, of noise: no PNG gets greater."""
    chance = np.random.default_rng(0)
    sources = ["pretrained", *(f"decoder-{name}" for name in networks)]
    shape = (2, images, side, side, 3)
    return {
        "sources": np.array(sources),
        "labels": np.array(["A_S", *(f"A_{name}" for name in networks)]),
        "strengths": np.array([0.5, 0.0]),
        "index": np.arange(images),
        "truth": np.array([f"class <{i}>" for i in range(images)]),
        "originals": chance.integers(0, 256, shape, dtype=np.uint8),
        "reconstructions": chance.integers(
            0, 256, (2, len(sources), *shape[1:]), dtype=np.uint8
        ),
    }


@pytest.fixture(scope="module")
def gallery():
    return made_gallery()


@pytest.fixture
def figures(tmp_path):
    paths = [tmp_path / f"{stem}.png" for stem in FIGURES]
    for path in paths:
        path.write_bytes(png())
    return paths


@pytest.fixture
def write(tables, lattices, distinct, gallery, figures, tmp_path):
    """Function: the report's text, with any argument exchanged."""

    def text(**changes):
        html = tmp_path / "report.html"
        given = {"figures": figures, "assets": CAPTIONS, "study": STUDY}
        given |= {"tables": tables, "lattices": lattices, "record": RECORD}
        given |= {"distinct": distinct, "gallery": gallery, "deviations": DEVIATIONS}
        given |= {"cleaning": CLEANING} | changes
        given["figures"] = describe_figures(given["figures"], given["study"])
        write_page(html, ReportInputs(**given))
        return html.read_text()

    return text


class Page(HTMLParser):
    """What a page consists of; complains where a tag is not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words, self.islands = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if dict(attributes).get("type") == "application/json":
            self.islands.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        if self.open[-1:] == ["script"] and self.tags[-1][1].get("type"):
            self.islands[-1] += data
        elif not {"style", "script"} & set(self.open):
            self.words += data.split()

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def test_answer_of_the_printed_table_is_the_papers(tables, lattices):
    found = rank_networks(tables["rrc"], lattices, tables["information"], 256)
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
    rrc = rrc_table(flat)
    rrc[["rrc_low", "rrc_high", "rrc_sd"]] = 1.0, 1.0, np.nan
    found = rank_networks(rrc, [build_lattice(rrc, 0.5)], tables["information"], 256)
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


def test_page_of_one_training_says_that_another_is_not_known(write):
    words = " ".join(Page(write()).words)
    assert "This is the answer of one training." in words
    assert "the variance of the images alone" in words
    assert "Kendall" not in words


@pytest.mark.parametrize(
    ("established", "sentence"),
    [
        (["VA", "VI", "LI"], "at t = 0.8 : the signal of V serves more of the other"
         " networks than those of A and I; the signal of L serves more of the other"
         " networks than that of I. On no other two do they agree that far."),
        ([], "No order of the networks is established: at t = 0.8, there are no two"),
    ],
)  # fmt: skip
def test_page_of_replicates_says_what_all_agree_on(
    write, tables, established, sentence
):
    orders = tables["orders"].copy()
    orders["established"] = (orders["network"] + orders["other"]).isin(established)
    agreement = tables["agreement"].assign(
        trainings=3, kendall_w=0.912, lattice_share=2 / 3
    )
    changed = tables | {"orders": orders, "agreement": agreement}
    words = " ".join(Page(write(tables=changed, study=trained(replicates=3))).words)
    assert sentence.replace(" :", ":") in words.replace(" :", ":")
    assert "all 3 replicates" in words
    assert "Kendall’s W is 0.91" in words
    assert "67 % of them have the very lattice of the average" in words
    assert "uses the most of the input" not in words
    assert "the fine-tuning of the autoencoders (3 replicates" in words
    assert "1.51 –" in words  # of replicates, of seeds


def test_page_says_that_networks_tie(write, tables):
    flat = tables["table2"].copy()
    flat[list("LAVIR")] = 0.5
    rrc = rrc_table(flat, chance=np.zeros(len(flat)))
    rrc[["rrc_low", "rrc_high", "rrc_sd"]] = 1.0, 1.0, np.nan
    agreement = tables["agreement"].assign(threshold=0.5)
    changed = tables | {"table2": flat, "rrc": rrc, "agreement": agreement}
    words = " ".join(
        Page(write(tables=changed, lattices=[build_lattice(rrc, 0.5)])).words
    )
    assert "No network's signal stands out: at t = 0.5, each serves all 4 others." in (
        words
    )
    assert "has a single concept" in words
    assert "The orders differ." in words


def test_page_refers_to_nothing_outside_itself(write):
    text = write()
    page = Page(text)
    assert not page.all("link", "iframe", "object")
    assert not any("src" in script for script in page.all("script"))
    assert not re.search(r"https?:|url\(|@import|srcset", text)
    assert all(
        image.get("src", "data:image/png;").startswith("data:image/png;")
        for image in page.all("img")
    )
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= ids


def test_page_holds_every_figure_described_for_those_who_cannot_see(write):
    images = [image for image in Page(write()).all("img") if "src" in image]
    assert len(images) == len(FIGURES)
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
    top1 = "<td>32.30<br><small>32.00 to 32.70</small></td>"
    for cell in (top1, "<td>−1.22<br>", "<td>+3.16</td>", "50,000"):
        assert cell in text
    assert "<td>1 min 09 s</td><td>12.0 s</td>\n<td>1,200 MB</td>" in text
    enough = re.findall('class="enough( unsure)?"', text)
    assert len(enough) == 15  # pairs of the print with RRC >= 0.8
    assert text.count('class="own"') == 5


def test_record_names_versions_but_not_settings_twice(write):
    words = " ".join(Page(write()).words)
    assert "python 3.11.2, torch 2.13.0" in words
    assert "512" not in words
    assert "commit 0123456789ab" in words


def test_settings_are_there_to_unfold(write):
    page = Page(write())
    assert len(page.all("details")) == 3  # with the values and the paper's numbers
    assert "1281167" in page.words


def test_names_cannot_break_the_page(write):
    study = STUDY.model_copy(update={"study": "<script>alert(1)</script>"})
    assert "<script>alert" not in write(study=study)
    assert typeset_signals("A_V < A_i∘j") == (
        "<i>A</i><sub>V</sub> &lt; <i>A</i><sub>i</sub>∘j"
    )


CAPTION_FILES = sorted({*CAPTIONS.glob("*.rst")} - {CAPTIONS / "figure.rst"})
"""Captions of the tables; the figures' are functions, which that file passes on."""


@pytest.mark.parametrize("path", CAPTION_FILES, ids=lambda p: p.stem)
def test_captions_need_only_the_config_and_name_their_source(path):
    text = path.read_text()
    page = jinja2.Template(text, undefined=jinja2.StrictUndefined)
    said = page.render(snakemake=SimpleNamespace(config=CONFIG))
    assert len(said.split()) > 15
    if path.stem != "table-costs":
        papers = r"(Palacio et al\. 2018|Mahendran & Vedaldi 2016|Despraz et al\. 2017)"
        source = rf"{papers},? (Figure|Table|section)s? [\d.]+"
        found = re.search(source, " ".join(said.split()))
        assert found, said
        number = re.search(r"\d+$", path.stem)
        assert number is None or found[0].rstrip(".").endswith(number[0])
    assert said.count("``") % 2 == 0


def test_every_figure_and_caption_is_used(write):
    text = write(study=trained(replicates=3))
    for stem in (*all_figures(), *(path.stem for path in CAPTION_FILES)):
        shown = f'id="{stem}"' in text
        assert shown is (stem != "synthesis-sheet"), stem  # too great for a page


def test_caption_paragraphs_become_html():
    assert paragraphs_to_html("One ``x < 1``\nof A_S.\n\nTwo.\n") == (
        "<p>One <code>x &lt; 1</code>\nof <i>A</i><sub>S</sub>.</p><p>Two.</p>"
    )


def test_fine_figures_shrink_to_what_screens_show(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (700, 2100, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "fine.png", dpi=(300, 300))
    (shown,) = embed_images([tmp_path / "fine.png"], 10_000_000)
    assert (shown["width"], shown["height"]) == (875, 292)
    kept = Image.open(io.BytesIO(base64.b64decode(shown["src"].partition(",")[2])))
    assert kept.size == (1750, 584)


def test_the_largest_figures_shrink_first_and_all_fit(tmp_path):
    chance, paths = np.random.default_rng(0), []
    for name, side in (("small", 40), ("large", 400)):
        pixels = chance.integers(0, 255, (side, side, 3), dtype=np.uint8)
        paths.append(tmp_path / f"{name}.png")
        Image.fromarray(pixels).save(paths[-1], dpi=(200, 200))
    small, large = embed_images(paths, 200_000)
    assert small["src"].startswith("data:image/png;")
    assert large["src"].startswith("data:image/webp;")
    assert 100_000 < len(large["src"]) + len(small["src"]) <= 200_000
    assert (large["width"], large["height"]) == (250, 250)
    kept = base64.b64decode(small["src"].partition(",")[2])
    assert kept == paths[0].read_bytes()


def test_missing_figure_is_told(write, figures):
    with pytest.raises(UserError, match="figure-6 missing; make figures first"):
        write(figures=[path for path in figures if path.stem != "figure-6"])


def test_a_study_without_optional_parts_has_a_report_too(write, figures):
    some = [path for path in figures if path.stem not in OPTIONAL]
    assert {"salient-phase", "synthesis-modes"} < OPTIONAL
    text = write(figures=some, cleaning=None)
    Page(text)
    for name in (*OPTIONAL, "photographs", "table-cleaning"):
        assert f'id="{name}"' not in text
        assert f'href="#{name}"' not in text


def test_the_companion_studies_say_what_their_tables_hold(write):
    page = re.sub(r"<[^>]+>|\s+", " ", write())
    assert re.search(r"A +logits +DeSaliNet +0\.99 +0\.98 to 0\.99 +−0\.11", page)
    assert "pool1" not in page  # the deepest layer speaks for all
    assert re.search(r"both +0\.225 +0\.221 to 0\.229", page)
    assert re.search(r"both +masks +4\.30 +3\.80 to 4\.80 +46", page)
    assert re.search(
        r"A +DeSaliNet +93\.50 +93\.00 to 94\.00 +75\.90 +70\.00 to 81\.00 +60 ", page
    )
    assert re.search(r"VGG-16 \(paper\) +SaliNet +82\.45 +56\.33 +4276", page)
    assert re.search(r"V +scratch +10 +90\.00 +70\.00 to 100\.00 +72\.00", page)


def test_photographs_stand_beside_the_papers(write):
    text = write()
    words = " ".join(Page(text).words)
    assert "The rules ( palacio2018 ) reject 5.00 % of these and keep 950 ;" in words
    assert "Between 1.5 and 4 % is what these rules" in words
    assert "1 of 2,000 shards rejects more or less than chance allows (1204)" in words
    assert (
        "29 photographs too many in 1 group of the very same file, and 1 in 12" in words
    )
    assert "50,000 validation images, 1 is among the photographs" in words
    assert "1 file that 20 users or more have, 1,234 times in all" in words
    assert "CC BY-NC-SA" in words
    assert "<td>92,089,479</td>" in text
    assert "flat : it is flat" in words
    assert "it is missing" not in words


def test_a_faultless_cleaning_warns_of_nothing(write):
    fine = CLEANING | {"unusual": None, "outside": [], "proposed": 0}
    nothing = {"photos": 0, "images": 0}
    fine |= {"overlap_exact": nothing, "overlap_near": nothing}
    words = " ".join(Page(write(cleaning=fine)).words)
    assert "is what these rules" not in words
    assert "All 2,000 shards reject as much as chance allows" in words
    assert "no further placeholder is suspected" in words
    assert "may have seen these" not in words


@pytest.mark.parametrize(
    ("seeds", "replicates", "kind"),
    [(2, 1, "seeds"), (1, 3, "replicates"), (2, 3, "seeds")],
)
def test_the_spread_over_trainings_stands_beside_the_interval(
    write, tables, seeds, replicates, kind
):
    several = {name: table.copy() for name, table in tables.items()}
    several["table1"]["top1_sd"] = 0.0042
    several["rrc"]["rrc_sd"] = 0.013
    page = write(tables=several, study=trained(seeds, replicates))
    assert f"32.00 to 32.70; ± 0.42 over {kind}" in page
    assert f"; ± 0.013 over {kind})" in page


def test_figure_that_was_never_drawn_is_told(write, figures):
    next(path for path in figures if path.stem == "figure-2").unlink()
    with pytest.raises(UserError, match=r"figure-2\.png: no such figure"):
        write()


def test_figure_without_a_place_is_told(write, figures, tmp_path):
    with pytest.raises(UserError, match="no place for figure-10"):
        write(figures=[*figures, tmp_path / "figure-10.png"])


def test_missing_caption_is_told(write, tmp_path):
    folder = tmp_path / "captions"
    folder.mkdir()
    for path in CAPTIONS.iterdir():
        if path.name != "table-1.rst":
            (folder / path.name).write_text(path.read_text())
    with pytest.raises(UserError, match=r"table-1\.rst: no such caption"):
        write(assets=folder)


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
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_lists_read_as_spoken(names, said):
    assert join_names(names) == said


def test_command_line_reads_files_and_json(
    tables, lattices, distinct, gallery, figures, tmp_path
):
    arguments = []
    for name, table in tables.items():
        path = tmp_path / f"{name}.csv"
        table.to_csv(path, index=False)
        arguments += [f"--{name.replace('_', '-')}", str(path)]
    np.savez(tmp_path / "gallery.npz", **gallery)
    (tmp_path / "deviations.md").write_text(DEVIATIONS)
    (tmp_path / "distinct.json").write_text(json.dumps(distinct))
    (tmp_path / "record.json").write_text(
        '{"images_seen": "9 images, 2 of them twice"}'
    )
    arguments += ["--gallery", str(tmp_path / "gallery.npz")]
    arguments += ["--deviations", str(tmp_path / "deviations.md")]
    arguments += ["--distinct", str(tmp_path / "distinct.json")]
    arguments += ["--pretraining", str(tmp_path / "record.json")]
    (tmp_path / "lattices.json").write_text(json.dumps(lattices))
    (tmp_path / "cleaning.json").write_text(json.dumps(CLEANING))
    arguments += ["--cleaning", str(tmp_path / "cleaning.json")]
    arguments += ["--lattices", str(tmp_path / "lattices.json")]
    arguments += ["--figures", *map(str, figures)]
    html = tmp_path / "made.html"
    arguments += ["--record", str(tmp_path / "made.json")]
    Report.main([*arguments, "--settings", json.dumps(CONFIG), "--html", str(html)])
    record = json.loads((tmp_path / "made.json").read_text())
    assert record["stage"] == "report"
    assert record["settings"]["study"] == CONFIG["study"]
    words = " ".join(Page(html.read_text()).words)
    assert "V > L > R > A > I" in words
    assert "numpy " + np.__version__ in words
    assert "images of A_S 9 images, 2 of them twice" in words
    assert "Where the photographs come from" in words


def test_what_rrc_has_in_common_with_errors_is_said(write):
    words = " ".join(Page(write()).words)
    assert "rank correlation of 0.81 ( p = 0.017, Mantel’s test): networks" in words
    assert "of -0.10 ( p = 0.8): chance gives as much too often to tell" in words
    assert "this too. Over the 10 pairs" in words


def test_settings_that_are_no_json_are_told():
    paths = [word for flag in Report.flags() for word in (flag.option, "x")]
    paths[paths.index("--settings") + 1] = "{study: demo"
    with pytest.raises(UserError, match="--settings: Invalid JSON"):
        Report.parse(paths)


def test_text_islands_are_json_that_a_browser_reads(write, distinct):
    def refuse(name):
        raise ValueError(name)

    drawn, pictures = sorted(
        (json.loads(text, parse_constant=refuse) for text in Page(write()).islands),
        key=lambda one: "images" in one,
    )
    assert drawn["threshold"] == 0.8
    assert [one["high"] for one in drawn["lattices"]] == sorted(
        one["high"] for one in distinct
    )
    assert set(drawn["colours"]) == set("LAVIR")
    assert pictures["sources"] == ["original", "A_S", *(f"A_{i}" for i in "LAVIR")]
    assert pictures["small"]
    assert all(len(one["pictures"]) == 7 for one in pictures["images"])


def test_slider_reaches_every_context_of_the_print(tables, distinct):
    drawn = lattice_slider(distinct, Figures(), 0.8)["lattices"]
    assert drawn[0]["low"] == 0
    assert drawn[-1]["high"] == 1
    assert all(one["high"] == after["low"] for one, after in itertools.pairwise(drawn))
    at = {
        t: next(one for one in drawn if t <= one["high"]) for t in (0.1, 0.2, 0.8, 0.9)
    }
    assert [len(one["concepts"]) for one in at.values()] == [2, 4, 5, 6]
    assert [one["chain"] for one in at.values()] == [True, True, True, False]


def test_share_that_was_not_measured_is_null(distinct):
    drawn = lattice_slider([distinct[0] | {"share": np.nan}], Figures(), 0.8)
    assert drawn["lattices"][0]["share"] is None


def test_colours_of_further_networks_are_css(distinct):
    drawn = lattice_slider(distinct, Figures(palette={"L": "red"}), 0.8)
    assert drawn["colours"]["L"] == "#ff0000"
    assert all(re.fullmatch("#[0-9a-f]{6}", one) for one in drawn["colours"].values())


def test_pictures_are_the_clean_ones(gallery):
    shown = reconstruction_viewer(gallery, 10**6)["images"][1]["pictures"]
    pixels = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(one.partition(",")[2]))))
        for one in shown
    ]
    assert (pixels[0] == gallery["originals"][1, 1]).all()
    assert (pixels[3] == gallery["reconstructions"][1, 2, 1]).all()


def test_page_stays_below_10_mb_at_the_papers_size(write, gallery):
    text = write(gallery=made_gallery(side=256, images=6))
    assert len(text.encode()) < 10_000_000
    shown = reconstruction_viewer(made_gallery(side=256, images=6), GALLERY_SIZE)
    assert 1 <= len(shown["images"]) < 6
    assert not shown["small"]


def test_one_image_comes_whatever_its_size(gallery):
    assert len(reconstruction_viewer(gallery, 0)["images"]) == 1


def test_great_images_shrink():
    shown = reconstruction_viewer(made_gallery(side=300, images=1, networks="L"), 0)
    data = shown["images"][0]["pictures"][0].partition(",")[2]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (256, 256)


def test_what_needs_the_script_hides_without_it_and_has_a_static_twin(write):
    page = Page(write())
    live = [one for _, one in page.tags if "live" in one.get("class", "").split()]
    assert {one["id"] for one in live} == {"flip", "lattice", "cell-values", "verdicts"}
    assert all("hidden" in one for one in live)
    ids = {one.get("id") for _, one in page.tags}
    assert {"figure-3", "figure-7", "table-2", "table-comparison"} <= ids
    titled = [one for one in page.all("td") if "data-values" in one]
    assert len(titled) == 25
    assert all(one["title"] == one["data-values"] for one in titled)
    rows = [one for one in page.all("tr") if "data-verdict" in one]
    assert len(rows) == 3
    assert not any("hidden" in one for one in rows)


def test_controls_have_names(write):
    page = Page(write())
    assert all(one["aria-label"] for one in page.all("input"))
    assert all(one.get("role") == "img" for one in page.all("svg"))
    text = write()
    for inside in re.findall(r"<button.*?</button>", text, re.S):
        assert "aria-label" in inside or len(re.sub("<.*?>", "", inside)) > 3


def test_cell_says_accuracy_interval_rrc_and_difference(write):
    said = [one.get("title", "") for one in Page(write()).all("td")]
    assert (
        "R on A_V: 73.00 % (72.60 to 73.40); RRC 1.019 (0.999 to 1.039);"
        " chance subtracted: 1.022; −1.94 points against its own A_R" in said
    )
    assert (
        "V on A_V: 71.63 % (71.23 to 72.03); RRC 1.000 (0.980 to 1.020);"
        " chance subtracted: 1.000" in said
    )


def test_page_says_how_sure_the_answer_is(write, tables):
    rrc = tables["rrc"]
    wide = rrc.assign(rrc_low=rrc["rrc"] - 0.05, rrc_high=rrc["rrc"] + 0.05)
    words = " ".join(Page(write(tables=tables | {"rrc": wide})).words)
    assert "1 of 20 pairs has t = 0.8 inside its 95 % interval" in words
    assert "could move it. I comes last either way." in words
    assert "L and R have intervals that overlap" in words
    assert "is a chain in 93 % of the draws, as it is here" in words
    assert "means little" not in words


def test_page_says_that_nothing_is_open(write):
    words = " ".join(Page(write()).words)
    assert "all 20 pairs stay on their side of t = 0.8" in words


def test_places_that_other_images_could_change_are_told(tables):
    wide = tables["rrc"].assign(rrc_low=0.0, rrc_high=1.5)
    found = use_bounds(wide, 0.8)
    assert (found["open"], found["first"], found["last"]) == (20, [], [])
    found = use_bounds(tables["rrc"], 0.8)
    assert found["first"] == ["V"]
    assert found["least"]["V"] == found["most"]["V"] == 4


def test_support_of_a_lattice_that_is_no_chain_counts_those_without(tables, lattices):
    assert resample_support(tables["chains"], lattices[3]) == pytest.approx(0.96)
    assert resample_support(tables["chains"], lattices[2]) == 0.934
    strange = lattices[0] | {"threshold": 0.5}
    assert np.isnan(resample_support(tables["chains"], strange))


def test_networks_near_chance_are_told(write, tables):
    table1 = tables["table1"].copy()
    table1.loc[table1.classifier == "L", "top1"] = 0.119
    table1.loc[(table1.classifier == "A") & (table1.input == "A_S"), "top1"] = 0.2
    words = " ".join(Page(write(tables=tables | {"table1": table1})).words)
    assert "L is within 2 points of chance (10.00 %)" in words
    assert "costs A more than half of what it scores above chance" in words


def test_without_labels_the_page_speaks_of_agreement(write, tables):
    table1 = tables["table1"].assign(top1=0.4)
    table1.loc[table1["input"] == "original", "top1"] = 1.0
    page = write(
        study=STUDY.model_copy(update={"reference": "predictions"}),
        tables=tables | {"table1": table1},
    )
    found, _ = page.split('<h2 id="comparison">')
    assert "have no labels" in found
    assert "Table 1. Agreement on originals" in found
    assert "more than half of\ntheir own predictions" in found
    assert "accurac" not in found.lower()
    assert "above chance" not in found
    assert "have no labels" not in write()


def test_comparison_is_counted_and_grouped(write):
    text = write()
    words = " ".join(Page(text).words)
    rest = "≈ undecided: 0 ∅ says nothing: 0 ? untestable:"
    assert f"✓ holds: 1 ✗ fails: 0 {rest} 1" in words
    assert f"✓ holds: 0 ✗ fails: 1 {rest} 0" in words
    assert "chain chain 7 %" in words
    assert "A <chain> at A V" in words
    assert "nan" not in words
    assert words.index("Section 3.3") < words.index("On YFCC100m")
    assert words.index("On YFCC100m") < words.index("Section 3.4")
    assert words.index("A <chain>") < words.index("Top-1 of L")


def test_strange_verdict_is_told(write, tables):
    strange = tables["comparison"].assign(verdict="maybe")
    with pytest.raises(UserError, match="verdict 'maybe' is none of holds, fails"):
        write(tables=tables | {"comparison": strange})


def test_deviations_come_without_title_links_and_markup(write):
    text = write()
    assert (
        "<p>Those of <i>A</i><sub>S</sub>, elsewhere.</p>\n<h3>Everywhere</h3>" in text
    )
    assert "<code>clip</code> &lt;b&gt;on&lt;/b&gt;" in text


def test_open_definitions_are_the_settings_own_words(write):
    words = " ".join(Page(write()).words)
    for row in open_definitions(STUDY):
        assert (
            f"{row['key']} {row['value']} the same" in words or row["default"] in words
        )
        assert " ".join(row["text"].split()) in words


def test_every_setting_that_is_not_in_print_is_among_the_open_ones():
    models = {"": Study} | {
        f"{name}.": type(Study.model_fields[name].default)
        for name in ("finetune", "predict", "information")
    }
    said = {
        prefix + name
        for prefix, model in models.items()
        for name, one in model.model_fields.items()
        if "not in print" in one.description
    }
    assert len(said) >= 5
    assert said <= set(OPEN)


CHROMIUM = (
    shutil.which("chromium")
    or shutil.which("chromium-browser")
    or (shutil.which("google-chrome"))
)


ACTS = """
const at = (selector) => document.querySelector(selector);
const told = () => at("#cell-values").textContent;
const seen = [];
const slider = at("#lattice input");
slider.value = 0.9;
slider.dispatchEvent(new Event("input"));
seen.push(at("#lattice output").textContent, at("svg").querySelectorAll("circle").length);
at("#lattice button").click();
seen.push(at("#lattice output").textContent);
const cell = at("#table-2 td[data-values]");
cell.focus();
seen.push(told());
const key = { key: "ArrowRight", bubbles: true };
document.activeElement.dispatchEvent(new KeyboardEvent("keydown", key));
seen.push(told(), cell.tabIndex, document.activeElement.tabIndex);
at("#flip button").click();
seen.push(at("#flip img").alt);
at("#flip button").click();
seen.push(at("#flip img").alt);
document.querySelectorAll("#verdicts input")[1].click();
seen.push([...document.querySelectorAll("tr[data-verdict]")]
  .filter((row) => !row.hidden).map((row) => row.dataset.verdict));
at("title").textContent = JSON.stringify(seen);
"""


def browse(page, profile):
    """The document and the complaints that a browser makes of a page."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-sync",
         "--disable-component-update", f"--user-data-dir={profile}",
         "--enable-logging=stderr", "--dump-dom", str(page)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: the report's script was NOT tried"
)


@needs_browser
def test_a_browser_draws_the_live_parts_without_complaint(write, tmp_path):
    write()
    dom, complaints = browse(tmp_path / "report.html", tmp_path / "profile")
    assert complaints == []
    live = re.findall(r'<(?:figure|div|output) [^>]*class="live[^>]*>', dom)
    assert len(live) == 4
    assert not any("hidden" in one for one in live)
    svg = re.search("<svg.*?</svg>", dom, re.DOTALL)[0]
    assert svg.count("<circle") == 5  # the print's chain at t = 0.8
    assert svg.count("<line") == 4
    assert "t = 0.800: 5 concepts, a chain" in dom
    assert dom.count('name="Seen through"') == 7
    assert dom.count('name="Show"') == 4
    assert dom.count('role="gridcell"') == 25
    assert "class &lt;0&gt;, reconstructed by A_R" in dom


@needs_browser
def test_the_live_parts_answer_slider_keys_and_buttons(write, tmp_path):
    page = tmp_path / "acted.html"
    page.write_text(write().replace("</body>", f"<script>{ACTS}</script></body>"))
    dom, complaints = browse(page, tmp_path / "profile")
    assert complaints == []
    title = re.search("<title>(.*?)</title>", dom)[1]
    lattice, nodes, stepped, first, second, *rest = json.loads(
        title.replace("&lt;", "<").replace("&gt;", ">")
    )
    assert lattice.startswith("t = 0.900: 6 concepts, no chain; the same for 0.886 < t")
    assert lattice.endswith("found in 50 % of the draws.")
    assert nodes == 6
    assert "the same for 0.883 < t \N{LESS-THAN OR EQUAL TO} 0.886" in stepped
    assert first.startswith("L on A_L: 34.84 %")
    assert second.startswith("A on A_L: 30.77 %")
    assert rest == [
        -1,
        0,
        "class <0>, the original",
        "class <0>, reconstructed by A_R",
        ["untestable"],
    ]


def test_pairs_that_are_not_above_chance_are_marked_and_told(write, tables):
    words = " ".join(Page(write()).words)
    assert "Guessing by the frequencies of the classes scores 10.00 %" in words
    pairs = "A A ∘V, A R ∘L, A A ∘L, A R ∘V, A L ∘V and A A ∘R"
    assert f"not above it (95 % interval): {pairs}." in words
    assert words.count("(not above it)") >= 6
    assert write().count("†</td>") == 6
    above = tables["rrc"].assign(above_chance=True)
    text = write(tables=tables | {"rrc": above})
    assert "every pair lies above it (95 % interval)" in " ".join(Page(text).words)
    assert "†</td>" not in text


def test_depth_says_where_signal_is_lost_and_how_sure_that_is(write, tables, figures):
    text = " ".join(Page(write()).words)
    assert (
        "V : most signal is lost between pool and logits: 0.040 of nMI (0.030 to 0.050)"
        in text
    )
    assert "spatial frequencies up to 1/2 cycles per pixel (25 % as much" in text
    assert "the same step loses 0.020 of nMI (0.010 to 0.030), but their tuning" in text
    assert "Too short a tuning at logits (random weights)." in text
    assert "R : where it loses most is not established." in text
    assert (
        "in 0 of 1 pairs of layers; the other way round, or open: block for logits (no)."
        in text
    )
    assert (
        "R keeps more than V: 0.012 of nMI (−0.001 to 0.025), which is not established."
        in text
    )
    assert "bypasses pool of V:" in text
    unsure = tables["depth_losses"].replace({"verdict": "certain"}, "likely")
    unsure = unsure.assign(share=0.6, part_share=0.6)
    text = " ".join(Page(write(tables=tables | {"depth_losses": unsure})).words)
    assert "signal is lost, and in 60 % of the draws most of it, between pool" in text
    assert "ceases to notice" not in text
    rest = {name: table for name, table in tables.items() if name not in DEPTH}
    paths = [path for path in figures if not path.stem.startswith("depth")]
    assert "Where in the networks" not in write(tables=rest, figures=paths)
