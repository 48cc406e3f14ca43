"""How each kind of layer is reversed (Mahendran & Vedaldi 2016, section 2)."""

from itertools import product
from typing import NamedTuple

from s2snets.runtime.errors import UserError

RELU = ("identity", "backprop", "relu", "hybrid")
POOL = ("switches", "centre")
LRN = ("backprop", "identity")


class Reversal(NamedTuple):
    """One reversed architecture; layers that it does not name are backpropagated.

    ``ŷ`` comes from above, ``x`` is what the layer saw in the forward pass.

    Attributes:
        relu: of a piecewise-linear unit f: ``identity`` ŷ, ``backprop`` ŷ ⊙ f'(x)
            (RU^BP, equation 7), ``relu`` max(ŷ, 0) (RU), ``hybrid`` the former's RU.
        pool: of max pooling: ``switches`` adds ŷ where the maximum stood (equation 9),
            ``centre`` in the middle of the window.
        lrn: of local response normalisation: ``backprop`` or ``identity``.
    """

    relu: str
    pool: str
    lrn: str


ARCHITECTURES = {
    "deconvnet": Reversal("relu", "switches", "identity"),
    "salinet": Reversal("backprop", "switches", "backprop"),
    "desalinet": Reversal("hybrid", "switches", "identity"),
}

VARIANTS = tuple(Reversal(relu, pool, "identity") for relu, pool in product(RELU, POOL))
"""The eight of figure 3."""


def named(reversal):
    """The rules of a name of ``ARCHITECTURES``, or those given.

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
    for key, rule, known in zip(
        Reversal._fields, rules, (RELU, POOL, LRN), strict=True
    ):
        if rule not in known:
            raise UserError(
                f"reversal: {key} has no rule {rule!r}; choose {', '.join(known)}"
            )
    return rules
