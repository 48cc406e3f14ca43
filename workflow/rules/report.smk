"""Report: what the study found and what it cost, in one file."""

# What takes time; the rest are tables and drawings of seconds.
MEASURED = {
    rules.clean_photos: {"batch": BATCHES},
    rules.pack_images: {"set": PACKED},
    rules.train_classifier: {"classifier": TRAINED, "seed": study.seeds},
    rules.export_classifier: {"classifier": GIVEN, "seed": study.seeds},
    rules.pretrain_autoencoder: {"corpus": CORPORA, "seed": study.seeds},
    rules.finetune_autoencoder: {
        "part": study.finetune.parts,
        "classifier": CLASSIFIERS,
        "seed": study.seeds,
    },
    rules.predict: {"source": SOURCES, "seed": study.seeds},
    rules.train_denoiser: {
        "seed": study.seeds if "autoencoder" in study.denoise.methods else []
    },
    rules.predict_denoised: {"denoiser": study.denoise.methods, "seed": study.seeds},
    rules.pretrain_lighter: {"size": LIGHTER, "seed": study.seeds},
    rules.predict_lighter: {"size": LIGHTER, "seed": study.seeds},
    rules.measure_information: {"source": INFORMED, "seed": study.seeds},
    rules.reverse_network: {"classifier": REVERSED, "seed": study.seeds},
    rules.train_inverse: {
        "informed": INFORMED_BY if INVERTED else [],
        "seed": study.seeds,
    },
    rules.measure_inverse: {"seed": study.seeds if INVERTED else []},
    rules.segment: {"segmenter": SEGMENTERS, "seed": study.seeds},
    rules.train_generator: {"seed": study.seeds if "pretrained" in MODES else []},
    rules.synthesise: {"mode": MODES, "classifier": PREFERRING, "seed": study.seeds},
    rules.rank_images: {"classifier": PREFERRING, "seed": study.seeds[:1]},
}
# Each companion study's, where there is one.
COMPANIONS = {
    "selectivity": REVERSED,
    "inversion": INVERTED,
    "segmentation": SEGMENTERS,
    "synthesis": PREFERRING,
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
        [collect(str(one.benchmark), **axes) for one, axes in MEASURED.items()],
    output:
        "<tables>/costs.csv",
    log:
        "<logs>/tabulate_costs.log",
    params:
        code=fingerprint("s2snets.stages.tabulate_costs"),
    shell:
        "python -m s2snets.stages.tabulate_costs --benchmarks {input:q}"
        " --table {output:q} > {log:q} 2>&1"


rule report:
    """One self-contained HTML file: question, answer, figures, tables, costs."""
    input:
        **{table: f"<tables>/{table}.csv" for table in TABLES},
        **{
            table: f"<tables>/{table}.csv" if wanted else []
            for table, wanted in COMPANIONS.items()
        },
        lattices="<tables>/lattices.json",
        distinct="<tables>/distinct-lattices.json",
        gallery="<tables>/gallery.npz",
        validation="<results>/data/validation/index.json",
        cleaning=rules.audit_photos.output.summary if study.clean else [],
        deviations=own("docs/deviations.md"),
        figures=collect("<figures>/{stem}.png", stem=REPORTED),
        rest=rules.figures.input,
    output:
        "<results>/report.html",
    log:
        "<logs>/report.log",
    params:
        code=fingerprint("s2snets.stages.report"),
        captions=texts(WORKFLOW / "s2snets/assets/report"),
        meanings=texts(WORKFLOW / "schemas"),
        config=json.dumps(config),
    shell:
        "python -m s2snets.stages.report --accuracy {input.accuracy:q}"
        " --table1 {input.table1:q}"
        " --table2 {input.table2:q} --parts {input.parts:q} --rrc {input.rrc:q}"
        " --information {input.information:q} --chains {input.chains:q}"
        " --comparison {input.comparison:q} --costs {input.costs:q}"
        " --lattices {input.lattices:q} --distinct {input.distinct:q}"
        " --gallery {input.gallery:q} --validation {input.validation:q}"
        " --cleaning {input.cleaning:q} --selectivity {input.selectivity:q}"
        " --inversion {input.inversion:q} --segmentation {input.segmentation:q}"
        " --synthesis {input.synthesis:q}"
        " --deviations {input.deviations:q} --figures {input.figures:q}"
        " --config {params.config:q} --html {output:q} > {log:q} 2>&1"


localrules:
    all,
    tabulate_costs,
    report,
