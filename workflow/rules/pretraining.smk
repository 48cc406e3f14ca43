"""Pretraining: SegNet on photographs, and on the labelled set (section 3.2)."""


rule pretrain_autoencoder:
    """Train SegNet to reconstruct one corpus; on photographs this makes A_S."""
    input:
        images=corpus_index,
        photos="<results>/data/photos_validation/index.npz",
        labelled="<results>/data/validation/index.npz",
    output:
        weights=ensure(
            "<results>/seed-{seed}/autoencoders/pretrained/{corpus}/weights.safetensors",
            non_empty=True,
        ),
        curve="<results>/seed-{seed}/autoencoders/pretrained/{corpus}/curve.csv",
        record="<results>/seed-{seed}/autoencoders/pretrained/{corpus}/record.json",
    log:
        "<logs>/pretrain_autoencoder/seed-{seed}/{corpus}.log",
    benchmark:
        "<benchmarks>/pretrain_autoencoder/seed-{seed}/{corpus}.tsv"
    priority: 1
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="7d",
    params:
        code=fingerprint("s2snets.stages.pretrain_autoencoder"),
        settings=pretraining_settings,
    shell:
        "python -m s2snets.stages.pretrain_autoencoder --images {input.images:q}"
        " --validation-photos {input.photos:q} --validation-labelled {input.labelled:q}"
        " --weights {output.weights:q} --curve {output.curve:q}"
        " --record {output.record:q} --seed {wildcards.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule tabulate_curves:
    """The learning curves of both corpora (Figure 2)."""
    input:
        collect(
            "<results>/seed-{seed}/autoencoders/pretrained/{corpus}/curve.csv",
            corpus=CORPORA,
            seed=study.seeds[0],
        ),
    output:
        "<tables>/curves.csv",
    log:
        "<logs>/tabulate_curves.log",
    benchmark:
        "<benchmarks>/tabulate_curves.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_curves"),
        corpora=list(CORPORA),
    shell:
        "python -m s2snets.stages.tabulate_curves --curves {input:q}"
        " --corpora {params.corpora} --table {output:q} > {log:q} 2>&1"


localrules:
    pretraining,
    tabulate_curves,


rule pretraining:
    """Both pretrainings and their curves."""
    input:
        rules.tabulate_curves.output,
        collect(
            rules.pretrain_autoencoder.output.weights,
            corpus=CORPORA,
            seed=study.seeds,
        ),
