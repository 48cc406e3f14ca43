"""Denoising: classical and learned denoisers in the autoencoders' place (3.3.1)."""

from s2snets.stages.denoising import TabulateDenoising, TrainDenoiser


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
        **declared(TrainDenoiser),
        seed="{seed}",
    shell:
        TrainDenoiser.command()


use rule predict as predict_denoised with:
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=inputs.denoiser,
        classifiers=rules.predict.input.classifiers,
    output:
        predictions="<results>/seed-{seed}/denoised/{denoiser}.parquet",
        record="<results>/seed-{seed}/denoised/{denoiser}.json",
    log:
        "<logs>/predict_denoised/seed-{seed}/{denoiser}.log",
    benchmark:
        "<benchmarks>/predict_denoised/seed-{seed}/{denoiser}.tsv"
    params:
        source="{denoiser}",
        classical=inputs.classical_denoiser,


rule tabulate_denoising:
    """Accuracy under noise of every denoiser beside the autoencoders."""
    input:
        predictions=collect(
            rules.predict.output.predictions,
            source=axes.main_sources,
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
    localrule: True
    params:
        **declared(TabulateDenoising),
        classifiers=axes.classifiers,
        denoisers=study.denoise.methods,
        part=axes.part,
        reference=study.reference,
    shell:
        TabulateDenoising.command()


rule denoising:
    """Every denoiser and its accuracies."""
    input:
        rules.tabulate_denoising.output,
