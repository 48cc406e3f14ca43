"""Predictions: every classifier on every source, and their accuracies (Tables 1, 2)."""

from s2snets.stages.predictions import Predict, TabulateAccuracy


rule predict:
    """One source's images, clean and noisy, through the classifiers."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=inputs.autoencoder,
        classifiers=collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=axes.classifiers,
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
        **declared(Predict),
        source="{source}",
        classical=[],
        names=axes.classifiers,
        seed="{seed}",
        replicate=0,
    shell:
        Predict.command()


use rule predict as predict_replicate with:
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=inputs.replicate,
        classifiers=rules.predict.input.classifiers,
    output:
        predictions="<results>/seed-{seed}/replicate-{replicate}/predictions/{source}.parquet",
        record="<results>/seed-{seed}/replicate-{replicate}/predictions/{source}.json",
    log:
        "<logs>/predict_replicate/seed-{seed}/replicate-{replicate}/{source}.log",
    benchmark:
        "<benchmarks>/predict_replicate/seed-{seed}/replicate-{replicate}/{source}.tsv"
    params:
        replicate="{replicate}",


rule tabulate_accuracy:
    """Tables 1 and 2, the noise curves and the comparison of parts."""
    input:
        predictions=collect(
            rules.predict.output.predictions, source=axes.sources, seed=study.seeds
        )
        + collect(
            rules.predict_replicate.output.predictions,
            source=axes.replicated,
            seed=study.seeds,
            replicate=axes.replicates,
        ),
    output:
        accuracy="<tables>/accuracy.csv",
        table1="<tables>/table1.csv",
        table2="<tables>/table2.csv",
        parts="<tables>/parts.csv",
        noise="<tables>/noise.csv",
        variance="<tables>/variance.csv",
        bootstrap="<tables>/bootstrap.npz",
    log:
        "<logs>/tabulate_accuracy.log",
    benchmark:
        "<benchmarks>/tabulate_accuracy.tsv"
    localrule: True
    resources:
        mem_mb=grows(8000),
        runtime="1h",
    params:
        **declared(TabulateAccuracy),
        classifiers=axes.classifiers,
        part=axes.part,
        reference=study.reference,
    shell:
        TabulateAccuracy.command()


rule predictions:
    """Every prediction and the tables of accuracies."""
    input:
        rules.tabulate_accuracy.output,
