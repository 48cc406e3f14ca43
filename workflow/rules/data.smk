"""Data: every image set as tar shards and one index (section 3.2)."""


rule pack_images:
    """One image set, checked and packed."""
    input:
        sources_of,
    output:
        index="<results>/data/{set}/index.npz",
        about="<results>/data/{set}/index.json",
        shards=directory("<results>/data/{set}/shards"),
        record="<results>/data/{set}/record.json",
    log:
        "<logs>/pack_images/{set}.log",
    benchmark:
        "<benchmarks>/pack_images/{set}.tsv"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime="12h",
    params:
        code=fingerprint("s2snets.stages.pack_images"),
        settings=packing,
    shell:
        "python -m s2snets.stages.pack_images"
        " --index {output.index:q} --shards {output.shards:q} --record {output.record:q}"
        " --threads {threads} --settings {params.settings:q} > {log:q} 2>&1"


localrules:
    data,


rule data:
    """Every image set."""
    input:
        collect("<results>/data/{set}/index.npz", set=SETS),
