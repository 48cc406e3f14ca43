"""Salient deconvolutional networks: a companion study (Mahendran & Vedaldi 2016)."""

from s2snets.stages.salient import (
    MeasureInverse,
    ReverseNetwork,
    Segment,
    TabulateInverse,
    TabulateSegmentation,
    TabulateSelectivity,
    TrainInverse,
)
from s2snets.study.axes import INFORMED_BY


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
        **declared(ReverseNetwork),
        seed="{seed}",
    shell:
        ReverseNetwork.command()


rule tabulate_selectivity:
    """Similarity of responses for one neuron, another and a mixture (Figure 4)."""
    input:
        selectivity=collect(
            rules.reverse_network.output.selectivity,
            classifier=axes.reversed,
            seed=study.seeds,
        ),
    output:
        table="<tables>/selectivity.csv",
    log:
        "<logs>/tabulate_selectivity.log",
    benchmark:
        "<benchmarks>/tabulate_selectivity.tsv"
    localrule: True
    params:
        **declared(TabulateSelectivity),
    shell:
        TabulateSelectivity.command()


rule train_inverse:
    """The inverse of a network, informed by masks, switches, both or neither."""
    input:
        images="<results>/data/train/index.npz",
        classifier=inputs.inverted,
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
        **declared(TrainInverse),
        informed="{informed}",
        seed="{seed}",
    shell:
        TrainInverse.command()


rule measure_inverse:
    """How far the inverses' images are from the originals."""
    input:
        images="<results>/data/validation/index.npz",
        classifier=inputs.inverted,
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
        **declared(MeasureInverse),
        informed=INFORMED_BY,
        seed="{seed}",
    shell:
        MeasureInverse.command()


rule tabulate_inverse:
    """Their errors beside the printed 15, 46 and 36 % (section 3.3)."""
    input:
        errors=collect(rules.measure_inverse.output.errors, seed=study.seeds),
        printed=checkout_file("workflow/s2snets/assets/mahendran2016/inversion.csv"),
    output:
        table="<tables>/inversion.csv",
    log:
        "<logs>/tabulate_inverse.log",
    benchmark:
        "<benchmarks>/tabulate_inverse.tsv"
    localrule: True
    params:
        **declared(TabulateInverse),
    shell:
        TabulateInverse.command()


rule segment:
    """Foreground by saliency and GrabCut, or by a Gaussian in its place."""
    input:
        images=inputs.segmented_images,
        classifier=inputs.segmenter,
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
        **declared(Segment),
        name="{segmenter}",
        seed="{seed}",
    shell:
        Segment.command()


rule tabulate_segmentation:
    """Table 1: per-pixel accuracy and intersection over union."""
    input:
        scores=collect(
            rules.segment.output.scores, segmenter=axes.segmenters, seed=study.seeds
        ),
        examples=collect(
            rules.segment.output.examples,
            segmenter=axes.segmenters,
            seed=study.seeds[0],
        ),
        printed=checkout_file("workflow/s2snets/assets/mahendran2016/table1.csv"),
    output:
        table="<tables>/segmentation.csv",
        gallery="<tables>/segmentation.npz",
    log:
        "<logs>/tabulate_segmentation.log",
    benchmark:
        "<benchmarks>/tabulate_segmentation.tsv"
    localrule: True
    params:
        **declared(TabulateSegmentation),
        names=axes.reversed,
        architectures=[axes.networks[name].architecture for name in axes.reversed],
    shell:
        TabulateSegmentation.command()


rule salient:
    """All of it."""
    input:
        rules.tabulate_selectivity.output if axes.reversed else [],
        rules.tabulate_inverse.output if axes.inverted else [],
        rules.tabulate_segmentation.output if axes.segmenters else [],
