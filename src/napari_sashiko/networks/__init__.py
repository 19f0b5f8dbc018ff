"""Networks: image to logits or image, patch to latents and back, sinogram to slice."""

from napari_sashiko.networks._building import (
    build_encoder,
    build_network,
    encoder_from_spec,
    encoder_settings,
    network_from_spec,
    network_settings,
)
from napari_sashiko.networks._encoder import ENCODERS, Coded, Encoder
from napari_sashiko.networks._network import NETWORKS, Network
from napari_sashiko.networks._patchwise import Patchwise
from napari_sashiko.networks._program import Program
from napari_sashiko.networks._reconstructor import (
    RECONSTRUCTORS,
    Reconstructor,
    build_reconstructor,
    reconstructor_from_spec,
    reconstructor_settings,
    reconstructor_weights,
)
from napari_sashiko.networks._restorer import (
    build_restorer,
    restorer_from_spec,
    restorer_names,
    restorer_settings,
)

__all__ = [
    "ENCODERS",
    "NETWORKS",
    "RECONSTRUCTORS",
    "Coded",
    "Encoder",
    "Network",
    "Patchwise",
    "Program",
    "Reconstructor",
    "build_encoder",
    "build_network",
    "build_reconstructor",
    "build_restorer",
    "encoder_from_spec",
    "encoder_settings",
    "network_from_spec",
    "network_settings",
    "reconstructor_from_spec",
    "reconstructor_settings",
    "reconstructor_weights",
    "restorer_from_spec",
    "restorer_names",
    "restorer_settings",
]
