"""Small models with weights that nobody trained."""

import numpy as np
import pytest
import torch

from napari_sashiko.checkpoints import MemberCard, ModelCard
from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.labels import default_classes
from napari_sashiko.networks import build_network
from napari_sashiko.volumes import Normalisation

BANK = FilterBank(sigmas=(0.7,), textures=())
PLAIN = Normalisation(low=(-9.0,), high=(9.0,), center=(0.0,), scale=(1.0,))


def stirred(network, seed=0):
    """The network with running statistics that differ from fresh ones."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            size = module.running_mean.shape
            module.running_mean.copy_(0.1 * torch.randn(size, generator=generator))
            module.running_var.copy_(0.5 + torch.rand(size, generator=generator))
    return network.eval()


def make_network(dims=2, neighbours=1, seed=0, name="tunet", **settings):
    given = settings or {"depth": 2, "base_channels": 4}
    planes = 2 * neighbours + 1 if dims == 2 else 1
    network = build_network(name, planes, 2, dims=dims, seed=seed, **given)
    return stirred(network, seed)


def make_forest(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, 1 + 4 + 3)).astype(np.float32)
    return Forest.fit(BANK, x, (x[:, 1] > 0).astype(np.intp), trees=4, seed=seed)


def make_card(members, **changes):
    facts = {
        "name": "model",
        "created": "2024-01-01T00:00:00+00:00",
        "classes": default_classes(2),
        "channels": 1,
        "voxel_size": (2.0, 1.0, 1.0),
        "unit": "micrometer",
        "dims": 2,
        "normalisation": PLAIN,
        "members": tuple(members),
    }
    return ModelCard(**facts | changes)


def network_entry(network, weight=0.5, neighbours=1):
    return MemberCard(
        kind="network", weight=weight, neighbours=neighbours, spec=network.spec
    )


def forest_entry(weight=0.5):
    return MemberCard(kind="forest", weight=weight, spec=BANK.model_dump(mode="json"))


def tensors_of(network):
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def make_model(seed=0, share=0.5, **changes):
    """A card and its tensors: a forest and a network."""
    network = make_network(seed=seed)
    card = make_card(
        [forest_entry(share), network_entry(network, 1 - share)], **changes
    )
    return card, [make_forest(seed).arrays(), tensors_of(network)]


@pytest.fixture
def patch():
    return np.random.default_rng(0).normal(size=(1, 5, 24, 24)).astype(np.float32)


@pytest.fixture(scope="session")
def models():
    return make_model


@pytest.fixture(scope="session")
def networks():
    return make_network


@pytest.fixture(scope="session")
def forests():
    return make_forest


@pytest.fixture(scope="session")
def cards():
    return make_card
