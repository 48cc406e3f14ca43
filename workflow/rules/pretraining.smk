"""Pretraining: SegNet on photographs, and on the labelled set (section 3.2)."""

from s2snets.stages.pretraining import PretrainAutoencoder, TabulateCurves
from s2snets.study.axes import CORPORA


rule pretrain_autoencoder:
    """Train SegNet to reconstruct one corpus; on photographs this makes A_S."""
    input:
        images=inputs.corpus,
        validation_photos="<results>/data/photos_validation/index.npz",
        validation_labelled="<results>/data/validation/index.npz",
        checked=ancient(inputs.checked_classes),
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
        **declared(PretrainAutoencoder),
        seed="{seed}",
    shell:
        PretrainAutoencoder.command()


rule tabulate_curves:
    """The learning curves of both corpora (Figure 2)."""
    input:
        curves=collect(
            rules.pretrain_autoencoder.output.curve,
            corpus=CORPORA,
            seed=study.seeds,
        ),
    output:
        table="<tables>/curves.csv",
    log:
        "<logs>/tabulate_curves.log",
    benchmark:
        "<benchmarks>/tabulate_curves.tsv"
    localrule: True
    params:
        **declared(TabulateCurves),
        corpora=list(CORPORA),
        seeds=study.seeds,
    shell:
        TabulateCurves.command()


rule pretraining:
    """Both pretrainings and their curves."""
    input:
        rules.tabulate_curves.output,
        collect(
            rules.pretrain_autoencoder.output.weights,
            corpus=CORPORA,
            seed=study.seeds,
        ),
