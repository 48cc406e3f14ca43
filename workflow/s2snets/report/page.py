"""The study as one offline HTML file: question, answer, evidence, record."""

import re
from types import SimpleNamespace

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from s2snets.config import Figures
from s2snets.report import certainty
from s2snets.report import report_data as islands
from s2snets.report.companions import companions
from s2snets.report.documents import definitions, markdown, signal
from s2snets.report.pictures import embed
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing

FIGURES = {
    "cleaned-photographs": (
        "What became of the photographs",
        "Two charts: the number of rows of each outcome as dots on a logarithmic axis,"
        " and the rejected part of every shard as points within the band of chance.",
    ),
    "figure-2": (
        "Figure 2. Reconstruction error",
        "Line chart: mean square error falling over the images seen, for both"
        " pretraining corpora, training and validation.",
    ),
    "lighter-autoencoders": (
        "Lighter autoencoders",
        "Two line charts over multiply-adds: the reconstruction error of autoencoders"
        " of several widths and depths, and each network's accuracy through them.",
    ),
    "figure-3": (
        "Figure 3. Reconstructions",
        "Grid of photographs: the original and every autoencoder's reconstruction,"
        " each with an enlarged centre and three colour histograms.",
    ),
    "figure-4": (
        "Figure 4. Noise, seen",
        "Grid of photographs: one image under growing noise, as given and as two"
        " autoencoders reconstruct it.",
    ),
    "figure-5": (
        "Figure 5. Noise, measured",
        "Two line charts: accuracy falling with noise strength, dashed on the noisy"
        " images, solid on their reconstructions.",
    ),
    "denoisers": (
        "Denoisers in the autoencoder's place",
        "Line charts, one a network: accuracy falling with noise strength, on the noisy"
        " images, through A_S and A_i, and through each denoiser.",
    ),
    "cross-evaluation": (
        "Table 2 as a picture",
        "Heat map: accuracy of every network on every autoencoder's reconstructions;"
        " the numbers are those of Table 2.",
    ),
    "figure-6": (
        "Figure 6. Relative rate of change",
        "Bar chart: the relative rate of change of every pair in ascending order, with"
        " a line at 1; the numbers are in the table of RRC.",
    ),
    "figure-7": (
        "Figure 7. Who uses whose signal",
        "Line diagrams of concept lattices, one a threshold: nodes in layers, joined"
        " by edges, networks above and signals below them.",
    ),
    "lattice-barcode": (
        "Every lattice",
        "Chart over the threshold: the number of concepts, how often each lattice"
        " recurs, and a horizontal bar for each concept where it exists, in one colour"
        " where the order is total and in another where it is not.",
    ),
    "figure-8": (
        "Figure 8. Which pairs are compared",
        "Two photographs and their reconstructions; arrows marked intra join a"
        " photograph with its reconstructions, arrows marked inter join the two.",
    ),
    "figure-9": (
        "Figure 9. Information that comes through",
        "Points with error bars: intra, inter and shuffled mutual information of each"
        " autoencoder, in the order of the first.",
    ),
    "salient-architectures": (
        "Three reversed architectures",
        "Grid of pictures: images, and beside each what DeConvNet, SaliNet and"
        " DeSaliNet make of them, from a middle layer and from the logits.",
    ),
    "salient-variants": (
        "All eight reversals",
        "Grid of pictures: one image reversed with four rules for rectifiers and two"
        " for max-poolings.",
    ),
    "salient-neurons": (
        "One neuron, another, and a mixture",
        "Grid of pictures: responses for the most active neuron, a random one and a"
        " mixture of all, layer by layer, in three architectures.",
    ),
    "salient-selectivity": (
        "How much the neuron decides",
        "Line charts over depth: similarity of the responses for two neurons of one"
        " image, and of one neuron for two images.",
    ),
    "salient-support": (
        "How far a neuron sees",
        "Grid of pictures: a DeSaliNet response, the same with its weak parts raised,"
        " without what the forward pass told, and with random weights.",
    ),
    "salient-phase": (
        "The bottleneck as a phase",
        "Grid of pictures: an image, its Fourier transform inverted, the same with a"
        " random amplitude, and two reversed networks from a random start.",
    ),
    "salient-lrn": (
        "Local response normalisation",
        "Grid of pictures: responses with the normalisation reversed by"
        " backpropagation and by the identity.",
    ),
    "salient-inversion": (
        "What the bottleneck knows, drawn",
        "Points with error bars: errors of four inverse networks, and their reductions"
        " beside the printed ones.",
    ),
    "salient-segmentation": (
        "Foreground by saliency",
        "Points with error bars for per-pixel accuracy and intersection over union,"
        " and pictures: images, their saliency and the foreground found.",
    ),
    "synthesis-modes": (
        "Preferred images of the classes",
        "Grid of pictures: for each class the image made by a generator from scratch"
        " and by a pretrained one.",
    ),
    "synthesis-bias": (
        "Beside the training images",
        "Grid of pictures: for each class its preferred images above the training"
        " images that the network ranks highest.",
    ),
    "synthesis-filters": (
        "Preferred images of filters",
        "Grid of pictures: images that excite single filters, layer by layer.",
    ),
    "synthesis-compounds": (
        "Two classes in one image",
        "Grid of pictures: the preferred image of each of two classes, and of both at"
        " once.",
    ),
    "synthesis-measures": (
        "Preferred images, measured",
        "Points with error bars: confidence, smoothness and agreement of both kinds of"
        " generator.",
    ),
}
"""File stem, the caption's too -> title, what a reader who cannot see it needs."""

