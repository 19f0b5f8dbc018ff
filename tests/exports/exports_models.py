"""Small models on disk with weights that nobody trained."""

import numpy as np
import torch

from napari_sashiko.checkpoints import MemberCard, ModelCard, save_model
from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.labels import default_classes
from napari_sashiko.networks import build_network
from napari_sashiko.volumes import Normalisation

BANK = FilterBank(sigmas=(0.7,), textures=())
GREY = Normalisation(low=(10.0,), high=(200.0,), center=(90.0,), scale=(40.0,))
SMALL = {
    "tunet": {"depth": 2, "base_channels": 4},
    "tunet3plus": {"depth": 2, "base_channels": 4},
    "smsnet": {"depth": 5},
    "msdnet": {"depth": 5},
}


def network_member(name="tunet", dims=3, neighbours=0, weight=1.0, seed=0, classes=3):
    planes = 2 * neighbours + 1
    network = build_network(name, planes, classes, dims=dims, seed=seed, **SMALL[name])
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


def forest_member(weight):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 1 + 4 + 3)).astype(np.float32)
    y = np.arange(80) % 3
    forest = Forest.fit(BANK, x, y.astype(np.intp), trees=3, seed=0)
    entry = MemberCard(kind="forest", weight=weight, spec=BANK.model_dump(mode="json"))
    return entry, forest.arrays()


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
