"""Classifiers: the frozen networks of the set C (section 3.3)."""

from s2snets.stages.classifiers import (
    ExportClassifier,
    FetchWeights,
    TrainClassifier,
)


rule train_classifier:
    """Train a classifier that comes without weights."""
    input:
        images="<results>/data/train/index.npz",
        checked=ancient(inputs.checked_classes),
    output:
        weights=ensure(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            non_empty=True,
        ),
        spec="<results>/seed-{seed}/classifiers/{classifier}/spec.json",
        curve="<results>/seed-{seed}/classifiers/{classifier}/curve.csv",
        record="<results>/seed-{seed}/classifiers/{classifier}/record.json",
    log:
        "<logs>/train_classifier/seed-{seed}/{classifier}.log",
    benchmark:
        "<benchmarks>/train_classifier/seed-{seed}/{classifier}.tsv"
    wildcard_constraints:
        classifier=one_of(axes.trained),
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(4000),
        runtime="1d",
    params:
        **declared(TrainClassifier),
        seed="{seed}",
    shell:
        TrainClassifier.command()


rule fetch_weights:
    """Find published weights on this machine, or fetch them: jobs may be offline."""
    output:
        receipt="<results>/weights/{classifier}.json",
    log:
        "<logs>/fetch_weights/{classifier}.log",
    wildcard_constraints:
        classifier=one_of(axes.published),
    localrule: True
    params:
        **declared(FetchWeights),
    shell:
        FetchWeights.command()


rule export_classifier:
    """Wrap a classifier that comes with weights."""
    input:
        given=inputs.given_weights,
        receipt=ancient(inputs.receipt),
    output:
        weights=ensure(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            non_empty=True,
        ),
        spec="<results>/seed-{seed}/classifiers/{classifier}/spec.json",
        record="<results>/seed-{seed}/classifiers/{classifier}/record.json",
    log:
        "<logs>/export_classifier/seed-{seed}/{classifier}.log",
    benchmark:
        "<benchmarks>/export_classifier/seed-{seed}/{classifier}.tsv"
    wildcard_constraints:
        classifier=one_of(axes.exported),
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime="1h",
    params:
        **declared(ExportClassifier),
        function=inputs.function_digest,
    shell:
        ExportClassifier.command()


rule classifiers:
    """Every classifier."""
    input:
        collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=axes.classifiers,
            seed=study.seeds,
        ),
