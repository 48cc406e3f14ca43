"""Rules that reverse each kind of layer (Mahendran & Vedaldi 2016, section 2)."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from s2snets.runtime.errors import UserError

RELU_RULES = ("identity", "backprop", "relu", "hybrid")
POOL_RULES = ("switches", "centre")
LRN_RULES = ("backprop", "identity")


class Reversal(NamedTuple):
    """The rules of a reversed architecture; all other layers are backpropagated.

    ``ŷ`` comes from the layer above, ``x`` is the layer's input in the forward pass.

    Attributes:
        relu: rule of a piecewise-linear unit f: ``identity`` ŷ, ``backprop`` ŷ ⊙ f'(x)
            (RU^BP, equation 7), ``relu`` max(ŷ, 0) (RU), ``hybrid`` the RU of RU^BP.
        pool: rule of max pooling: ``switches`` adds ŷ at the maximum's position
            (equation 9), ``centre`` in the middle of the window.
        lrn: rule of local response normalisation: ``backprop`` or ``identity``.
    """

    relu: str
    pool: str
    lrn: str


ARCHITECTURES = {
    "deconvnet": Reversal("relu", "switches", "identity"),
    "salinet": Reversal("backprop", "switches", "backprop"),
    "desalinet": Reversal("hybrid", "switches", "identity"),
}

VARIANTS = tuple(
    Reversal(relu, pool, "identity") for relu, pool in product(RELU_RULES, POOL_RULES)
)
"""The eight variants of figure 3."""


def resolve_reversal(reversal: str | Sequence[str]) -> Reversal:
    """Return the rules of an architecture, given by its name or as three rules.

    Raises:
        UserError: no such architecture or rule.
    """
    if isinstance(reversal, str):
        if reversal not in ARCHITECTURES:
            raise UserError(
                f"reversal: there is no {reversal!r}; choose {', '.join(ARCHITECTURES)}"
            )
        return ARCHITECTURES[reversal]
    rules = Reversal(*reversal)
    allowed = (RELU_RULES, POOL_RULES, LRN_RULES)
    for key, rule, known in zip(Reversal._fields, rules, allowed, strict=True):
        if rule not in known:
            raise UserError(
                f"reversal: {key} has no rule {rule!r}; choose {', '.join(known)}"
            )
    return rules
