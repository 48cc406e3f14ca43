"""Lighter autoencoders: SegNet's width and depth as an axis (section 3.1)."""

from s2snets.stages.lighter import TabulateLighter


use rule pretrain_autoencoder as pretrain_lighter with:
    input:
        images="<results>/data/photos/index.npz",
        validation_photos="<results>/data/photos_validation/index.npz",
        validation_labelled="<results>/data/validation/index.npz",
    output:
        weights=ensure(
            "<results>/seed-{seed}/autoencoders/lighter/{size}/weights.safetensors",
            non_empty=True,
        ),
        curve="<results>/seed-{seed}/autoencoders/lighter/{size}/curve.csv",
        record="<results>/seed-{seed}/autoencoders/lighter/{size}/record.json",
    log:
        "<logs>/pretrain_lighter/seed-{seed}/{size}.log",
    benchmark:
        "<benchmarks>/pretrain_lighter/seed-{seed}/{size}.tsv"
    priority: 0


use rule predict as predict_lighter with:
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=rules.pretrain_lighter.output.weights,
        classifiers=rules.predict.input.classifiers,
    output:
        predictions="<results>/seed-{seed}/lighter/{size}.parquet",
        record="<results>/seed-{seed}/lighter/{size}.json",
    log:
        "<logs>/predict_lighter/seed-{seed}/{size}.log",
    benchmark:
        "<benchmarks>/predict_lighter/seed-{seed}/{size}.tsv"
    params:
        source="{size}",


rule tabulate_lighter:
    """Accuracy and error of every size, A_S's among them, against its cost."""
    input:
        predictions=collect(
            rules.predict.output.predictions,
            source=["original", "pretrained"],
            seed=study.seeds,
        )
        + collect(
            rules.predict_lighter.output.predictions,
            size=axes.lighter,
            seed=study.seeds,
        ),
        curves=collect(
            rules.pretrain_autoencoder.output.curve,
            corpus="photos",
            seed=study.seeds[0],
        )
        + collect(
            rules.pretrain_lighter.output.curve, size=axes.lighter, seed=study.seeds[0]
        ),
    output:
        table="<tables>/lighter.csv",
    log:
        "<logs>/tabulate_lighter.log",
    benchmark:
        "<benchmarks>/tabulate_lighter.tsv"
    localrule: True
    params:
        **declared(TabulateLighter),
        sources=["pretrained", *axes.lighter],
        classifiers=axes.classifiers,
    shell:
        TabulateLighter.command()


rule lighter:
    """Every lighter autoencoder and its accuracies."""
    input:
        rules.tabulate_lighter.output,
