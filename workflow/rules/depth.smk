"""Depth: where in a network the signal is lost, which section 4 leaves open."""

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.stages.depth import (
    ChooseLayers,
    DrawClassifier,
    MeasureDepths,
    TabulateDepth,
    TuneForLayer,
)

LAYERS = "<results>/seed-{seed}/depth/{repeat}/{weights}/{classifier}"
DRAWN = LAYERS.replace("{weights}", RANDOM)


rule choose_layers:
    """The layers of a network; first of all, since settings may name what is not there."""
    input:
        classifier=f"<results>/seed-{study.seeds[0]}/classifiers/{{classifier}}/weights.safetensors",
        spec=f"<results>/seed-{study.seeds[0]}/classifiers/{{classifier}}/spec.json",
    output:
        chosen="<results>/depth/{classifier}.json",
    log:
        "<logs>/choose_layers/{classifier}.log",
    benchmark:
        "<benchmarks>/choose_layers/{classifier}.tsv"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime="1h",
    params:
        **declared(ChooseLayers),
    shell:
        ChooseLayers.command()


rule draw_classifier:
    """Random weights for a network's architecture."""
    input:
        images="<results>/data/train/index.npz",
        spec="<results>/seed-{seed}/classifiers/{classifier}/spec.json",
    output:
        weights=f"{DRAWN}/weights.safetensors",
        drawn_spec=f"{DRAWN}/spec.json",
        record=f"{DRAWN}/record.json",
    log:
        "<logs>/draw_classifier/seed-{seed}/{repeat}-{classifier}.log",
    benchmark:
        "<benchmarks>/draw_classifier/seed-{seed}/{repeat}-{classifier}.tsv"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime="1h",
    params:
        **declared(DrawClassifier),
        seed=inputs.repeat_seed,
    shell:
        DrawClassifier.command()


rule tune_for_layer:
    """A_S tuned so that one layer of a network notices no difference."""
    input:
        images="<results>/data/train/index.npz",
        pretrained="<results>/seed-{seed}/autoencoders/pretrained/photos/weights.safetensors",
        classifier=inputs.looked_into,
        layers=rules.choose_layers.output.chosen,
    output:
        weights=ensure(f"{LAYERS}/{{depth}}/weights.safetensors", non_empty=True),
        curve=f"{LAYERS}/{{depth}}/curve.csv",
        record=f"{LAYERS}/{{depth}}/record.json",
    log:
        "<logs>/tune_for_layer/seed-{seed}/{repeat}-{weights}-{classifier}-{depth}.log",
    benchmark:
        "<benchmarks>/tune_for_layer/seed-{seed}/{repeat}-{weights}-{classifier}-{depth}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="2d",
    params:
        **declared(TuneForLayer),
        depth="{depth}",
        seed=inputs.repeat_seed,
    shell:
        TuneForLayer.command()


rule measure_depths:
    """What the autoencoders of a network's layers leave of images."""
    input:
        images="<results>/data/validation/index.npz",
        tuned=inputs.tuned_for_layers,
        others=inputs.tuned_otherwise,
        classifier=inputs.looked_into,
        layers=rules.choose_layers.output.chosen,
        judges=collect(
            "<results>/seed-{seed}/classifiers/{judge}/weights.safetensors",
            judge=axes.classifiers,
            allow_missing=True,
        ),
    output:
        rows=f"{LAYERS}/rows.parquet",
        pictures=f"{LAYERS}/pictures.npz",
        record=f"{LAYERS}/measured.json",
    log:
        "<logs>/measure_depths/seed-{seed}/{repeat}-{weights}-{classifier}.log",
    benchmark:
        "<benchmarks>/measure_depths/seed-{seed}/{repeat}-{weights}-{classifier}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="1d",
    params:
        **declared(MeasureDepths),
        names=axes.classifiers,
        weights="{weights}",
        seed="{seed}",
        replicate="{repeat}",
    shell:
        MeasureDepths.command()


rule tabulate_depth:
    """Where the signal is lost, in which network, and what deep layers need."""
    input:
        layers=collect(rules.choose_layers.output.chosen, classifier=axes.looked_into),
        pictures=collect(
            rules.measure_depths.output.pictures,
            seed=study.seeds[0],
            repeat=0,
            weights=TRAINED,
            classifier=axes.looked_into,
        ),
        rows=collect(
            rules.measure_depths.output.rows,
            seed=study.seeds,
            repeat=axes.repeats,
            weights=(TRAINED, RANDOM),
            classifier=axes.looked_into,
        ),
    output:
        table="<tables>/depth.csv",
        losses="<tables>/depth-losses.csv",
        orders="<tables>/depth-orders.csv",
        pairs="<tables>/depth-pairs.csv",
        layer_table="<tables>/depth-layers.csv",
        gallery="<tables>/depth.npz",
    log:
        "<logs>/tabulate_depth.log",
    benchmark:
        "<benchmarks>/tabulate_depth.tsv"
    localrule: True
    params:
        **declared(TabulateDepth),
        classifiers=axes.looked_into,
    shell:
        TabulateDepth.command()


rule depth:
    """All of it."""
    input:
        rules.tabulate_depth.output if axes.looked_into else [],
