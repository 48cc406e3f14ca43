"""Relations: RRC, formal contexts and concept lattices (section 3.4)."""

from s2snets.stages.relations import BuildLattices, Relate, SurveyLattices


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


rule lattices:
    """RRC and lattices."""
    input:
        rules.build_lattices.output,
        rules.survey_lattices.output,
