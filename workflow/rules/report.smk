"""Report: what the study found and what it cost, in one file."""

from s2snets.report.open_definitions import open_definitions
from s2snets.runtime.fingerprint import file_digest
from s2snets.stages.report import Report, TabulateCosts

# What takes time; the rest are tables and drawings of seconds.
MEASURED = [
    collect(str(measured.benchmark), **axes_of)
    for measured, axes_of in (
        (rules.clean_photos, {"batch": axes.batches}),
        (rules.pack_images, {"set": axes.packed}),
        (rules.train_classifier, {"classifier": axes.trained, "seed": axes.seeds}),
        (rules.export_classifier, {"classifier": axes.exported, "seed": axes.seeds}),
        (rules.pretrain_autoencoder, {"corpus": CORPORA, "seed": axes.seeds}),
        (
            rules.finetune_autoencoder,
            {
                "part": axes.parts,
                "classifier": axes.classifiers,
                "seed": axes.seeds,
            },
        ),
        (rules.predict, {"source": axes.sources, "seed": axes.seeds}),
        (rules.train_denoiser, {"seed": axes.seeds if axes.learned_denoiser else []}),
        (
            rules.predict_denoised,
            {"denoiser": study.denoise.methods, "seed": axes.seeds},
        ),
        (rules.pretrain_lighter, {"size": axes.lighter, "seed": axes.seeds}),
        (rules.predict_lighter, {"size": axes.lighter, "seed": axes.seeds}),
        (
            rules.measure_information,
            {"source": axes.main_sources, "seed": axes.seeds},
        ),
        (rules.reverse_network, {"classifier": axes.reversed, "seed": axes.seeds}),
        (
            rules.train_inverse,
            {"informed": INFORMED_BY if axes.inverted else [], "seed": axes.seeds},
        ),
        (rules.measure_inverse, {"seed": axes.seeds if axes.inverted else []}),
        (rules.segment, {"segmenter": axes.segmenters, "seed": axes.seeds}),
        (
            rules.train_generator,
            {"seed": axes.seeds if "pretrained" in axes.modes else []},
        ),
        (
            rules.synthesise,
            {
                "mode": axes.modes,
                "classifier": axes.preferring,
                "seed": axes.seeds,
            },
        ),
        (
            rules.rank_images,
            {"classifier": axes.preferring, "seed": axes.seeds[:1]},
        ),
    )
]
# Each companion study's, where there is one.
COMPANIONS = {
    "selectivity": axes.reversed,
    "inversion": axes.inverted,
    "segmentation": axes.segmenters,
    "synthesis": axes.preferring,
}
TABLES = [
    "accuracy",
    "table1",
    "table2",
    "parts",
    "rrc",
    "information",
    "chains",
    "comparison",
    "costs",
]


rule tabulate_costs:
    """Time and memory of every job that takes time."""
    input:
        benchmarks=MEASURED,
    output:
        table="<tables>/costs.csv",
    log:
        "<logs>/tabulate_costs.log",
    params:
        **declared(TabulateCosts),
    shell:
        TabulateCosts.command()


rule report:
    """One self-contained HTML file: question, answer, figures, tables, costs."""
    input:
        **{table: f"<tables>/{table}.csv" for table in TABLES},
        **{
            table: f"<tables>/{table}.csv" if networks else []
            for table, networks in COMPANIONS.items()
        },
        lattices="<tables>/lattices.json",
        distinct="<tables>/distinct-lattices.json",
        gallery="<tables>/gallery.npz",
        validation="<results>/data/validation/index.json",
        cleaning=rules.audit_photos.output.summary if study.clean else [],
        deviations=os.path.relpath(LIBRARY.parent / "docs/deviations.md"),
        figures=collect(
            "<figures>/{stem}.png",
            stem=[one.stem for one in DRAWINGS if one.figure.reported],
        ),
        rest=rules.figures.input,
    output:
        html="<results>/report.html",
    log:
        "<logs>/report.log",
    params:
        **declared(Report),
        definitions=open_definitions(study),
        templates=file_digest(sorted((LIBRARY / "s2snets/assets/report").iterdir())),
    shell:
        Report.command()


localrules:
    all,
    tabulate_costs,
    report,
