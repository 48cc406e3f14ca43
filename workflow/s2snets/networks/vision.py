"""torchvision, importable even beside a torch build that it was not compiled for.

torchvision's wheels are compiled against a CUDA build of torch. Beside a CPU build
its compiled operators do not load, and ``import torchvision`` raises while it
registers shape rules for ``nms`` and ``qnms``. Declaring the two lets the import
succeed. Networks, tables of weights and transforms need neither operator; where
torchvision imports by itself nothing is declared.
"""

import contextlib

import torch


def declare_missing_operators() -> list[torch.library.Library]:
    """Declare ``nms`` and ``qnms`` in torch's registry where no library defines them.

    The returned libraries must outlive the import: their operators go with them.
    """
    libraries = []
    for operator in ("nms", "qnms"):
        library = torch.library.Library("torchvision", "FRAGMENT")
        # Already defined: another import of this kind came first.
        with contextlib.suppress(RuntimeError):
            library.define(f"{operator}(Tensor dets, Tensor scores, float t) -> Tensor")
        libraries.append(library)
    return libraries


try:
    import torchvision
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    DECLARED = declare_missing_operators()
    import torchvision

__all__ = ["torchvision"]
