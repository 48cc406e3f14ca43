"""Denoising: classical and learned denoisers in the autoencoders' place (3.3.1)."""


rule train_denoiser:
    """Train SegNet to map noisy photographs to clean ones."""
    input:
        images="<results>/data/photos/index.npz",
    output:
        weights=ensure(
            "<results>/seed-{seed}/autoencoders/denoising/weights.safetensors",
            non_empty=True,
        ),
        curve="<results>/seed-{seed}/autoencoders/denoising/curve.csv",
        record="<results>/seed-{seed}/autoencoders/denoising/record.json",
    log:
        "<logs>/train_denoiser/seed-{seed}.log",
    benchmark:
        "<benchmarks>/train_denoiser/seed-{seed}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="7d",
    params:
        code=fingerprint("s2snets.stages.train_denoiser"),
        settings=section_json(
            study,
            "image_size",
            "resize_mode",
            "autoencoder",
            training=study.denoise.training,
            clip=study.predict.clip,
        ),
    shell:
        "python -m s2snets.stages.train_denoiser --images {input.images:q}"
        " --weights {output.weights:q} --curve {output.curve:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule predict_denoised:
    """Noisy images through one denoiser and every classifier."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=denoiser_of,
        classifiers=collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=CLASSIFIERS,
            allow_missing=True,
        ),
    output:
        predictions="<results>/seed-{seed}/denoised/{denoiser}.parquet",
        record="<results>/seed-{seed}/denoised/{denoiser}.json",
    log:
        "<logs>/predict_denoised/seed-{seed}/{denoiser}.log",
    benchmark:
        "<benchmarks>/predict_denoised/seed-{seed}/{denoiser}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="1d",
    params:
        code=fingerprint("s2snets.stages.predict"),
        settings=section_json(
            study,
            "image_size",
            "resize_mode",
            "autoencoder",
            "predict",
            "reference",
            images=study.denoised_images,
        ),
        names=CLASSIFIERS,
        through=denoiser_flag,
    shell:
        "python -m s2snets.stages.predict --images {input.images:q}"
        " {params.through} --source {wildcards.denoiser}"
        " --classifiers {input.classifiers:q} --names {params.names}"
        " --predictions {output.predictions:q} --record {output.record:q}"
        " --seed {wildcards.seed} --threads {threads} --settings {params.settings:q}"
        " > {log:q} 2>&1"


rule tabulate_denoising:
    """Accuracy under noise of every denoiser beside the autoencoders."""
    input:
        predictions=collect(
            rules.predict.output.predictions,
            source=["original", "pretrained", *TUNED],
            seed=study.seeds,
        ),
        denoised=collect(
            rules.predict_denoised.output.predictions,
            denoiser=study.denoise.methods,
            seed=study.seeds,
        ),
    output:
        table="<tables>/denoise.csv",
    log:
        "<logs>/tabulate_denoising.log",
    benchmark:
        "<benchmarks>/tabulate_denoising.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_denoising"),
        names=CLASSIFIERS,
        denoisers=study.denoise.methods,
        part=PART,
        reference=study.reference,
    shell:
        "python -m s2snets.stages.tabulate_denoising"
        " --predictions {input.predictions:q} --denoised {input.denoised:q}"
        " --classifiers {params.names} --denoisers {params.denoisers}"
        " --part {params.part} --reference {params.reference}"
        " --table {output.table:q} > {log:q} 2>&1"


localrules:
    denoising,
    tabulate_denoising,


rule denoising:
    """Every denoiser and its accuracies."""
    input:
        rules.tabulate_denoising.output,
