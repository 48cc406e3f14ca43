"""Cleaning: from published metadata, or a folder, to clean photographs (section 3.2)."""

from s2snets.stages.cleaning import (
    AuditPhotos,
    CleanPhotos,
    IndexPhotos,
    IndexZips,
    ReadMetadata,
)


def listing(wildcards):
    """Return one metadata file, or the folder of photographs."""
    return axes.metadata[wildcards.metadata]


def zip_folder(wildcards):
    """Return the folder of zip files."""
    return study.clean.zips.path


def store(wildcards, input, output):
    """Return the folder of cleaned shards: one that studies share, or the study's."""
    batches = input.get("reports", output)  # results/STUDY/clean/batches/BATCH.json
    return study.clean.store or str(Path(batches[0]).parents[1])


def cleaning_inputs(wildcards):
    """Return what a batch is cleaned from, and by which lists."""
    rows, clean = "<results>/clean/rows", study.clean
    return {
        "rows": [f"{rows}/{name}" for name in axes.listings],
        "hashes": f"{rows}/hashes" if clean.hashes else [],
        "zips_index": "<results>/clean/zips.npy" if clean.zips else [],
        "exclude": clean.exclude or [],
        "placeholders": clean.placeholders or [],
    }


def excluded(wildcards):
    """Return the list of photographs that must go, if there is one."""
    return (study.clean and study.clean.exclude) or []


rule read_metadata:
    """One metadata file, or a folder's listing, dealt out to the batches."""
    input:
        source=listing,
    output:
        rows=directory("<results>/clean/rows/{metadata}"),
        record="<results>/clean/rows/{metadata}.json",
    log:
        "<logs>/read_metadata/{metadata}.log",
    benchmark:
        "<benchmarks>/read_metadata/{metadata}.tsv"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime="12h",
    params:
        **declared(ReadMetadata),
    shell:
        ReadMetadata.command()


rule index_zips:
    """Where each photograph lies in the zip files."""
    input:
        zip_folder,
    output:
        index="<results>/clean/zips.npy",
        about="<results>/clean/zips.json",
        record="<results>/clean/zips-record.json",
    log:
        "<logs>/index_zips.log",
    benchmark:
        "<benchmarks>/index_zips.tsv"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime="12h",
    params:
        **declared(IndexZips),
    shell:
        IndexZips.command()


rule clean_photos:
    """One batch of shards: fetched, judged, packed; a killed one goes on."""
    input:
        unpack(cleaning_inputs),
    output:
        report="<results>/clean/batches/{batch}.json",
    log:
        "<logs>/clean_photos/{batch}.log",
    benchmark:
        "<benchmarks>/clean_photos/{batch}.tsv"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime="1d",
    params:
        **declared(CleanPhotos),
        store=store,
        batch="{batch}",
    shell:
        CleanPhotos.command()


rule audit_photos:
    """Counts beside the paper's, shards that stand out, duplicates, placeholders."""
    input:
        reports=collect(rules.clean_photos.output.report, batch=axes.batches),
        rows=collect(rules.read_metadata.output.rows, metadata=axes.listings),
        validation="<results>/data/validation/index.npz",
    output:
        outcomes="<tables>/cleaning.csv",
        totals="<tables>/cleaning-totals.csv",
        shards="<tables>/cleaning-shards.csv",
        licences="<tables>/cleaning-licences.csv",
        proposed="<tables>/placeholders-proposed.tsv",
        summary="<tables>/cleaning.json",
    log:
        "<logs>/audit_photos.log",
    benchmark:
        "<benchmarks>/audit_photos.tsv"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime="12h",
    params:
        **declared(AuditPhotos),
        store=store,
    shell:
        AuditPhotos.command()


rule index_photos:
    """What trainings read of them, once the audit has passed; some are held out."""
    input:
        summary=rules.audit_photos.output.summary,
        reports=rules.audit_photos.input.reports,
        exclude=excluded,
    output:
        photos="<results>/data/photos/index.npz",
        photos_about="<results>/data/photos/index.json",
        validation="<results>/data/photos_validation/index.npz",
        validation_about="<results>/data/photos_validation/index.json",
        record="<results>/data/photos/record.json",
    log:
        "<logs>/index_photos.log",
    benchmark:
        "<benchmarks>/index_photos.tsv"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime="12h",
    params:
        **declared(IndexPhotos),
        store=store,
    shell:
        IndexPhotos.command()


# Without `clean`, photographs are packed as they are.
ruleorder: pack_images > index_photos


rule cleaning:
    """Clean photographs, indexed, and what was found in them."""
    input:
        rules.index_photos.output.photos,
        rules.audit_photos.output,
