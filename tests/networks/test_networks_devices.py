"""Nothing that networks make lies on another device than what they were given.

Tensors on the device "meta" have no values, and refuse to be mixed with those of the
CPU, as those of a GPU do: so a forgotten device is found on any machine.
"""

import pytest
import torch
from small_networks import SMALL, SMALL_ENCODERS

from napari_sashiko.networks import (
    ENCODERS,
    NETWORKS,
    RECONSTRUCTORS,
    build_encoder,
    build_network,
    build_reconstructor,
    build_restorer,
)
from napari_sashiko.transforms import TRANSFORMS, build_transforms

META = torch.device("meta")
# Draws on the device itself, for which "meta" has no generator.
DRAWS = {"alexnet"}


def image_of(dims, channels=1, size=32):
    return torch.empty((2, channels, *(size,) * dims), device=META)


def test_a_tensor_of_another_device_is_found():
    with pytest.raises(RuntimeError, match="device"):
        image_of(2) + torch.zeros(32)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", sorted(set(NETWORKS) - DRAWS))
def test_networks_learn_and_predict_on_one_device(name, dims):
    made = {"dims": dims, "in_channels": 2, "out_channels": 3, "seed": 0}
    network = build_network(name, **made, **SMALL[name]).to(META)
    for mode in (True, False):
        network.train(mode)
        logits, penalty = network.penalised(image_of(dims, 2))
        assert logits.device == META
        (logits.sum() + penalty).backward()
    assert all(p.grad.device == META for p in network.parameters())


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_encoders_code_and_restore_on_one_device(name, dims):
    small = {"dims": dims, "seed": 0, **SMALL_ENCODERS[name]}
    encoder = build_encoder(name, 1, edge=16, latent=3, **small).to(META)
    restorer = build_restorer(name, 1, 1, **small).to(META)
    for mode in (True, False):
        coded = encoder.train(mode)(image_of(dims, size=16))
        assert {coded.image.device, coded.latent.device} == {META}
        assert restorer.train(mode).penalised(image_of(dims))[0].device == META


@pytest.mark.parametrize("name", sorted(RECONSTRUCTORS))
def test_reconstructors_stay_on_one_device(name):
    network = build_reconstructor(name, (18, 24), 24, seed=0).to(META)
    assert network(torch.empty((2, 1, 18, 24), device=META)).device == META


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_transforms_draw_on_the_cpu_and_change_on_the_device(name, dims):
    transform = build_transforms((name,), dims, (1.0, 1.0, 1.0))
    labels = torch.empty((2, *(16,) * dims), dtype=torch.int64, device=META)
    found = transform(image_of(dims, size=16), labels, torch.Generator())
    assert {each.device for each in found} == {META}
