"""Predictions: every classifier on every source, and their accuracies (Tables 1, 2)."""


rule predict:
    """One source's images through every classifier, at every noise strength."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=autoencoder_of,
        classifiers=collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=CLASSIFIERS,
            allow_missing=True,
        ),
    output:
        predictions="<results>/seed-{seed}/predictions/{source}.parquet",
        record="<results>/seed-{seed}/predictions/{source}.json",
    log:
        "<logs>/predict/seed-{seed}/{source}.log",
    benchmark:
        "<benchmarks>/predict/seed-{seed}/{source}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="1d",
    params:
        code=fingerprint("s2snets.stages.predict"),
        settings=section_json(
            study, "image_size", "resize_mode", "autoencoder", "predict", "reference"
        ),
        names=CLASSIFIERS,
    shell:
        "python -m s2snets.stages.predict --images {input.images:q}"
        " --autoencoder {input.autoencoder:q} --source {wildcards.source}"
        " --classifiers {input.classifiers:q} --names {params.names}"
        " --predictions {output.predictions:q} --record {output.record:q}"
        " --seed {wildcards.seed} --threads {threads} --settings {params.settings:q}"
        " > {log:q} 2>&1"


rule tabulate_accuracy:
    """Tables 1 and 2, the noise curves and the comparison of parts."""
    input:
        predictions=collect(
            rules.predict.output.predictions, source=SOURCES, seed=study.seeds
        ),
    output:
        accuracy="<tables>/accuracy.csv",
        table1="<tables>/table1.csv",
        table2="<tables>/table2.csv",
        parts="<tables>/parts.csv",
        noise="<tables>/noise.csv",
        bootstrap="<tables>/bootstrap.npz",
    log:
        "<logs>/tabulate_accuracy.log",
    benchmark:
        "<benchmarks>/tabulate_accuracy.tsv"
    resources:
        mem_mb=grows(8000),
        runtime="1h",
    params:
        code=fingerprint("s2snets.stages.tabulate_accuracy"),
        names=CLASSIFIERS,
        part=PART,
        reference=study.reference,
        settings=study.bootstrap.model_dump_json(),
    shell:
        "python -m s2snets.stages.tabulate_accuracy --predictions {input.predictions:q}"
        " --classifiers {params.names} --part {params.part}"
        " --reference {params.reference}"
        " --accuracy {output.accuracy:q} --table1 {output.table1:q}"
        " --table2 {output.table2:q} --parts {output.parts:q} --noise {output.noise:q}"
        " --bootstrap {output.bootstrap:q} --settings {params.settings:q}"
        " > {log:q} 2>&1"


localrules:
    predictions,
    tabulate_accuracy,


rule predictions:
    """Every prediction and the tables of accuracies."""
    input:
        rules.tabulate_accuracy.output,
