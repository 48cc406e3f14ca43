"""Deep generator networks: a companion study (Despraz et al. 2017)."""

from s2snets.stages.synthesis import (
    CollectSynthesis,
    RankImages,
    Synthesise,
    TabulateSynthesis,
    TrainGenerator,
)


rule train_generator:
    """A denoising autoencoder, whose decoder is the pretrained G (section 4.2)."""
    input:
        images=inputs.generator_corpus,
        checked=ancient(inputs.checked_classes),
    output:
        weights=ensure(
            "<results>/seed-{seed}/generator/weights.safetensors", non_empty=True
        ),
        curve="<results>/seed-{seed}/generator/curve.csv",
        record="<results>/seed-{seed}/generator/record.json",
    log:
        "<logs>/train_generator/seed-{seed}.log",
    benchmark:
        "<benchmarks>/train_generator/seed-{seed}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="7d",
    params:
        **declared(TrainGenerator),
        seed="{seed}",
    shell:
        TrainGenerator.command()


rule synthesise:
    """Preferred images of one network, through one kind of G."""
    input:
        images="<results>/data/validation/index.npz",
        classifier="<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
        judge=inputs.judge,
        generator=inputs.generator,
    output:
        preferred="<results>/seed-{seed}/preferred/{mode}/{classifier}.npz",
        scores="<results>/seed-{seed}/preferred/{mode}/{classifier}.parquet",
        record="<results>/seed-{seed}/preferred/{mode}/{classifier}.json",
    log:
        "<logs>/synthesise/seed-{seed}/{mode}/{classifier}.log",
    benchmark:
        "<benchmarks>/synthesise/seed-{seed}/{mode}/{classifier}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="2d",
    params:
        **declared(Synthesise),
        name="{classifier}",
        mode="{mode}",
        seed="{seed}",
    shell:
        Synthesise.command()


rule rank_images:
    """The training images that a network itself ranks highest (Figures 6, 7)."""
    input:
        images="<results>/data/train/index.npz",
        classifier="<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
    output:
        ranked="<results>/seed-{seed}/ranked/{classifier}.npz",
        record="<results>/seed-{seed}/ranked/{classifier}.json",
    log:
        "<logs>/rank_images/seed-{seed}/{classifier}.log",
    benchmark:
        "<benchmarks>/rank_images/seed-{seed}/{classifier}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="12h",
    params:
        **declared(RankImages),
        name="{classifier}",
        seed="{seed}",
    shell:
        RankImages.command()


rule tabulate_synthesis:
    """Activation, rank, confidence, smoothness and another network's opinion."""
    input:
        scores=collect(
            rules.synthesise.output.scores,
            mode=axes.modes,
            classifier=axes.preferring,
            seed=study.seeds,
        ),
    output:
        table="<tables>/synthesis.csv",
    log:
        "<logs>/tabulate_synthesis.log",
    benchmark:
        "<benchmarks>/tabulate_synthesis.tsv"
    localrule: True
    params:
        **declared(TabulateSynthesis),
    shell:
        TabulateSynthesis.command()


rule collect_synthesis:
    """The pictures that figures show, of the first seed."""
    input:
        preferred=collect(
            rules.synthesise.output.preferred,
            mode=axes.modes,
            classifier=axes.preferring,
            seed=study.seeds[0],
        ),
        ranked=collect(
            rules.rank_images.output.ranked,
            classifier=axes.preferring,
            seed=study.seeds[0],
        ),
    output:
        gallery="<tables>/synthesis.npz",
    log:
        "<logs>/collect_synthesis.log",
    benchmark:
        "<benchmarks>/collect_synthesis.tsv"
    localrule: True
    params:
        **declared(CollectSynthesis),
        names=axes.preferring * len(axes.modes),
    shell:
        CollectSynthesis.command()


rule synthesis:
    """Every preferred image."""
    input:
        rules.tabulate_synthesis.output if axes.preferring else [],
        rules.collect_synthesis.output if axes.preferring else [],
