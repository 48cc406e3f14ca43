"""Salient deconvolutional networks: a companion study (Mahendran & Vedaldi 2016)."""


rule reverse_network:
    """One network reversed in every way, and how little its neurons matter."""
    input:
        images="<results>/data/validation/index.npz",
        photos="<results>/data/photos_validation/index.npz",
        classifier="<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
    output:
        responses="<results>/seed-{seed}/reversed/{classifier}.npz",
        selectivity="<results>/seed-{seed}/reversed/{classifier}.parquet",
        record="<results>/seed-{seed}/reversed/{classifier}.json",
    log:
        "<logs>/reverse_network/seed-{seed}/{classifier}.log",
    benchmark:
        "<benchmarks>/reverse_network/seed-{seed}/{classifier}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="12h",
    params:
        code=fingerprint("s2snets.stages.reverse_network"),
        settings=reversal_settings,
    shell:
        "python -m s2snets.stages.reverse_network --images {input.images:q}"
        " --photos {input.photos:q} --classifier {input.classifier:q}"
        " --responses {output.responses:q} --selectivity {output.selectivity:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule tabulate_selectivity:
    """Similarity of responses for one neuron, another and a mixture (Figure 4)."""
    input:
        selectivity=collect(
            rules.reverse_network.output.selectivity,
            classifier=REVERSED,
            seed=study.seeds,
        ),
    output:
        table="<tables>/selectivity.csv",
    log:
        "<logs>/tabulate_selectivity.log",
    benchmark:
        "<benchmarks>/tabulate_selectivity.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_selectivity"),
        settings=study.bootstrap.model_dump_json(),
    shell:
        "python -m s2snets.stages.tabulate_selectivity"
        " --selectivity {input.selectivity:q} --settings {params.settings:q}"
        " --table {output.table:q} > {log:q} 2>&1"


rule train_inverse:
    """The inverse of a network, informed by masks, switches, both or neither."""
    input:
        images="<results>/data/train/index.npz",
        classifier=inverted_weights,
    output:
        weights=ensure(
            "<results>/seed-{seed}/inverses/{informed}/weights.safetensors",
            non_empty=True,
        ),
        curve="<results>/seed-{seed}/inverses/{informed}/curve.csv",
        record="<results>/seed-{seed}/inverses/{informed}/record.json",
    log:
        "<logs>/train_inverse/seed-{seed}/{informed}.log",
    benchmark:
        "<benchmarks>/train_inverse/seed-{seed}/{informed}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="7d",
    params:
        code=fingerprint("s2snets.stages.train_inverse"),
        settings=inversion_settings,
    shell:
        "python -m s2snets.stages.train_inverse --images {input.images:q}"
        " --classifier {input.classifier:q} --informed {wildcards.informed}"
        " --weights {output.weights:q} --curve {output.curve:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule measure_inverse:
    """How far the inverses' images are from the originals."""
    input:
        images="<results>/data/validation/index.npz",
        classifier=inverted_weights,
        inverses=collect(
            rules.train_inverse.output.weights,
            informed=INFORMED_BY,
            allow_missing=True,
        ),
    output:
        errors="<results>/seed-{seed}/inverses/errors.parquet",
        record="<results>/seed-{seed}/inverses/errors.json",
    log:
        "<logs>/measure_inverse/seed-{seed}.log",
    benchmark:
        "<benchmarks>/measure_inverse/seed-{seed}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="12h",
    params:
        code=fingerprint("s2snets.stages.measure_inverse"),
        settings=inverse_settings,
        informed=INFORMED_BY,
    shell:
        "python -m s2snets.stages.measure_inverse --images {input.images:q}"
        " --classifier {input.classifier:q} --inverses {input.inverses:q}"
        " --informed {params.informed} --errors {output.errors:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule tabulate_inverse:
    """Their errors beside the printed 15, 46 and 36 % (section 3.3)."""
    input:
        errors=collect(rules.measure_inverse.output.errors, seed=study.seeds),
        printed=own("workflow/s2snets/assets/mahendran2016/inversion.csv"),
    output:
        table="<tables>/inversion.csv",
    log:
        "<logs>/tabulate_inverse.log",
    benchmark:
        "<benchmarks>/tabulate_inverse.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_inverse"),
        settings=study.bootstrap.model_dump_json(),
    shell:
        "python -m s2snets.stages.tabulate_inverse --errors {input.errors:q}"
        " --printed {input.printed:q} --settings {params.settings:q}"
        " --table {output.table:q} > {log:q} 2>&1"


rule segment:
    """Foreground by saliency and GrabCut, or by a Gaussian in its place."""
    input:
        images=segmented_images,
        classifier=segmenter_of,
    output:
        scores="<results>/seed-{seed}/segmented/{segmenter}.parquet",
        examples="<results>/seed-{seed}/segmented/{segmenter}.npz",
        record="<results>/seed-{seed}/segmented/{segmenter}.json",
    log:
        "<logs>/segment/seed-{seed}/{segmenter}.log",
    benchmark:
        "<benchmarks>/segment/seed-{seed}/{segmenter}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="1d",
    params:
        code=fingerprint("s2snets.stages.segment"),
        settings=segmentation_settings,
        named=flags,
    shell:
        "python -m s2snets.stages.segment {params.named} --name {wildcards.segmenter}"
        " --scores {output.scores:q} --examples {output.examples:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule tabulate_segmentation:
    """Table 1: per-pixel accuracy and intersection over union."""
    input:
        scores=collect(
            rules.segment.output.scores, segmenter=SEGMENTERS, seed=study.seeds
        ),
        examples=collect(
            rules.segment.output.examples, segmenter=SEGMENTERS, seed=study.seeds[0]
        ),
        printed=own("workflow/s2snets/assets/mahendran2016/table1.csv"),
    output:
        table="<tables>/segmentation.csv",
        gallery="<tables>/segmentation.npz",
    log:
        "<logs>/tabulate_segmentation.log",
    benchmark:
        "<benchmarks>/tabulate_segmentation.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_segmentation"),
        settings=study.bootstrap.model_dump_json(),
        names=REVERSED,
        architectures=[study.networks[name].architecture for name in REVERSED],
    shell:
        "python -m s2snets.stages.tabulate_segmentation --scores {input.scores:q}"
        " --examples {input.examples:q} --printed {input.printed:q}"
        " --names {params.names} --architectures {params.architectures:q}"
        " --settings {params.settings:q} --gallery {output.gallery:q}"
        " --table {output.table:q} > {log:q} 2>&1"


localrules:
    salient,
    tabulate_selectivity,
    tabulate_inverse,
    tabulate_segmentation,


rule salient:
    """All of it."""
    input:
        rules.tabulate_selectivity.output if REVERSED else [],
        rules.tabulate_inverse.output if INVERTED else [],
        rules.tabulate_segmentation.output if SEGMENTERS else [],
