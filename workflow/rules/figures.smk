"""Figures: drawn from tables, each as PDF, PNG and the CSV behind it."""

# File stem: the module that draws it, and what it reads by the module's flags: tables,
# or arrays elsewhere.
FIGURES = {
    "figure-2": ("figure2_reconstruction_error", {"curves": "curves.csv"}),
    "figure-3": (
        "figure3_reconstructions",
        {"gallery": "gallery.npz", "lab": "lab.csv"},
    ),
    "figure-4": ("figure4_noise_examples", {"gallery": "gallery.npz"}),
    "figure-5": ("figure5_noise_accuracy", {"noise": "noise.csv"}),
    "denoisers": ("figure_denoisers", {"denoise": "denoise.csv"}),
    "figure-6": ("figure6_rrc", {"rrc": "rrc.csv"}),
    "figure-7": ("figure7_lattices", {"lattices": "lattices.json"}),
    "lattice-barcode": (
        "figure_lattice_barcode",
        {"distinct": "distinct-lattices.json", "chains": "chains.csv"},
    ),
    "figure-8": ("figure8_information_pairs", {"gallery": "gallery.npz"}),
    "figure-9": ("figure9_information", {"information": "information.csv"}),
    "cross-evaluation": ("figure_cross_evaluation", {"table2": "table2.csv"}),
}
if study.clean:
    FIGURES["cleaned-photographs"] = (
        "figure_cleaning",
        {"outcomes": "cleaning.csv", "shards": "cleaning-shards.csv"},
    )
if study.lighter:
    FIGURES["lighter-autoencoders"] = ("figure_lighter", {"lighter": "lighter.csv"})
if study.salient:
    responses = [place("reversed", name) for name in REVERSED]
    FIGURES |= {
        f"salient-{name}": (f"salient_{name}", {"responses": responses})
        for name in SALIENT_PANELS
    }
    FIGURES["salient-selectivity"] = (
        "salient_selectivity",
        {"selectivity": "selectivity.csv"},
    )
if NORMALISING:
    FIGURES["salient-lrn"] = (
        "salient_lrn",
        {"responses": responses, "selectivity": "selectivity.csv"},
    )
if INVERTED:
    FIGURES["salient-inversion"] = ("salient_inversion", {"inversion": "inversion.csv"})
if SEGMENTERS:
    FIGURES["salient-segmentation"] = (
        "salient_segmentation",
        {"segmentation": "segmentation.csv", "examples": "segmentation.npz"},
    )
if study.synthesis:
    FIGURES |= {
        f"synthesis-{name}": (f"synthesis_{name}", {"gallery": "synthesis.npz"})
        for name in SYNTHESIS_PANELS
    }
    FIGURES["synthesis-measures"] = ("synthesis_measures", {"table": "synthesis.csv"})
    FIGURES |= {
        f"synthesis-sheet-{name}-{mode}": (
            "synthesis_sheet",
            {"sweep": [place(f"preferred/{mode}", name)]},
        )
        for name in PREFERRING
        for mode in MODES
    }
# The report has room for all but the sweeps' sheets.
REPORTED = [stem for stem in FIGURES if not stem.startswith("synthesis-sheet-")]


for stem, (module, tables) in FIGURES.items():

    rule:
        name:
            stem.replace("-", "_")
        input:
            **drawn_from(tables),
        output:
            pdf=f"<figures>/{stem}.pdf",
            png=report(
                f"<figures>/{stem}.png",
                caption=f"../s2snets/assets/report/{caption_of(stem)}.rst",
                category="Figures",
                labels={"figure": stem},
            ),
            csv=f"<figures>/{stem}.csv",
        log:
            f"<logs>/draw/{stem}.log",
        benchmark:
            f"<benchmarks>/draw/{stem}.tsv"
        localrule: True
        params:
            code=fingerprint(f"s2snets.figures.{module}"),
            module=module,
            flags=flags,
            settings=study.figures.model_dump_json(),
        shell:
            "python -m s2snets.figures.{params.module} {params.flags}"
            " --settings {params.settings:q} --pdf {output.pdf:q} --png {output.png:q}"
            " --csv {output.csv:q} > {log:q} 2>&1"


localrules:
    figures,


rule figures:
    """Every figure of the paper."""
    input:
        collect("<figures>/{stem}.{form}", stem=FIGURES, form=["pdf", "png", "csv"]),
