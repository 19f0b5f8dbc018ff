"""Networks: any size in, logits of the same size out, in 2D and 3D from one source."""

from napari_sashiko.networks._building import (
    build_network,
    network_from_spec,
    network_settings,
)
from napari_sashiko.networks._network import NETWORKS, Network
from napari_sashiko.networks._program import Program

__all__ = [
    "NETWORKS",
    "Network",
    "Program",
    "build_network",
    "network_from_spec",
    "network_settings",
]
