"""Fine-tuning: A_S through each frozen classifier (section 3.3)."""

FINETUNING = section_json(
    study,
    "image_size",
    "resize_mode",
    "autoencoder",
    "reference",
    # Which parts are tuned is the wildcard's: asking for one more retrains no other.
    finetune=study.finetune.model_dump(mode="json", exclude={"parts"}),
)


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
        code=fingerprint("s2snets.stages.finetune_autoencoder"),
        settings=FINETUNING,
    shell:
        "python -m s2snets.stages.finetune_autoencoder --images {input.images:q}"
        " --pretrained {input.pretrained:q} --classifier {input.classifier:q}"
        " --weights {output.weights:q} --curve {output.curve:q}"
        " --record {output.record:q} --part {wildcards.part} --seed {wildcards.seed}"
        " --threads {threads} --settings {params.settings:q} > {log:q} 2>&1"


localrules:
    finetuning,


rule finetuning:
    """Every part, every classifier, every seed."""
    input:
        collect(
            rules.finetune_autoencoder.output.weights,
            part=study.finetune.parts,
            classifier=CLASSIFIERS,
            seed=study.seeds,
        ),
