"""Cleaning: from published metadata, or a folder, to clean photographs (section 3.2)."""


rule read_metadata:
    """One metadata file, or a folder's listing, dealt out to the batches."""
    input:
        source=metadata_source,
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
        code=fingerprint("s2snets.stages.read_metadata"),
        settings=metadata_settings,
    shell:
        "python -m s2snets.stages.read_metadata --source {input.source:q}"
        " --rows {output.rows:q} --record {output.record:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


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
        code=fingerprint("s2snets.stages.index_zips"),
        settings=zip_settings,
    shell:
        "python -m s2snets.stages.index_zips --index {output.index:q}"
        " --record {output.record:q} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


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
        code=fingerprint("s2snets.stages.clean_photos"),
        store=store,
        flags=flags,
        settings=cleaning_settings,
    shell:
        "python -m s2snets.stages.clean_photos {params.flags} --store {params.store:q}"
        " --batch {wildcards.batch} --report {output.report:q} --threads {threads}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule audit_photos:
    """Counts beside the paper's, shards that stand out, duplicates, placeholders."""
    input:
        reports=collect(rules.clean_photos.output.report, batch=BATCHES),
        rows=collect(rules.read_metadata.output.rows, metadata=LISTED),
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
        code=fingerprint("s2snets.stages.audit_photos"),
        store=store,
        settings=audit_settings,
    shell:
        "python -m s2snets.stages.audit_photos --store {params.store:q}"
        " --reports {input.reports:q} --rows {input.rows:q}"
        " --validation {input.validation:q} --outcomes {output.outcomes:q}"
        " --totals {output.totals:q} --shards {output.shards:q}"
        " --licences {output.licences:q} --proposed {output.proposed:q}"
        " --summary {output.summary:q} --settings {params.settings:q} > {log:q} 2>&1"


rule index_photos:
    """What trainings read of them, once the audit has passed; some are held out."""
    input:
        rules.audit_photos.output.summary,
        reports=rules.audit_photos.input.reports,
        exclude=exclusions,
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
        code=fingerprint("s2snets.stages.index_photos"),
        store=store,
        settings=photo_index_settings,
    shell:
        "python -m s2snets.stages.index_photos --store {params.store:q}"
        " --reports {input.reports:q} --exclude {input.exclude:q}"
        " --photos {output.photos:q} --validation {output.validation:q}"
        " --record {output.record:q} --settings {params.settings:q} > {log:q} 2>&1"


# Without `clean`, photographs are packed as they are.
ruleorder: pack_images > index_photos


localrules:
    cleaning,


rule cleaning:
    """Clean photographs, indexed, and what was found in them."""
    input:
        rules.index_photos.output.photos,
        rules.audit_photos.output,
