"""What do deep networks like to see? The study of Palacio et al., CVPR 2018.

Each stage is one file of rules below and one target of its own:

    snakemake --cores 2            the demo study, up to its report
    snakemake --cores 2 lattices   up to one stage
"""

from snakemake.utils import min_version

min_version("9.20")


# A study named on the command line stands alone: nothing of the demo leaks into it. A
# workflow that imports this one passes the settings itself (docs/module.md).
if workflow.modifier.is_main_snakefile() and not workflow.configfiles:

    configfile: "config/demo.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/lock.smk"
include: "workflow/rules/scheduler.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/fork_server.smk"
include: "workflow/rules/cleaning.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/classifiers.smk"
include: "workflow/rules/pretraining.smk"
include: "workflow/rules/finetuning.smk"
include: "workflow/rules/predictions.smk"
include: "workflow/rules/denoising.smk"
include: "workflow/rules/lighter.smk"
include: "workflow/rules/relations.smk"
include: "workflow/rules/color.smk"
include: "workflow/rules/information.smk"
include: "workflow/rules/depth.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/salient.smk"
include: "workflow/rules/synthesis.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/reported.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/priorities.smk"


rule all:
    """The whole study."""
    input:
        rules.main_report.output if study.main != study else [],
        rules.report.output,
