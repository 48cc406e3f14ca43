"""Lighter autoencoders: SegNet's width and depth as an axis (section 3.1)."""


rule pretrain_lighter:
    """Pretrain a SegNet of another size on photographs, as A_S was."""
    input:
        images="<results>/data/photos/index.npz",
        photos="<results>/data/photos_validation/index.npz",
        labelled="<results>/data/validation/index.npz",
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
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="7d",
    params:
        code=fingerprint("s2snets.stages.pretrain_autoencoder"),
        settings=lighter_pretraining,
    shell:
        "python -m s2snets.stages.pretrain_autoencoder --images {input.images:q}"
        " --validation-photos {input.photos:q} --validation-labelled {input.labelled:q}"
        " --weights {output.weights:q} --curve {output.curve:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule predict_lighter:
    """Images through one lighter autoencoder and every classifier, without noise."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoder="<results>/seed-{seed}/autoencoders/lighter/{size}/weights.safetensors",
        classifiers=collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=CLASSIFIERS,
            allow_missing=True,
        ),
    output:
        predictions="<results>/seed-{seed}/lighter/{size}.parquet",
        record="<results>/seed-{seed}/lighter/{size}.json",
    log:
        "<logs>/predict_lighter/seed-{seed}/{size}.log",
    benchmark:
        "<benchmarks>/predict_lighter/seed-{seed}/{size}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="1d",
    params:
        code=fingerprint("s2snets.stages.predict"),
        settings=lighter_prediction,
        names=CLASSIFIERS,
    shell:
        "python -m s2snets.stages.predict --images {input.images:q}"
        " --autoencoder {input.autoencoder:q} --source {wildcards.size}"
        " --classifiers {input.classifiers:q} --names {params.names}"
        " --predictions {output.predictions:q} --record {output.record:q}"
        " --seed {wildcards.seed} --threads {threads} --settings {params.settings:q}"
        " > {log:q} 2>&1"


rule tabulate_lighter:
    """Accuracy and error of every size, A_S's among them, against its cost."""
    input:
        predictions=collect(
            rules.predict.output.predictions,
            source=["original", "pretrained"],
            seed=study.seeds,
        )
        + collect(
            rules.predict_lighter.output.predictions, size=LIGHTER, seed=study.seeds
        ),
        curves=collect(
            rules.pretrain_autoencoder.output.curve,
            corpus="photos",
            seed=study.seeds[0],
        )
        + collect(
            rules.pretrain_lighter.output.curve, size=LIGHTER, seed=study.seeds[0]
        ),
    output:
        table="<tables>/lighter.csv",
    log:
        "<logs>/tabulate_lighter.log",
    benchmark:
        "<benchmarks>/tabulate_lighter.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_lighter"),
        settings=section_json(
            study,
            "image_size",
            "reference",
            autoencoders=[
                one.model_dump(mode="json")
                for one in (study.autoencoder, *study.lighter)
            ],
        ),
        sources=["pretrained", *LIGHTER],
        names=CLASSIFIERS,
    shell:
        "python -m s2snets.stages.tabulate_lighter"
        " --predictions {input.predictions:q} --curves {input.curves:q}"
        " --sources {params.sources} --classifiers {params.names}"
        " --settings {params.settings:q} --table {output.table:q} > {log:q} 2>&1"


localrules:
    lighter,
    tabulate_lighter,


rule lighter:
    """Every lighter autoencoder and its accuracies."""
    input:
        rules.tabulate_lighter.output,
