"""Comparison: the paper's numbers and sentences beside the study's own."""


rule compare_with_paper:
    """Every printed number and every testable sentence, with a verdict."""
    input:
        **{
            name: f"<tables>/{name}.csv"
            for name in ["accuracy", "table1", "table2", "parts", "noise"]
            + ["rrc", "information", "curves", "lab"]
        },
        weights=collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=CLASSIFIERS,
            seed=study.seeds[0],
        ),
    output:
        comparison="<tables>/comparison.csv",
    log:
        "<logs>/compare_with_paper.log",
    benchmark:
        "<benchmarks>/compare_with_paper.tsv"
    params:
        code=fingerprint("s2snets.stages.compare_with_paper"),
        printed=texts(WORKFLOW / "s2snets/assets/palacio2018"),
        settings=section_json(
            study, "image_size", "classifiers", "information", "lattice", "reference"
        ),
    shell:
        "python -m s2snets.stages.compare_with_paper --accuracy {input.accuracy:q}"
        " --table1 {input.table1:q} --table2 {input.table2:q} --parts {input.parts:q}"
        " --noise {input.noise:q} --rrc {input.rrc:q}"
        " --information {input.information:q} --curves {input.curves:q}"
        " --lab {input.lab:q} --weights {input.weights:q}"
        " --comparison {output.comparison:q} --settings {params.settings:q}"
        " > {log:q} 2>&1"


localrules:
    compare_with_paper,
