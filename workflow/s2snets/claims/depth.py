"""Claims of section 3.6: signal by depth."""

from s2snets.claims.claim import Margins, Test
from s2snets.claims.evidence import Estimate, Tables, Untestable

NEGLIGIBLE = 0.02
"""Loss of nMI that still counts as none (our bound)."""


def halves(profile: list[Estimate]) -> tuple[Estimate, Estimate]:
    """Return the signal that is lost in the shallow and in the deep half of the steps.

    Of an odd number of steps the middle one counts as deep.
    """
    middle = (len(profile) - 1) // 2
    return profile[0] - profile[middle], profile[middle] - profile[-1]


def shallow_layers_drop_more(tables: Tables) -> Margins:
    """Return how much more the shallow half loses than the deep half, by network."""
    margins = {}
    for name, profile in tables.depth_profiles().items():
        shallow, deep = halves(profile)
        margins[name] = shallow - deep
    return margins


def deep_layers_use_all(tables: Tables) -> Margins:
    """Return by how much the deep half's loss stays below what counts as none."""
    return {
        name: NEGLIGIBLE - halves(profile)[1]
        for name, profile in tables.depth_profiles().items()
    }


def about_parameters(tables: Tables) -> Margins:
    """Raise: no study here changes a network's parameters or its width."""
    raise Untestable("it is about parameters, which no stage here changes")


TESTS: dict[str, Test] = {
    "shallow-parameters-matter-most": about_parameters,
    "shallow-layers-drop-more": shallow_layers_drop_more,
    "deep-layers-use-all-signal": deep_layers_use_all,
}
