"""Cleaning: from published metadata, or a folder, to clean photographs (section 3.2)."""

from s2snets.stages.cleaning import (
    AuditPhotos,
    CleanPhotos,
    IndexPhotos,
    IndexZips,
    ReadMetadata,
)


rule read_metadata:
    """One metadata file, or a folder's listing, dealt out to the batches."""
    input:
        source=inputs.listing,
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
        inputs.zip_folder,
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
        unpack(inputs.cleaning),
    output:
        report="<results>/clean/batches/{batch}.json",
        record="<results>/clean/records/{batch}.json",
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
        store=inputs.shard_store,
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
        store=inputs.shard_store,
    shell:
        AuditPhotos.command()


rule index_photos:
    """What trainings read of them, once the audit has passed; some are held out."""
    input:
        summary=rules.audit_photos.output.summary,
        reports=rules.audit_photos.input.reports,
        exclude=inputs.exclude_list,
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
        store=inputs.shard_store,
    shell:
        IndexPhotos.command()


# Without `clean`, photographs are packed as they are.
ruleorder: pack_images > index_photos


rule cleaning:
    """Clean photographs, indexed, and what was found in them."""
    input:
        rules.index_photos.output.photos,
        rules.audit_photos.output,
