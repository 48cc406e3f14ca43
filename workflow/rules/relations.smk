"""Relations: RRC, formal contexts and concept lattices (section 3.4)."""


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
    params:
        code=fingerprint("s2snets.stages.relate"),
    shell:
        "python -m s2snets.stages.relate --table2 {input.table2:q}"
        " --bootstrap {input.bootstrap:q} --rrc {output.rrc:q} > {log:q} 2>&1"


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
    params:
        code=fingerprint("s2snets.stages.build_lattices"),
        thresholds=study.lattice.thresholds,
    shell:
        "python -m s2snets.stages.build_lattices --rrc {input.rrc:q}"
        " --thresholds {params.thresholds} --lattices {output.lattices:q}"
        " > {log:q} 2>&1"


rule survey_lattices:
    """Every distinct lattice, and how often it, its relations and chains recur."""
    input:
        rrc="<tables>/rrc.csv",
        bootstrap="<tables>/bootstrap.npz",
    output:
        distinct="<tables>/distinct-lattices.json",
        table="<tables>/distinct-lattices.csv",
        relations="<tables>/relations.csv",
        chains="<tables>/chains.csv",
    log:
        "<logs>/survey_lattices.log",
    benchmark:
        "<benchmarks>/survey_lattices.tsv"
    params:
        code=fingerprint("s2snets.stages.survey_lattices"),
        thresholds=study.lattice.thresholds,
    shell:
        "python -m s2snets.stages.survey_lattices --rrc {input.rrc:q}"
        " --bootstrap {input.bootstrap:q} --thresholds {params.thresholds}"
        " --distinct {output.distinct:q} --table {output.table:q}"
        " --relations {output.relations:q} --chains {output.chains:q}"
        " > {log:q} 2>&1"


localrules:
    relate,
    build_lattices,
    survey_lattices,
    lattices,


rule lattices:
    """RRC and lattices."""
    input:
        rules.build_lattices.output,
        rules.survey_lattices.output,
