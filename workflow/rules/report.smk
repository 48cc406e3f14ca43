"""Report: what the study found and what it cost, in one file."""

from snakemake.io import flag
from snakemake.path_modifier import PATH_MODIFIER_FLAG

from s2snets.report.open_definitions import open_definitions
from s2snets.runtime.fingerprint import file_digest
from s2snets.stages.report import Report, TabulateCosts

SEEDS = study.seeds
# What takes time; the rest are tables and drawings of seconds.
MEASURED = [
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
    (rules.synthesise, dict(mode=axes.modes, classifier=axes.preferring, seed=SEEDS)),
    (rules.rank_images, dict(classifier=axes.preferring, seed=SEEDS[:1])),
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
    "agreement",
    "orders",
    "variance",
    "comparison",
    "costs",
]


rule tabulate_costs:
    """Time and memory of every job that takes time."""
    input:
        benchmarks=[benchmarks_of(jobs, **values) for jobs, values in MEASURED],
        records=[collect(jobs.output.record, **values) for jobs, values in MEASURED],
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
        **{table: f"<tables>/{table}.csv" for table in TABLES},
        **{
            table: f"<tables>/{table}.csv" if networks else []
            for table, networks in COMPANIONS.items()
        },
        lattices="<tables>/lattices.json",
        distinct="<tables>/distinct-lattices.json",
        gallery="<tables>/gallery.npz",
        cleaning=rules.audit_photos.output.summary if study.clean else [],
        deviations=checkout_file("docs/deviations.md"),
        pretraining=f"<results>/seed-{SEEDS[0]}/autoencoders/pretrained/photos/record.json",
        figures=collect(
            "<figures>/{stem}.png",
            stem=[one.stem for one in DRAWINGS if one.figure.reported],
        ),
        rest=rules.figures.input,
    output:
        html="<results>/report.html",
    log:
        "<logs>/report.log",
    localrule: True
    params:
        **declared(Report),
        definitions=open_definitions(study),
        templates=file_digest(sorted((LIBRARY / "s2snets/assets/report").iterdir())),
    shell:
        Report.command()
