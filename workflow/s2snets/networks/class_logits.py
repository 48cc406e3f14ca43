"""A study's classes among all the classes of a classifier.

ImageNet's classifiers have 1,000 logits, a study may have ten classes: its logits are
selected, in the order of its labels, before any softmax or loss. So top-1 is the best
of the study's classes, and probabilities sum to one over them.
"""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from s2snets.data.imagenet import is_synset, synsets
from s2snets.networks.frozen import PixelClassifier
from s2snets.runtime.errors import UserError

MIN_AGREEMENT = 0.9  # torchvision words 2 of its 1,000 names in its own way


class SelectLogits(nn.Module):
    """A selection of logits (N, K) -> (N, n) at the positions ``index``, in order."""

    index: Tensor

    def __init__(self, index: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("index", torch.tensor(index), False)

    def forward(self, logits: Tensor) -> Tensor:
        """Return the selected logits."""
        return logits.index_select(1, self.index)


def logits_by_name(names: Sequence[str]) -> dict[str, int]:
    """Return the logit of every name that stands for just one class.

    The names are the classifier's own and, where these are ImageNet's thousand in
    order, the synsets and lemmas. An ambiguous name counts only where it is the own
    name of exactly one class.
    """
    aliases = [{name} for name in names]
    own = Counter(names)
    if len(names) == len(synsets()):
        imagenet = [{synset, *lemmas} for synset, lemmas in synsets().items()]
        first = (name.partition(", ")[0] for name in names)
        agree = sum(name in known for name, known in zip(first, imagenet, strict=True))
        if agree >= MIN_AGREEMENT * len(names):
            aliases = [a | more for a, more in zip(aliases, imagenet, strict=True)]
    counts = Counter(alias for of_class in aliases for alias in of_class)
    return {
        alias: logit
        for logit, of_class in enumerate(aliases)
        for alias in of_class
        if counts[alias] == 1 or (alias == names[logit] and own[alias] == 1)
    }


def logit_positions(
    count: int, names: Sequence[str] | None, classes: Sequence[str]
) -> list[int]:
    """Return the position of the logit of each of a study's classes.

    A thousand logits without names are ImageNet's if the study's classes are synsets.
    Otherwise logits without names, like a study whose classes are mere numbers, are
    matched in order.

    Args:
        count: number of the classifier's logits.
        names: of its classes, in their order; None: not known.
        classes: the study's, in the order of its labels.

    Raises:
        UserError: a class that the classifier lacks, or has for another class as well.
    """
    numbered = list(classes) == [str(number) for number in range(len(classes))]
    if names is None and count == len(synsets()) and all(map(is_synset, classes)):
        names = list(synsets())
    if names is None or (numbered and "0" not in names):
        if count != len(classes):
            raise UserError(
                f"tells {count} classes apart, but the data has {len(classes)} and"
                " nothing says which; give the data the classifier's classes"
            )
        return list(range(count))
    known = logits_by_name(names)
    missing = [name for name in classes if name not in known]
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise UserError(
            f"has no class {missing[0]!r}{more}; take it out of the data, or another"
            " classifier"
        )
    positions = [known[name] for name in classes]
    if len(set(positions)) < len(positions):
        raise UserError("has one class for two of the data's; merge them there")
    return positions


def restrict_classes(
    classifier: PixelClassifier,
    count: int,
    names: Sequence[str] | None,
    classes: Sequence[str],
) -> None:
    """Reduce a classifier's logits to a study's classes; see ``logit_positions``."""
    positions = logit_positions(count, names, classes)
    if positions != list(range(count)):
        classifier.after = SelectLogits(positions)
