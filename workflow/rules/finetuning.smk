"""Fine-tuning: A_S through each frozen classifier (section 3.3)."""

from s2snets.stages.finetuning import FinetuneAutoencoder


rule finetune_autoencoder:
    """Tune one part of A_S with one classifier's prediction loss."""
    input:
        images="<results>/data/train/index.npz",
        pretrained="<results>/seed-{seed}/autoencoders/pretrained/photos/weights.safetensors",
        classifier="<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
        spec="<results>/seed-{seed}/classifiers/{classifier}/spec.json",
    output:
        weights=ensure(
            "<results>/seed-{seed}/autoencoders/{part}/{classifier}/weights.safetensors",
            non_empty=True,
        ),
        curve="<results>/seed-{seed}/autoencoders/{part}/{classifier}/curve.csv",
        record="<results>/seed-{seed}/autoencoders/{part}/{classifier}/record.json",
    log:
        "<logs>/finetune_autoencoder/seed-{seed}/{part}-{classifier}.log",
    benchmark:
        "<benchmarks>/finetune_autoencoder/seed-{seed}/{part}-{classifier}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="2d",
    params:
        **declared(FinetuneAutoencoder),
        part="{part}",
        seed="{seed}",
    shell:
        FinetuneAutoencoder.command()


use rule finetune_autoencoder as finetune_replicate with:
    output:
        weights=ensure(
            "<results>/seed-{seed}/replicate-{replicate}/autoencoders/{part}/{classifier}/weights.safetensors",
            non_empty=True,
        ),
        curve="<results>/seed-{seed}/replicate-{replicate}/autoencoders/{part}/{classifier}/curve.csv",
        record="<results>/seed-{seed}/replicate-{replicate}/autoencoders/{part}/{classifier}/record.json",
    log:
        "<logs>/finetune_replicate/seed-{seed}/replicate-{replicate}/{part}-{classifier}.log",
    benchmark:
        "<benchmarks>/finetune_replicate/seed-{seed}/replicate-{replicate}/{part}-{classifier}.tsv"
    params:
        seed=inputs.replicate_seed,


rule finetuning:
    """Every part, every classifier, every seed, every replicate."""
    input:
        collect(
            rules.finetune_autoencoder.output.weights,
            part=axes.parts,
            classifier=axes.classifiers,
            seed=study.seeds,
        ),
        collect(
            rules.finetune_replicate.output.weights,
            part=axes.parts,
            classifier=axes.classifiers,
            seed=study.seeds,
            replicate=axes.replicates,
        ),
