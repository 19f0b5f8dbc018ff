"""Networks: any size in, logits of the same size out, in 2D and 3D from one source.

Encoders squeeze patches of one size into a few numbers and make them again.
"""

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
from napari_sashiko.networks._program import Program

__all__ = [
    "ENCODERS",
    "NETWORKS",
    "Coded",
    "Encoder",
    "Network",
    "Program",
    "build_encoder",
    "build_network",
    "encoder_from_spec",
    "encoder_settings",
    "network_from_spec",
    "network_settings",
]
