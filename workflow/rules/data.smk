"""Data: every image set as tar shards and one index (section 3.2)."""

from s2snets.stages.data import CheckClasses, PackImages
from s2snets.study.axes import IMAGE_SETS


rule pack_images:
    """One image set, checked and packed."""
    input:
        inputs.image_files,
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
        **declared(PackImages),
    shell:
        PackImages.command()


rule check_classes:
    """Check the classes that settings name, where only packing finds the classes."""
    input:
        description="<results>/data/train/index.json",
    output:
        checked="<results>/data/classes.json",
    log:
        "<logs>/check_classes.log",
    localrule: True
    params:
        **declared(CheckClasses),
    shell:
        CheckClasses.command()


rule data:
    """Every image set."""
    input:
        collect("<results>/data/{set}/index.npz", set=IMAGE_SETS),
