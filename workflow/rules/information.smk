"""Information: nMI through every source (section 3.5), and the example images."""

from s2snets.stages.information import (
    CollectGallery,
    MeasureInformation,
    TabulateInformation,
)

RECONSTRUCTED = axes.main_sources[1:]


rule measure_information:
    """Intra- and inter-class nMI, and the shuffled null, of one source."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=inputs.autoencoder,
    output:
        information="<results>/seed-{seed}/information/{source}.parquet",
        record="<results>/seed-{seed}/information/{source}.json",
    log:
        "<logs>/measure_information/seed-{seed}/{source}.log",
    benchmark:
        "<benchmarks>/measure_information/seed-{seed}/{source}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="12h",
    params:
        **declared(MeasureInformation),
        source="{source}",
        seed="{seed}",
        replicate=0,
    shell:
        MeasureInformation.command()


use rule measure_information as measure_replicate with:
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=inputs.replicate,
    output:
        information="<results>/seed-{seed}/replicate-{replicate}/information/{source}.parquet",
        record="<results>/seed-{seed}/replicate-{replicate}/information/{source}.json",
    log:
        "<logs>/measure_replicate/seed-{seed}/replicate-{replicate}/{source}.log",
    benchmark:
        "<benchmarks>/measure_replicate/seed-{seed}/replicate-{replicate}/{source}.tsv"
    params:
        replicate="{replicate}",


rule tabulate_information:
    """Means, deviations and order of the sources (Figure 9)."""
    input:
        information=collect(
            rules.measure_information.output.information,
            source=axes.main_sources,
            seed=study.seeds,
        )
        + collect(
            rules.measure_replicate.output.information,
            source=axes.tuned,
            seed=study.seeds,
            replicate=axes.replicates,
        ),
    output:
        table="<tables>/information.csv",
    log:
        "<logs>/tabulate_information.log",
    benchmark:
        "<benchmarks>/tabulate_information.tsv"
    localrule: True
    params:
        **declared(TabulateInformation),
        classifiers=axes.classifiers,
        part=axes.part,
    shell:
        TabulateInformation.command()


rule collect_gallery:
    """Example images through every source, and their LAB histograms."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoders=collect(
            "<results>/seed-{seed}/autoencoders/{folder}/weights.safetensors",
            folder=[axes.sources[name].autoencoder for name in RECONSTRUCTED],
            seed=study.seeds[0],
        ),
    output:
        gallery="<tables>/gallery.npz",
        lab="<tables>/lab.csv",
        record="<tables>/gallery.json",
    log:
        "<logs>/collect_gallery.log",
    benchmark:
        "<benchmarks>/collect_gallery.tsv"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime="1h",
    params:
        **declared(CollectGallery),
        sources=RECONSTRUCTED,
        labels=[axes.sources[name].label for name in RECONSTRUCTED],
        seed=study.seeds[0],
    shell:
        CollectGallery.command()


rule information:
    """nMI of every source, and the example images."""
    input:
        rules.tabulate_information.output,
        rules.collect_gallery.output,
