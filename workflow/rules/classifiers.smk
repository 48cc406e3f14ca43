"""Classifiers: the frozen networks of the set C (section 3.3)."""


rule train_classifier:
    """Train a classifier that comes without weights."""
    input:
        images="<results>/data/train/index.npz",
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
        classifier=one_of(TRAINED),
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(4000),
        runtime="1d",
    params:
        code=fingerprint("s2snets.stages.train_classifier"),
        settings=classifier_settings,
    shell:
        "python -m s2snets.stages.train_classifier --images {input.images:q}"
        " --weights {output.weights:q} --spec {output.spec:q} --curve {output.curve:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule fetch_weights:
    """Find published weights on this machine, or fetch them: jobs may be offline."""
    output:
        receipt="<results>/weights/{classifier}.json",
    log:
        "<logs>/fetch_weights/{classifier}.log",
    wildcard_constraints:
        classifier=one_of(PUBLISHED),
    params:
        settings=fetching,
    shell:
        "python -m s2snets.stages.fetch_weights --receipt {output.receipt:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule export_classifier:
    """Wrap a classifier that comes with weights."""
    input:
        given=given_weights,
        receipt=ancient(receipt_of),
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
        classifier=one_of(GIVEN),
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime="1h",
    params:
        code=fingerprint("s2snets.stages.export_classifier"),
        function=function_meaning,
        settings=export_settings,
        receipt=receipt_flag,
    shell:
        "python -m s2snets.stages.export_classifier {params.receipt}"
        " --weights {output.weights:q} --spec {output.spec:q} --record {output.record:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


localrules:
    classifiers,
    fetch_weights,


rule classifiers:
    """Every classifier."""
    input:
        collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=CLASSIFIERS,
            seed=study.seeds,
        ),
