"""Report: what the study found and what it cost, in one file."""

from s2snets.report.open_definitions import open_definitions
from s2snets.runtime.fingerprint import file_digest
from s2snets.stages.report import Report, TabulateCosts


rule tabulate_costs:
    """Time and memory of every job that takes time."""
    input:
        **costs(axes),
    output:
        table="<tables>/costs.csv",
    log:
        "<logs>/tabulate_costs.log",
    localrule: True
    params:
        **declared(TabulateCosts),
    shell:
        TabulateCosts.command()


rule report:
    """One self-contained HTML file: question, answer, figures, tables, costs."""
    input:
        **shown(axes, DRAWINGS),
        costs="<tables>/costs.csv",
        rest=rules.figures.input,
    output:
        html="<results>/report.html",
        record="<results>/report.json",
    log:
        "<logs>/report.log",
    localrule: True
    params:
        **declared(Report),
        definitions=open_definitions(study),
        templates=file_digest(sorted((LIBRARY / "s2snets/assets/report").iterdir())),
    shell:
        Report.command()


# Where there are companion studies, the main one's report does not wait for theirs.
use rule tabulate_costs as tabulate_main_costs with:
    input:
        **costs(MAIN),
    output:
        table="<tables>/main-costs.csv",
    log:
        "<logs>/tabulate_main_costs.log",


use rule report as main_report with:
    input:
        **shown(MAIN, MAIN_DRAWINGS),
        costs=rules.tabulate_main_costs.output.table,
    output:
        html="<results>/main-report.html",
        record="<results>/main-report.json",
    log:
        "<logs>/main_report.log",
    params:
        **declared(Report, study.main),
        definitions=open_definitions(study.main),
        templates=rules.report.params.templates,
