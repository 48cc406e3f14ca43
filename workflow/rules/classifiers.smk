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


rule export_classifier:
    """Wrap a classifier that comes with weights, fetching them where need be."""
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
        settings=export_settings,
    shell:
        "python -m s2snets.stages.export_classifier"
        " --weights {output.weights:q} --spec {output.spec:q} --record {output.record:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


localrules:
    classifiers,
    export_classifier,


rule classifiers:
    """Every classifier."""
    input:
        collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=CLASSIFIERS,
            seed=study.seeds,
        ),
