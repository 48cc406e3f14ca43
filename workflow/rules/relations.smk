"""Relations: RRC, formal contexts and concept lattices (section 3.4)."""

from s2snets.stages.relations import (
    BuildLattices,
    CompareFeatures,
    CompareErrors,
    Relate,
    SurveyLattices,
)


rule relate:
    """The relative rate of change of every autoencoder-classifier pair."""
    input:
        table2="<tables>/table2.csv",
        bootstrap="<tables>/bootstrap.npz",
    output:
        rrc="<tables>/rrc.csv",
    log:
        "<logs>/relate.log",
    benchmark:
        "<benchmarks>/relate.tsv"
    localrule: True
    params:
        **declared(Relate),
    shell:
        Relate.command()


rule build_lattices:
    """The concept lattice at every threshold."""
    input:
        rrc="<tables>/rrc.csv",
    output:
        lattices="<tables>/lattices.json",
    log:
        "<logs>/build_lattices.log",
    benchmark:
        "<benchmarks>/build_lattices.tsv"
    localrule: True
    params:
        **declared(BuildLattices),
        thresholds=study.lattice.thresholds,
    shell:
        BuildLattices.command()


rule survey_lattices:
    """Every lattice, how often it recurs, and the order that trainings agree on."""
    input:
        rrc="<tables>/rrc.csv",
        bootstrap="<tables>/bootstrap.npz",
    output:
        distinct="<tables>/distinct-lattices.json",
        table="<tables>/distinct-lattices.csv",
        relations="<tables>/relations.csv",
        chains="<tables>/chains.csv",
        agreement="<tables>/agreement.csv",
        orders="<tables>/orders.csv",
    log:
        "<logs>/survey_lattices.log",
    benchmark:
        "<benchmarks>/survey_lattices.tsv"
    localrule: True
    params:
        **declared(SurveyLattices),
        thresholds=study.lattice.thresholds,
    shell:
        SurveyLattices.command()


rule compare_features:
    """How alike the networks' features of the same images are."""
    input:
        images="<results>/data/validation/index.npz",
        classifiers=collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=axes.classifiers,
            allow_missing=True,
        ),
    output:
        features="<results>/seed-{seed}/features.parquet",
        record="<results>/seed-{seed}/features.json",
    log:
        "<logs>/compare_features/seed-{seed}.log",
    benchmark:
        "<benchmarks>/compare_features/seed-{seed}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime="12h",
    params:
        **declared(CompareFeatures),
        names=axes.classifiers,
        seed="{seed}",
    shell:
        CompareFeatures.command()


rule compare_errors:
    """Whether networks that serve each other err on the same images, and see alike."""
    input:
        predictions=collect(
            rules.predict.output.predictions, source="original", seed=study.seeds
        ),
        features=collect(rules.compare_features.output.features, seed=study.seeds),
        rrc="<tables>/rrc.csv",
    output:
        pairs="<tables>/consistency.csv",
        correlations="<tables>/correlations.csv",
    log:
        "<logs>/compare_errors.log",
    benchmark:
        "<benchmarks>/compare_errors.tsv"
    localrule: True
    params:
        **declared(CompareErrors),
        classifiers=axes.classifiers,
        reference=study.reference,
    shell:
        CompareErrors.command()


rule lattices:
    """RRC, lattices, and what RRC has in common with errors."""
    input:
        rules.compare_errors.output,
        rules.build_lattices.output,
        rules.survey_lattices.output,
