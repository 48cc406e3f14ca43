"""Report: what the study found and what it cost, in one file."""

from snakemake.io import flag
from snakemake.path_modifier import PATH_MODIFIER_FLAG

from s2snets.report.open_definitions import open_definitions
from s2snets.runtime.fingerprint import file_digest
from s2snets.stages.report import Report, TabulateCosts

SEEDS = study.seeds
# What takes time; the rest are tables and drawings of seconds.
MEASURED = [
    benchmarks_of(rules.clean_photos, batch=axes.batches),
    benchmarks_of(rules.pack_images, set=axes.packed),
    benchmarks_of(rules.train_classifier, classifier=axes.trained, seed=SEEDS),
    benchmarks_of(rules.export_classifier, classifier=axes.exported, seed=SEEDS),
    benchmarks_of(rules.pretrain_autoencoder, corpus=CORPORA, seed=SEEDS),
    benchmarks_of(
        rules.finetune_autoencoder,
        part=axes.parts,
        classifier=axes.classifiers,
        seed=SEEDS,
    ),
    benchmarks_of(
        rules.finetune_replicate,
        part=axes.parts,
        classifier=axes.classifiers,
        seed=SEEDS,
        replicate=axes.replicates,
    ),
    benchmarks_of(rules.predict, source=axes.sources, seed=SEEDS),
    benchmarks_of(
        rules.predict_replicate,
        source=axes.replicated,
        seed=SEEDS,
        replicate=axes.replicates,
    ),
    benchmarks_of(rules.train_denoiser, seed=SEEDS if axes.learned_denoiser else []),
    benchmarks_of(rules.predict_denoised, denoiser=study.denoise.methods, seed=SEEDS),
    benchmarks_of(rules.pretrain_lighter, size=axes.lighter, seed=SEEDS),
    benchmarks_of(rules.predict_lighter, size=axes.lighter, seed=SEEDS),
    benchmarks_of(rules.measure_color, source=axes.main_sources, seed=SEEDS),
    benchmarks_of(rules.measure_information, source=axes.main_sources, seed=SEEDS),
    benchmarks_of(
        rules.measure_replicate,
        source=axes.tuned,
        seed=SEEDS,
        replicate=axes.replicates,
    ),
    benchmarks_of(rules.reverse_network, classifier=axes.reversed, seed=SEEDS),
    benchmarks_of(
        rules.train_inverse,
        informed=INFORMED_BY if axes.inverted else [],
        seed=SEEDS,
    ),
    benchmarks_of(rules.measure_inverse, seed=SEEDS if axes.inverted else []),
    benchmarks_of(rules.segment, segmenter=axes.segmenters, seed=SEEDS),
    benchmarks_of(
        rules.train_generator, seed=SEEDS if "pretrained" in axes.modes else []
    ),
    benchmarks_of(
        rules.synthesise, mode=axes.modes, classifier=axes.preferring, seed=SEEDS
    ),
    benchmarks_of(rules.rank_images, classifier=axes.preferring, seed=SEEDS[:1]),
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
        benchmarks=MEASURED,
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
