"""Report: what the study found and what it cost, in one file."""

from snakemake.io import flag
from snakemake.path_modifier import PATH_MODIFIER_FLAG

from s2snets.report.open_definitions import open_definitions
from s2snets.runtime.fingerprint import file_digest
from s2snets.stages.report import Report, TabulateCosts
from s2snets.study.axes import CORPORA, INFORMED_BY, Axes

SEEDS = study.seeds
MAIN = Axes(study.main)
# A companion study's table -> the axis without which there is none.
COMPANIONS = {
    "selectivity": "reversed",
    "inversion": "inverted",
    "segmentation": "segmenters",
    "synthesis": "preferring",
}
TABLES = [
    "accuracy",
    "table1",
    "table2",
    "parts",
    "rrc",
    "information",
    "chains",
    "agreement",
    "orders",
    "correlations",
    "variance",
    "comparison",
]


def costs(axes):
    """Return the inputs of a study's costs: the jobs that take time.

    The rest are tables and drawings of seconds.
    """
    measured = [
        (rules.clean_photos, dict(batch=axes.batches)),
        (rules.pack_images, dict(set=axes.packed)),
        (rules.train_classifier, dict(classifier=axes.trained, seed=SEEDS)),
        (rules.export_classifier, dict(classifier=axes.exported, seed=SEEDS)),
        (rules.pretrain_autoencoder, dict(corpus=CORPORA, seed=SEEDS)),
        (
            rules.finetune_autoencoder,
            dict(
                part=axes.parts,
                classifier=axes.classifiers,
                seed=SEEDS,
            ),
        ),
        (
            rules.finetune_replicate,
            dict(
                part=axes.parts,
                classifier=axes.classifiers,
                seed=SEEDS,
                replicate=axes.replicates,
            ),
        ),
        (rules.predict, dict(source=axes.sources, seed=SEEDS)),
        (
            rules.predict_replicate,
            dict(
                source=axes.replicated,
                seed=SEEDS,
                replicate=axes.replicates,
            ),
        ),
        (rules.train_denoiser, dict(seed=SEEDS if axes.learned_denoiser else [])),
        (rules.predict_denoised, dict(denoiser=study.denoise.methods, seed=SEEDS)),
        (rules.pretrain_lighter, dict(size=axes.lighter, seed=SEEDS)),
        (rules.predict_lighter, dict(size=axes.lighter, seed=SEEDS)),
        (rules.measure_color, dict(source=axes.main_sources, seed=SEEDS)),
        (rules.measure_information, dict(source=axes.main_sources, seed=SEEDS)),
        (
            rules.measure_replicate,
            dict(
                source=axes.tuned,
                seed=SEEDS,
                replicate=axes.replicates,
            ),
        ),
        (rules.reverse_network, dict(classifier=axes.reversed, seed=SEEDS)),
        (
            rules.train_inverse,
            dict(
                informed=INFORMED_BY if axes.inverted else [],
                seed=SEEDS,
            ),
        ),
        (rules.measure_inverse, dict(seed=SEEDS if axes.inverted else [])),
        (rules.segment, dict(segmenter=axes.segmenters, seed=SEEDS)),
        (rules.train_generator, dict(seed=SEEDS if "pretrained" in axes.modes else [])),
        (
            rules.synthesise,
            dict(mode=axes.modes, classifier=axes.preferring, seed=SEEDS),
        ),
        (rules.rank_images, dict(classifier=axes.preferring, seed=SEEDS[:1])),
    ]
    return dict(
        benchmarks=[benchmarks_of(jobs, **values) for jobs, values in measured],
        records=[collect(jobs.output.record, **values) for jobs, values in measured],
    )


def shown(axes, drawings):
    """Return the tables and figures in the report of a study."""
    tables = {table: f"<tables>/{table}.csv" for table in TABLES}
    for table, axis in COMPANIONS.items():
        tables[table] = f"<tables>/{table}.csv" if getattr(axes, axis) else []
    return tables | dict(
        lattices="<tables>/lattices.json",
        distinct="<tables>/distinct-lattices.json",
        gallery="<tables>/gallery.npz",
        cleaning=rules.audit_photos.output.summary if study.clean else [],
        deviations=checkout_file("docs/deviations.md"),
        pretraining=f"<results>/seed-{SEEDS[0]}/autoencoders/pretrained/photos/record.json",
        figures=collect(
            "<figures>/{stem}.png",
            stem=[one.stem for one in drawings if one.figure.reported],
        ),
    )


rule tabulate_costs:
    """Time and memory of every job that takes time."""
    input:
        **costs(axes),
    output:
        table="<tables>/costs.csv",
    log:
        "<logs>/tabulate_costs.log",
    localrule: True
    params:
        **declared(TabulateCosts),
    shell:
        TabulateCosts.command()


rule report:
    """One self-contained HTML file: question, answer, figures, tables, costs."""
    input:
        **shown(axes, DRAWINGS),
        costs="<tables>/costs.csv",
        rest=rules.figures.input,
    output:
        html="<results>/report.html",
        record="<results>/report.json",
    log:
        "<logs>/report.log",
    localrule: True
    params:
        **declared(Report),
        definitions=open_definitions(study),
        templates=file_digest(sorted((LIBRARY / "s2snets/assets/report").iterdir())),
    shell:
        Report.command()


# Where there are companion studies, the main one's report does not wait for theirs.
use rule tabulate_costs as tabulate_main_costs with:
    input:
        **costs(MAIN),
    output:
        table="<tables>/main-costs.csv",
    log:
        "<logs>/tabulate_main_costs.log",


use rule report as main_report with:
    input:
        **shown(MAIN, MAIN_DRAWINGS),
        costs=rules.tabulate_main_costs.output.table,
    output:
        html="<results>/main-report.html",
        record="<results>/main-report.json",
    log:
        "<logs>/main_report.log",
    params:
        **declared(Report, study.main),
        definitions=open_definitions(study.main),
        templates=rules.report.params.templates,
