"""Small models on disk with weights that nobody trained."""

import numpy as np
import torch

from napari_sashiko.checkpoints import Exploring, MemberCard, ModelCard, save_model
from napari_sashiko.checkpoints.explorer import KNOWN
from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.labels import default_classes
from napari_sashiko.networks import (
    build_encoder,
    build_network,
    build_reconstructor,
    build_restorer,
)
from napari_sashiko.volumes import Normalisation

BANK = FilterBank(sigmas=(0.7,), textures=())
GREY = Normalisation(low=(10.0,), high=(200.0,), center=(90.0,), scale=(40.0,))
SMALL = {
    "tunet": {"depth": 2, "base_channels": 4},
    "tunet3plus": {"depth": 2, "base_channels": 4},
    "smsnet": {"depth": 5},
    "msdnet": {"depth": 5},
    "unet": {"depth": 3, "base_channels": 4},
    "segnet": {"depth": 3, "base_channels": 4},
    "pixelnet": {"depth": 3, "base_channels": 4, "hidden_channels": 8},
    "alexnet": {"patch": 51, "stride": 1, "base_channels": 6, "hidden_channels": 8},
}


def network_member(name="tunet", dims=3, neighbours=0, weight=1.0, seed=0, classes=3):
    planes = 2 * neighbours + 1
    network = build_network(name, planes, classes, dims=dims, seed=seed, **SMALL[name])
    if name == "alexnet":  # fresh weights say next to nothing
        network.head.weight.data.mul_(10)
    return entry_of(network, neighbours, weight, seed)


def gap_member(name="tunet", dims=3, neighbours=0, weight=1.0, seed=0, channels=1):
    """A network that sees where gaps are, as one more channel of each slice."""
    planes = 2 * neighbours + 1
    shape = (planes * (channels + 1), channels)
    network = build_network(name, *shape, dims=dims, seed=seed, **SMALL[name])
    return entry_of(network, neighbours, weight, seed)


def entry_of(network, neighbours=0, weight=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, tensor in network.state_dict().items():
        # Running statistics that differ from fresh ones.
        stirred = 0.5 + torch.rand(tensor.shape, generator=generator)
        state[key] = (stirred if key.endswith("running_var") else tensor).numpy()
    entry = MemberCard(
        kind="network", weight=weight, neighbours=neighbours, spec=network.spec
    )
    return entry, state


def sewn_member(name="autoencoder", dims=2, edge=8, seed=0, weight=1.0, neighbours=0):
    """A network that makes patches again, which are sewn together."""
    small = {"edge": edge, "latent": 4, "depth": 2, "base_channels": 3}
    planes = 2 * neighbours + 1
    network = build_restorer(name, planes, 1, dims=dims, seed=seed, **small)
    return entry_of(network, neighbours, weight, seed)


def reconstructor_member(name, sinogram, size, weight=1.0, seed=0):
    """A network that makes slices of sinograms of one size."""
    network = build_reconstructor(name, sinogram, size, seed=seed)
    return entry_of(network, 0, weight, seed)


def forest_member(weight):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 1 + 4 + 3)).astype(np.float32)
    y = np.arange(80) % 3
    forest = Forest.fit(BANK, x, y.astype(np.intp), trees=3, seed=0)
    entry = MemberCard(kind="forest", weight=weight, spec=BANK.model_dump(mode="json"))
    return entry, forest.arrays()


def explorer_of(folder, name="autoencoder", **changes):
    """A model that keeps five numbers of patches of 12 x 12 voxels."""
    network = build_encoder(name, 2, edge=12, latent=5, seed=0, base_channels=4)
    entry, state = entry_of(network)
    state[KNOWN] = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    exploring = Exploring(edge=12, latent=5, distance_limit=1.0, error_limit=1.0)
    two = {key: 2 * value for key, value in GREY if isinstance(value, tuple)}
    facts = {
        "classes": (),
        "correction": (),
        "temperature": 1.0,
        "channels": 2,
        "exploring": exploring,
        "normalisation": Normalisation(**two, missing=77.0),
    }
    return model_of(folder, (entry, state), dims=2, **facts | changes)


def model_of(folder, *members, dims=3, **changes):
    facts = {
        "name": "bars & Fasern",
        "created": "2024-01-01T00:00:00+00:00",
        "classes": default_classes(3),
        "channels": 1,
        "voxel_size": (2.0, 0.5, 0.5),
        "unit": "um",
        "dims": dims,
        "normalisation": GREY,
        "members": tuple(entry for entry, _ in members),
        "correction": (1.2, 0.8, 1.0),
        "temperature": 0.7,
    }
    path = folder / "m.sashiko-model"
    save_model(path, ModelCard(**facts | changes), [state for _, state in members])
    return path
