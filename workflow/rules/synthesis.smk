"""Deep generator networks: a companion study (Despraz et al. 2017)."""


rule train_generator:
    """A denoising autoencoder, whose decoder is the pretrained G (section 4.2)."""
    input:
        images=generator_corpus,
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
        code=fingerprint("s2snets.stages.train_generator"),
        settings=generator_settings,
    shell:
        "python -m s2snets.stages.train_generator --images {input.images:q}"
        " --weights {output.weights:q} --curve {output.curve:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule synthesise:
    """Preferred images of one network, through one kind of G."""
    input:
        images="<results>/data/validation/index.npz",
        classifier="<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
        judge=judge_of,
        generator=generator_of,
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
        code=fingerprint("s2snets.stages.synthesise"),
        settings=synthesis_settings,
        named=flags,
    shell:
        "python -m s2snets.stages.synthesise {params.named} --name {wildcards.classifier}"
        " --mode {wildcards.mode} --preferred {output.preferred:q}"
        " --scores {output.scores:q} --record {output.record:q}"
        " --seed {wildcards.seed} --threads {threads} --settings {params.settings:q}"
        " > {log:q} 2>&1"


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
        code=fingerprint("s2snets.stages.rank_images"),
        settings=ranking_settings,
    shell:
        "python -m s2snets.stages.rank_images --images {input.images:q}"
        " --classifier {input.classifier:q} --name {wildcards.classifier}"
        " --ranked {output.ranked:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule tabulate_synthesis:
    """Activation, rank, confidence, smoothness and another network's opinion."""
    input:
        scores=collect(
            rules.synthesise.output.scores,
            mode=MODES,
            classifier=PREFERRING,
            seed=study.seeds,
        ),
    output:
        table="<tables>/synthesis.csv",
    log:
        "<logs>/tabulate_synthesis.log",
    benchmark:
        "<benchmarks>/tabulate_synthesis.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_synthesis"),
        settings=study.bootstrap.model_dump_json(),
    shell:
        "python -m s2snets.stages.tabulate_synthesis --scores {input.scores:q}"
        " --settings {params.settings:q} --table {output.table:q} > {log:q} 2>&1"


rule collect_synthesis:
    """The pictures that figures show, of the first seed."""
    input:
        preferred=collect(
            rules.synthesise.output.preferred,
            mode=MODES,
            classifier=PREFERRING,
            seed=study.seeds[0],
        ),
        ranked=collect(
            rules.rank_images.output.ranked, classifier=PREFERRING, seed=study.seeds[0]
        ),
    output:
        gallery="<tables>/synthesis.npz",
    log:
        "<logs>/collect_synthesis.log",
    benchmark:
        "<benchmarks>/collect_synthesis.tsv"
    params:
        code=fingerprint("s2snets.stages.collect_synthesis"),
        names=PREFERRING * len(MODES),
    shell:
        "python -m s2snets.stages.collect_synthesis --preferred {input.preferred:q}"
        " --names {params.names} --ranked {input.ranked:q}"
        " --gallery {output.gallery:q} > {log:q} 2>&1"


localrules:
    collect_synthesis,
    synthesis,
    tabulate_synthesis,


rule synthesis:
    """Every preferred image."""
    input:
        rules.tabulate_synthesis.output if PREFERRING else [],
        rules.collect_synthesis.output if PREFERRING else [],
