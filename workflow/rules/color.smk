"""Colour: how every source changes the colours of images (section 3.3.1)."""

from s2snets.stages.color import MeasureColor, TabulateColor


rule measure_color:
    """Colours of one source's images, and their distance from the originals'."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=inputs.autoencoder,
    output:
        color="<results>/seed-{seed}/color/{source}.parquet",
        record="<results>/seed-{seed}/color/{source}.json",
    log:
        "<logs>/measure_color/seed-{seed}/{source}.log",
    benchmark:
        "<benchmarks>/measure_color/seed-{seed}/{source}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="12h",
    params:
        **declared(MeasureColor),
        source="{source}",
        seed="{seed}",
    shell:
        MeasureColor.command()


rule tabulate_color:
    """Mean colours of every source, with intervals."""
    input:
        color=collect(
            rules.measure_color.output.color,
            source=axes.main_sources,
            seed=study.seeds,
        ),
    output:
        table="<tables>/colors.csv",
    log:
        "<logs>/tabulate_color.log",
    benchmark:
        "<benchmarks>/tabulate_color.tsv"
    localrule: True
    params:
        **declared(TabulateColor),
        classifiers=axes.classifiers,
        part=axes.part,
    shell:
        TabulateColor.command()


rule color:
    """Colours of every source."""
    input:
        rules.tabulate_color.output,
