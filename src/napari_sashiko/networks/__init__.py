"""Networks: any size in, logits of the same size out; sinograms in, images out."""

from napari_sashiko.networks._building import (
    build_network,
    network_from_spec,
    network_settings,
)
from napari_sashiko.networks._network import NETWORKS, Network
from napari_sashiko.networks._program import Program
from napari_sashiko.networks._reconstructor import (
    RECONSTRUCTORS,
    Reconstructor,
    build_reconstructor,
    reconstructor_from_spec,
    reconstructor_settings,
    reconstructor_weights,
)

__all__ = [
    "NETWORKS",
    "RECONSTRUCTORS",
    "Network",
    "Program",
    "Reconstructor",
    "build_network",
    "build_reconstructor",
    "network_from_spec",
    "network_settings",
    "reconstructor_from_spec",
    "reconstructor_settings",
    "reconstructor_weights",
]