SCORES = {"labels": "accuracy", "predictions": "agreement"}
"""The study's ``reference`` -> what top-1 and top-5 measure."""

OPTIONAL = {"cleaned-photographs", "lighter-autoencoders"}
OPTIONAL |= {stem for stem in FIGURES if stem.startswith(("salient-", "synthesis-"))}
"""Figures of what a study may do without."""

QUANTITIES = {
    "rows": "listed",
    "unwanted": "not wanted",
    "wanted": "wanted",
    "missing": "never obtained",
    "obtained": "obtained",
    "filtered": "rejected",
    "kept": "kept",
}
"""Quantity of the cleaning, and group of outcomes -> what it is called."""

CAPTIONS = ASSETS / "report"
"""Folder of the captions and the page."""

TABLES = {
    "accuracy": ("strength", "label", "classifier", "top1_low", "top1_high"),
    "table1": ("top1_low", "top1_high", "top1_sd"),
    "table2": ("autoencoder",),
    "parts": ("top1_low", "top1_high", "top1_sd"),
    "rrc": ("rrc_low", "rrc_high", "rrc_sd"),
    "information": ("low", "high"),
    "chains": ("threshold", "share"),
    "comparison": ("kind", "section", "statement", "verdict"),
    "costs": ("rule", "seconds"),
}
"""Tables that the report reads, as CSV -> columns that it cannot do without."""

MARKS = {"holds": "\N{CHECK MARK}", "fails": "\N{BALLOT X}", "untestable": "?"}
"""Verdict of a comparison -> its mark."""

PAGE, DRAWN, PICTURES = 9_000_000, 6_000_000, 4_000_000
"""Characters that the figures and the gallery may fill: together, the first, the other.
All stays below 10 MB."""


