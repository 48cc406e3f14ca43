"""Relations: RRC, formal contexts and concept lattices (section 3.4)."""


rule relate:
    """The relative rate of change of every autoencoder-classifier pair."""
    input:
        table2="<tables>/table2.csv",
    output:
        rrc="<tables>/rrc.csv",
    log:
        "<logs>/relate.log",
    benchmark:
        "<benchmarks>/relate.tsv"
    params:
        code=fingerprint("s2snets.stages.relate"),
    shell:
        "python -m s2snets.stages.relate --table2 {input.table2:q} --rrc {output.rrc:q}"
        " > {log:q} 2>&1"


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


localrules:
    relate,
    build_lattices,
    lattices,


rule lattices:
    """RRC and lattices."""
    input:
        rules.build_lattices.output,
