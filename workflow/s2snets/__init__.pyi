from .data.imageset import ImageSet
from .measure.information import nmi, shuffle_pixels
from .measure.lattice import build_lattice
from .measure.rrc import rrc_matrix, rrc_table
from .networks.checkpoints import load_autoencoder
from .networks.frozen import FrozenClassifier
from .networks.generator import Generator
from .networks.segnet import SegNet
from .reversal.mode import reversed_as
from .reversal.respond import respond
from .reversal.saliency import saliency
from .runtime.errors import UserError
from .study.finished import FinishedStudy, load_classifier, load_study
from .synthesis.ascent import AscentResult, ascend
from .synthesis.targets import Target

__version__: str

__all__ = [
    "AscentResult",
    "FinishedStudy",
    "FrozenClassifier",
    "Generator",
    "ImageSet",
    "SegNet",
    "Target",
    "UserError",
    "ascend",
    "build_lattice",
    "load_autoencoder",
    "load_classifier",
    "load_study",
    "nmi",
    "respond",
    "reversed_as",
    "rrc_matrix",
    "rrc_table",
    "saliency",
    "shuffle_pixels",
]
