"""Figures: drawn from tables, each as PDF, PNG and the CSV behind it."""

from s2snets.figures.base import Figure, input_options, study_drawings
from s2snets.study.axes import Axes

DRAWINGS = study_drawings(axes)
MAIN_DRAWINGS = study_drawings(Axes(study.main))


for drawing in DRAWINGS:

    rule:
        name:
            drawing.rule
        input:
            **drawing.inputs,
        output:
            pdf=f"<figures>/{drawing.stem}.pdf",
            png=report(
                f"<figures>/{drawing.stem}.png",
                caption="../s2snets/assets/report/figure.rst",
                category="Figures",
                labels={"figure": drawing.stem},
            ),
            csv=f"<figures>/{drawing.stem}.csv",
        log:
            f"<logs>/draw/{drawing.stem}.log",
        benchmark:
            f"<benchmarks>/draw/{drawing.stem}.tsv"
        localrule: True
        params:
            **declared(drawing.figure),
            figure=drawing.figure.stem,
            inputs=input_options,
            caption=drawing.figure.caption(study),
        shell:
            Figure.any_command()


rule figures:
    """Every figure of the paper."""
    input:
        collect(
            "<figures>/{stem}.{form}",
            stem=[drawing.stem for drawing in DRAWINGS],
            form=["pdf", "png", "csv"],
        ),
