"""Typed settings: the source of defaults, JSON schema and documentation.

A default is the paper's value wherever the paper gives one; a description ends with its
source in parentheses.
"""

from s2snets.config.base import Count, Reference, Settings, models_in
from s2snets.config.cleaning import Clean, Licence, Zips
from s2snets.config.data import Background, Crops, Source
from s2snets.config.depth import Depth
from s2snets.config.measuring import (
    Bootstrap,
    Figures,
    Gallery,
    Information,
    Lattice,
    Predict,
)
from s2snets.config.networks import Autoencoder, Classifier
from s2snets.config.reading import explain, load
from s2snets.config.salient import Inversion, Salient, Segmentation
from s2snets.config.study import Study, check_paths
from s2snets.config.synthesis import Ascent, Decoding, Filters, PretrainedAscent
from s2snets.config.training import (
    Augmentation,
    Denoising,
    Finetune,
    Optimisation,
    Pretraining,
    Training,
)

__all__ = [
    "Ascent",
    "Augmentation",
    "Autoencoder",
    "Background",
    "Bootstrap",
    "Classifier",
    "Clean",
    "Count",
    "Crops",
    "Decoding",
    "Denoising",
    "Depth",
    "Figures",
    "Filters",
    "Finetune",
    "Gallery",
    "Information",
    "Inversion",
    "Lattice",
    "Licence",
    "Optimisation",
    "Predict",
    "PretrainedAscent",
    "Pretraining",
    "Reference",
    "Salient",
    "Segmentation",
    "Settings",
    "Source",
    "Study",
    "Training",
    "Zips",
    "check_paths",
    "explain",
    "load",
    "models_in",
]
