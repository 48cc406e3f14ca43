"""A study's classes among all that a classifier tells apart.

ImageNet's classifiers have 1,000 logits, a study may have ten classes: its logits are
chosen, and ordered as its labels are, before any softmax or loss. So top-1 is the
choice among the study's classes, and probabilities add to one over them.
"""

from collections import Counter

import torch
from torch import nn

from s2snets.data.imagenet import is_synset, synsets
from s2snets.runtime.errors import UserError

AGREEING = 0.9  # torchvision words 2 of its 1,000 names in its own way


class Chosen(nn.Module):
    """Logits (N, K) -> (N, n): those at the n places of ``index``, in its order."""

    def __init__(self, index):
        super().__init__()
        self.register_buffer("index", torch.tensor(index), False)

    def forward(self, logits):
        return logits.index_select(1, self.index)


def known_names(names):
    """What a classifier's classes may be called -> their places.

    That is their own names and, where these are ImageNet's thousand in their order,
    the synsets and lemmas. What two classes are called stands for neither, unless it is
    the own name of just one.
    """
    called = [{name} for name in names]
    own = Counter(names)
    if len(names) == len(synsets()):
        inet = [{synset, *lemmas} for synset, lemmas in synsets().items()]
        first = (name.partition(", ")[0] for name in names)
        agree = sum(name in one for name, one in zip(first, inet, strict=True))
        if agree >= AGREEING * len(names):
            called = [one | more for one, more in zip(called, inet, strict=True)]
    counts = Counter(alias for one in called for alias in one)
    return {
        alias: place
        for place, one in enumerate(called)
        for alias in one
        if counts[alias] == 1 or (alias == names[place] and own[alias] == 1)
    }


def places(count, names, classes):
    """Which logit stands for each of a study's classes.

    Without names a thousand logits are ImageNet's for a study of synsets; else, as for
    a study whose classes are but numbers, they are the study's classes in order.

    Args:
        count: the classifier's logits.
        names: of its classes, in their order; None where nobody knows.
        classes: the study's, in the order of its labels.

    Returns:
        list of places, one a class of the study.

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
    known = known_names(names)
    missing = [name for name in classes if name not in known]
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise UserError(
            f"has no class {missing[0]!r}{more}; take it out of the data, or another"
            " classifier"
        )
    found = [known[name] for name in classes]
    if len(set(found)) < len(found):
        raise UserError("has one class for two of the data's; merge them there")
    return found


def restricted(classifier, count, names, classes):
    """A classifier whose logits are those of a study's classes; see ``places``."""
    index = places(count, names, classes)
    if index == list(range(count)):
        return classifier
    classifier.after = Chosen(index)
    return classifier
