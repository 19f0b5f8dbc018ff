"""What every registered encoder promises; a newcomer is tested without a new line."""

import json

import numpy as np
import pytest
import torch
from small_networks import SMALL_ENCODERS

from napari_sashiko.errors import SettingsError
from napari_sashiko.networks import (
    ENCODERS,
    NETWORKS,
    build_encoder,
    encoder_from_spec,
    encoder_settings,
)

every = pytest.mark.parametrize(
    ("name", "dims"), [(name, dims) for name in ENCODERS for dims in (2, 3)]
)


def small(name, dims=2, channels=1, edge=10, latent=3, seed=0):
    settings = SMALL_ENCODERS.get(name, {})
    return build_encoder(
        name, channels, edge=edge, latent=latent, seed=seed, dims=dims, **settings
    )


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@every
@pytest.mark.parametrize("edge", [8, 11, 16])
def test_patches_of_any_edge_are_made_again(name, dims, edge):
    network = small(name, dims, channels=2, edge=edge)
    patches = noise(3, 2, *(edge,) * dims)
    made = network(patches)
    assert made.image.shape == patches.shape
    assert made.latent.shape == (3, 3)
    assert made.penalty.shape == ()
    assert network.eval().encode(patches).shape == (3, 3)


@every
def test_patches_of_another_size_are_refused(name, dims):
    with pytest.raises(ValueError, match="edges are 10"):
        small(name, dims)(noise(1, 1, *(12,) * dims))


@every
def test_a_batch_gives_what_its_patches_give_one_by_one(name, dims):
    network = small(name, dims).eval()
    patches = noise(3, 1, *(10,) * dims)
    with torch.no_grad():
        together = network(patches)
        alone = [network(patch[None]) for patch in patches]
    for part in ("image", "latent"):
        each = torch.cat([getattr(made, part) for made in alone])
        torch.testing.assert_close(getattr(together, part), each, rtol=0, atol=1e-5)


@every
def test_all_that_is_told_of_a_patch_goes_through_its_latents(name, dims):
    network = small(name, dims).eval()
    with torch.no_grad():
        latent = network.encode(noise(2, 1, *(10,) * dims))
        made = network(noise(2, 1, *(10,) * dims))
        assert torch.equal(made.latent, latent)
        assert torch.equal(made.image, network.make(latent))


@every
def test_json_and_tensors_are_enough_to_rebuild(name, dims):
    network = small(name, dims, edge=11)
    network(noise(4, 1, *(11,) * dims))  # running statistics move
    again = encoder_from_spec(json.loads(json.dumps(network.spec)))
    again.load_state_dict(network.state_dict())
    patches = noise(1, 1, *(11,) * dims)
    assert again.spec == network.spec
    assert again.edge == 11
    with torch.no_grad():
        one, other = (each.eval()(patches).image for each in (network, again))
    assert torch.equal(one, other)


@every
def test_a_seed_decides_everything_and_nothing_global_moves(name, dims):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, same, other = (small(name, dims, seed=seed) for seed in (3, 3, 4))
    patches = noise(2, 1, *(10,) * dims)
    images = [each.train()(patches).image for each in (first, same, other)]
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(images[0], images[1])
    assert not torch.allclose(images[0], images[2])


@every
def test_no_parameter_is_without_gradient(name, dims):
    network = small(name, dims)
    made = network(noise(4, 1, *(10,) * dims))
    (made.image.square().mean() + made.penalty).backward()
    idle = [key for key, p in network.named_parameters() if p.grad is None]
    assert idle == []


def test_encoders_are_not_offered_where_any_size_must_do():
    assert set(ENCODERS).isdisjoint(NETWORKS)
    assert {"autoencoder", "vae"} <= set(ENCODERS)


def test_latents_of_a_vae_are_drawn_while_training_only():
    network = small("vae").train()
    patches = noise(4, 1, 10, 10)
    assert not torch.equal(network(patches).image, network(patches).image)
    network.eval()
    assert torch.equal(network(patches).image, network(patches).image)


def test_the_penalty_of_a_vae_is_twice_the_divergence_by_voxel():
    network = small("vae")
    patches = noise(4, 1, 10, 10)
    mean, log_variance = network.look(patches).chunk(2, dim=1)
    told = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    standard = torch.distributions.Normal(0.0, 1.0)
    divergence = torch.distributions.kl_divergence(told, standard).sum(1).mean()
    expected = network.settings["beta"] * 2 * divergence / 100
    torch.testing.assert_close(network(patches).penalty, expected)
    assert network(patches).penalty > 0


def test_settings_of_the_step_are_not_those_of_the_network():
    assert {"depth", "base_channels", "norm", "beta"} == set(encoder_settings("vae"))
    with pytest.raises(SettingsError, match="depths"):
        build_encoder("vae", 1, edge=8, latent=2, seed=0, depths=3)
    with pytest.raises(SettingsError, match="autoencoder"):
        build_encoder("unknown", 1, edge=8, latent=2, seed=0)
