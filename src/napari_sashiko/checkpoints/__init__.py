"""What a trained model is: its card, its members, and the ensemble that they form."""

from napari_sashiko.checkpoints.card import (
    FORMAT_VERSION,
    MemberCard,
    ModelCard,
    Reconstructing,
    Restoring,
)
from napari_sashiko.checkpoints.ensemble import Ensemble
from napari_sashiko.checkpoints.folder import (
    SUFFIX,
    load_card,
    load_ensemble,
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
    "SUFFIX",
    "Ensemble",
    "ForestMember",
    "Member",
    "MemberCard",
    "ModelCard",
    "NetworkMember",
    "Reconstructing",
    "ReconstructorEnsemble",
    "Restoring",
    "load_card",
    "load_ensemble",
    "load_reconstructors",
    "mend_model",
    "model_digest",
    "network_halo",
    "save_model",
]
