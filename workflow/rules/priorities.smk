"""The main study's jobs go before those of its companions. No rules here.

Before all go those that can find a setting to be wrong.
"""

CHECKS = ("check_classes", "choose_layers")

COMPANION_SECTIONS = ("salient", "synthesis")
COMPANION_DRAWINGS = {drawing.rule for drawing in DRAWINGS} - {
    drawing.rule for drawing in MAIN_DRAWINGS
}


def before_companions(wildcards):
    """Return the priority of a job of the main study; 0 for a companion's network."""
    return int(wildcards.get("classifier") not in study.companions)


for one in workflow.rules:
    section = Path(one.snakefile)
    if (
        LIBRARY / "rules" in section.parents
        and section.stem not in COMPANION_SECTIONS
        and one.name not in COMPANION_DRAWINGS
    ):
        one.priority = before_companions
    if one.name in CHECKS:
        one.priority = 2
