"""Information: nMI through every source (section 3.5), and the example images."""

INFORMED = [
    source for source in SOURCES if source in {"original", "pretrained", *TUNED}
]
SHOWN = ["pretrained", *TUNED]


rule measure_information:
    """Intra- and inter-class nMI, and the shuffled null, of one source."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoder=autoencoder_of,
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
        code=fingerprint("s2snets.stages.measure_information"),
        settings=section_json(study, "image_size", "resize_mode", "autoencoder", "information"),
    shell:
        "python -m s2snets.stages.measure_information --images {input.images:q}"
        " --autoencoder {input.autoencoder:q} --source {wildcards.source}"
        " --information {output.information:q} --record {output.record:q}"
        " --seed {wildcards.seed} --threads {threads} --settings {params.settings:q}"
        " > {log:q} 2>&1"


rule tabulate_information:
    """Means, deviations and order of the sources (Figure 9)."""
    input:
        information=collect(
            rules.measure_information.output.information,
            source=INFORMED,
            seed=study.seeds,
        ),
    output:
        table="<tables>/information.csv",
    log:
        "<logs>/tabulate_information.log",
    benchmark:
        "<benchmarks>/tabulate_information.tsv"
    params:
        code=fingerprint("s2snets.stages.tabulate_information"),
        names=CLASSIFIERS,
        part=PART,
        settings=study.bootstrap.model_dump_json(),
    shell:
        "python -m s2snets.stages.tabulate_information"
        " --information {input.information:q} --classifiers {params.names}"
        " --part {params.part} --settings {params.settings:q}"
        " --table {output.table:q} > {log:q} 2>&1"


rule collect_gallery:
    """Example images through every source, and their LAB histograms."""
    input:
        images="<results>/data/validation/index.npz",
        autoencoders=collect(
            "<results>/seed-{seed}/autoencoders/{place}/weights.safetensors",
            place=[AUTOENCODERS[source] for source in SHOWN],
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
        code=fingerprint("s2snets.stages.collect_gallery"),
        settings=section_json(
            study,
            "image_size",
            "resize_mode",
            "autoencoder",
            "predict",
            "gallery",
            "reference",
        ),
        sources=SHOWN,
        labels=list(KNOWN.loc[SHOWN, "label"]),
        seed=study.seeds[0],
    shell:
        "python -m s2snets.stages.collect_gallery --images {input.images:q}"
        " --autoencoders {input.autoencoders:q} --sources {params.sources}"
        " --labels {params.labels:q} --gallery {output.gallery:q} --lab {output.lab:q}"
        " --record {output.record:q} --seed {params.seed} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


localrules:
    information,
    tabulate_information,


rule information:
    """nMI of every source, and the example images."""
    input:
        rules.tabulate_information.output,
        rules.collect_gallery.output,