def prose(text):
    """A caption's paragraphs and inline literals as HTML."""
    paragraphs = [
        re.sub(r"``(.+?)``", r"<code>\1</code>", str(signal(paragraph)))
        for paragraph in re.split(r"\n\s*\n", text.strip())
    ]
    return Markup("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))


def percent(share, signed=False):
    """A share in [0, 1] in percent; a missing one as nothing."""
    if share != share:
        return ""
    text = f"{100 * share:+.2f}" if signed else f"{100 * share:.2f}"
    return text.replace("-", "\N{MINUS SIGN}")


def duration(seconds):
    """Seconds as a reader says them: 8.4 s, 3 min 20 s, 5 h 03 min."""
    if seconds != seconds:
        return ""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def megabytes(size):
    """Memory in MB; one that was never measured as nothing."""
    return "" if size != size else f"{size:,.0f} MB"


def measured(value):
    """A cell of numbers or text; a missing one as nothing."""
    if value != value:
        return ""
    try:
        return f"{float(value):.4g}".replace("-", "\N{MINUS SIGN}")
    except ValueError:
        return value


def listed(names):
    """a; a and b; a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def sequence(ranks):
    """Names by rank, equals joined: ``V > L > A = R``."""
    groups = ranks.groupby(ranks).groups
    return " > ".join(" = ".join(groups[rank]) for rank in sorted(groups))


def answer(rrc, lattices, information, bins):
    """The order of the networks by their signals, in two ways, and the lattices'.

    By use: A_i ranks by the number of other networks j with RRC(A_i∘j) >= t, t the
    middle threshold. By information: by the mean intra nMI at ``bins`` bins.

    Returns:
        dict: threshold, networks (a row each: name, serves, mean_rrc, nmi, low,
        high, use_rank, information_rank), by_use, by_information (both as text), first,
        last (names that lead and end the order by use), lattice (that of t), chains.
    """
    lattice = sorted(lattices, key=lambda one: one["threshold"])[len(lattices) // 2]
    others = rrc[rrc["autoencoder"] != "A_" + rrc["classifier"]]
    enough = others[others["rrc"] >= lattice["threshold"]]
    intra = information[
        (information["measure"] == "intra") & (information["bins"] == bins)
    ].set_index("label")
    table = others.groupby("autoencoder", sort=False)["rrc"].mean().to_frame("mean_rrc")
    table = table.reindex(lattice["attributes"])
    table["serves"] = [
        [j for j in lattice["objects"] if j in set(served)]
        for served in (
            enough.loc[enough["autoencoder"] == label, "classifier"]
            for label in table.index
        )
    ]
    table[["nmi", "low", "high"]] = intra.reindex(table.index)[["mean", "low", "high"]]
    table.index = table.index.str.removeprefix("A_")
    number = table["serves"].str.len()
    table["use_rank"] = number.rank(ascending=False, method="min").astype(int)
    table["information_rank"] = table["nmi"].rank(ascending=False, method="min")
    return {
        "threshold": lattice["threshold"],
        "networks": table.sort_values(
            ["use_rank", "information_rank"], kind="stable"
        ).rename_axis("name").reset_index().to_dict("records"),
        "by_use": sequence(table["use_rank"]),
        "by_information": sequence(table["information_rank"].dropna()),
        "first": list(table.index[number == number.max()]),
        "last": list(table.index[number == number.min()]),
        "most": int(number.max()),
        "least": int(number.min()),
        "others": len(table) - 1,
        "lattice": lattice,
        "chains": sum(one["chain"] for one in lattices),
    }  # fmt: skip


def cost(costs):
    """Costs by rule in the order of the table, and their totals."""
    rules = costs.groupby("rule", sort=False).agg(
        jobs=("job", "size"),
        seconds=("seconds", "sum"),
        cpu_seconds=("cpu_seconds", "sum"),
        peak_mb=("peak_mb", "max"),
    )
    total = rules.sum().to_dict() | {"peak_mb": rules["peak_mb"].max()}
    return rules.reset_index().to_dict("records"), total


def illustrate(figures, caption, score):
    """Every figure of the argument by its stem: picture, title, alt, caption.

    Args:
        figures: paths.
        caption: function of a stem.
        score: what top-1 measures, a word of ``SCORES``.

    Raises:
        UserError: a figure is missing, or has no place in the report.
    """
    given = {path.stem: path for path in figures}
    if strange := sorted(set(given) - set(FIGURES)):
        raise UserError(f"--figures: the report has no place for {', '.join(strange)}")
    absent = [stem for stem in FIGURES if stem not in {*given, *OPTIONAL}]
    if absent:
        raise UserError(f"--figures: {', '.join(absent)} missing; make figures first")
    for path in figures:
        if not path.is_file():
            raise UserError(f"{path}: no such figure; make figures first")
    shown = [stem for stem in FIGURES if stem in given]
    embedded = embed([given[stem] for stem in shown], DRAWN)
    return {
        stem: {
            "title": FIGURES[stem][0],
            "alt": FIGURES[stem][1].replace("accuracy", score),
            "caption": caption(stem),
        }
        | picture
        for stem, picture in zip(shown, embedded, strict=True)
    }


def compare(table):
    """The comparison by kind: its rows by section, and its verdicts counted.

    Returns:
        dict kind (claim, number) -> (dict of section -> rows, dict of verdict -> how
        many). A row of several sections stands in the first.

    Raises:
        UserError: a verdict that is none of ``MARKS``.
    """
    if strange := sorted(set(table["verdict"]) - set(MARKS)):
        raise UserError(
            f"--comparison: verdict {strange[0]!r} is none of {', '.join(MARKS)}"
        )
    table = table.assign(section=table["section"].astype(str).str.split(",").str[0])
    found = {}
    for kind in ("claim", "number"):
        rows = table[table["kind"] == kind]
        counts = rows["verdict"].value_counts()
        found[kind] = (
            {
                section: group.to_dict("records")
                for section, group in rows.groupby("section")
            },
            {verdict: int(counts.get(verdict, 0)) for verdict in MARKS},
        )
    return found


def write(
    html,
    tables,
    lattices,
    distinct,
    gallery,
    *,
    classes,
    deviations,
    figures,
    captions,
    config,
    record,
    cleaning=None,
):
    """Write the report: one file without any reference to another, below 10 MB.

    Args:
        html: path of the report.
        tables: DataFrames by name, all of ``TABLES``, some of ``companions.TABLES``.
        lattices: what ``lattices.json`` holds.
        distinct: what ``distinct-lattices.json`` holds.
        gallery: the arrays of ``gallery.npz``.
        classes: names of the classes; None: the images have no labels.
        deviations: a Markdown document.
        figures: paths of the PNGs, all of ``FIGURES``.
        captions: folder of ``report.html.j2``, its script and the captions.
        config: the study's settings, plain and complete.
        record: versions, commit and the like, plain.
        cleaning: what ``cleaning.json`` holds; None where no photographs were cleaned.

    Raises:
        UserError: a figure or caption is missing, or a verdict unknown.
    """
    pages = Environment(
        loader=FileSystemLoader(captions),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=lambda name: name.endswith(".html.j2"),
    )
    pages.policies["json.dumps_kwargs"] = {"allow_nan": False}
    pages.filters |= {
        "signal": signal,
        "percent": percent,
        "duration": duration,
        "megabytes": megabytes,
        "listed": listed,
        "measured": measured,
    }

    def caption(name):
        try:
            page = pages.get_template(f"{name}.rst")
        except TemplateNotFound:
            raise UserError(f"{captions}/{name}.rst: no such caption") from None
        return prose(page.render(snakemake=SimpleNamespace(config=config)))

    rrc = tables["rrc"].pivot(index="autoencoder", columns="classifier", values="rrc")
    table2 = tables["table2"].set_index("autoencoder")
    bins = config["information"]["bins"][0]
    found = answer(tables["rrc"], lattices, tables["information"], bins)
    threshold = found["threshold"]
    score = SCORES[config["reference"]]
    shown = illustrate(figures, caption, score)
    budget = PAGE - sum(len(figure["src"]) for figure in shown.values())
    cells = islands.crossings(tables["rrc"], tables["accuracy"])
    rules, total = cost(tables["costs"])
    if cleaning is not None:
        quantities = {row["quantity"]: row for row in cleaning["totals"]}
        cleaning = cleaning | {"total": quantities}
    page = pages.get_template("report.html.j2").render(
        answer=found,
        by_bins={
            other: answer(tables["rrc"], lattices, tables["information"], other)[
                "by_information"
            ]
            for other in config["information"]["bins"][1:]
        },
        caption=caption,
        cleaning=cleaning,
        cells={(i, j): cells[i, j] for i in table2.index for j in table2.columns},
        companions=companions(tables),
        comparison=compare(tables["comparison"]),
        config=config,
        definitions=definitions(config),
        deviations=markdown(deviations, level=3),
        diagrams=islands.diagrams(distinct, Figures(**config["figures"]), threshold),
        figures=shown,
        findings=certainty.findings(tables["table1"], tables["rrc"]),
        lattices=lattices,
        pictures=islands.gallery(gallery, min(PICTURES, budget)),
        record=record,
        rrc=rrc.loc[table2.index, table2.columns],
        rules=rules,
        score=score,
        settings=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
        support=certainty.support(tables["chains"], found["lattice"]),
        table1=tables["table1"].to_dict("records"),
        table2=table2,
        parts=tables["parts"].to_dict("records"),
        ties=certainty.ties(tables["information"], bins),
        total=total,
        use=certainty.use(tables["rrc"], threshold),
        MARKS=MARKS,
        QUANTITIES=QUANTITIES,
        weak=certainty.weakness(tables["table1"], classes and len(classes)),
    )
    with replacing(html) as draft:
        draft.write_text(page, encoding="utf-8")
