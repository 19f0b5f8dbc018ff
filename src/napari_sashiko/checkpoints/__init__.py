"""What a trained model is: its card, its members, and the ensemble that they form."""

from napari_sashiko.checkpoints.card import (
    FORMAT_VERSION,
    Exploring,
    MemberCard,
    ModelCard,
    Reconstructing,
    Restoring,
)
from napari_sashiko.checkpoints.copying import copy_model
from napari_sashiko.checkpoints.ensemble import Ensemble
from napari_sashiko.checkpoints.explorer import (
    KNOWN,
    Explorer,
    Seen,
    distances,
    squeeze,
)
from napari_sashiko.checkpoints.folder import (
    SUFFIX,
    load_card,
    load_ensemble,
    load_explorer,
    load_reconstructors,
    model_digest,
    save_model,
)
from napari_sashiko.checkpoints.member import (
    ForestMember,
    Member,
    NetworkMember,
    network_halo,
)
from napari_sashiko.checkpoints.mending import mend_model
from napari_sashiko.checkpoints.reconstructors import ReconstructorEnsemble

__all__ = [
    "FORMAT_VERSION",
    "KNOWN",
    "SUFFIX",
    "Ensemble",
    "Explorer",
    "Exploring",
    "ForestMember",
    "Member",
    "MemberCard",
    "ModelCard",
    "NetworkMember",
    "Reconstructing",
    "ReconstructorEnsemble",
    "Restoring",
    "Seen",
    "copy_model",
    "distances",
    "load_card",
    "load_ensemble",
    "load_explorer",
    "load_reconstructors",
    "mend_model",
    "model_digest",
    "network_halo",
    "save_model",
    "squeeze",
]
