"""Comparison: the paper's numbers and sentences beside the study's own."""

from s2snets.stages.comparison import CompareWithPaper


rule compare_with_paper:
    """Every printed number and every testable sentence, with a verdict."""
    input:
        **{
            name: f"<tables>/{name}.csv"
            for name in ["accuracy", "table1", "table2", "parts", "noise"]
            + ["rrc", "information", "curves", "colors"]
        },
        depth=rules.tabulate_depth.output.table if axes.looked_into else [],
        bootstrap="<tables>/bootstrap.npz",
        validation="<results>/data/validation/index.json",
        printed=[
            checkout_file("workflow/s2snets/assets/palacio2018/table1.csv"),
            checkout_file("workflow/s2snets/assets/palacio2018/table2.csv"),
            checkout_file("workflow/s2snets/assets/palacio2018/claims.csv"),
        ],
        weights=collect(
            "<results>/seed-{seed}/classifiers/{classifier}/weights.safetensors",
            classifier=axes.classifiers,
            seed=study.seeds[0],
        ),
    output:
        comparison="<tables>/comparison.csv",
    log:
        "<logs>/compare_with_paper.log",
    benchmark:
        "<benchmarks>/compare_with_paper.tsv"
    localrule: True
    params:
        **declared(CompareWithPaper),
    shell:
        CompareWithPaper.command()
