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


@pytest.mark.parametrize(
    ("settings", "channels"),
    [
        ({}, [16, 32, 64, 128]),
        ({"depth": 5}, [16, 32, 64, 128, 128, 128]),
        ({"depth": 5, "widest": 32}, [16, 32, 64, 128, 256, 512]),
        ({"growth_rate": 1.5}, [16, 24, 36, 54]),
        ({"growth_rate": 0.5, "base_channels": 4}, [4, 2, 1, 1]),
    ],
)
@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_levels_grow_as_they_are_told(name, settings, channels):
    network = build_encoder(name, 1, edge=32, latent=2, seed=0, **settings)
    last = [stage.state_dict() for stage in network.down]
    found = [
        [t.shape[0] for key, t in state.items() if t.ndim == 4][-1] for state in last
    ]
    assert found == channels
    assert network(noise(2, 1, 32, 32)).image.shape == (2, 1, 32, 32)


def test_an_autoencoder_has_the_weights_that_its_layers_say():
    """Two convolutions a level down and one up, each normalised, two linear layers."""
    network = build_encoder("autoencoder", 1, edge=64, latent=16, seed=0)
    pairs = [(1, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128)]
    pairs += [(128, 128), (128, 64), (64, 32), (32, 16)]
    stages = sum(9 * before * after + 3 * after for before, after in pairs)
    inner = 128 * 8 * 8
    linear = (inner + 1) * 16 + (16 + 1) * inner
    head = 9 * 16 + 1
    found = sum(p.numel() for p in network.parameters())
    assert found == stages + linear + head == 661_793


def test_encoders_of_before_are_rebuilt():
    """Their description names neither growth nor the widest level."""
    network = build_encoder("vae", 1, edge=8, latent=2, seed=0, depth=2)
    spec = dict(network.spec)
    spec["settings"] = {
        key: value
        for key, value in spec["settings"].items()
        if key not in ("growth_rate", "widest")
    }
    again = encoder_from_spec(spec)
    again.load_state_dict(network.state_dict())


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
    own = {"depth", "base_channels", "growth_rate", "widest", "norm", "beta"}
    assert own == set(encoder_settings("vae"))
    with pytest.raises(SettingsError, match="depths"):
        build_encoder("vae", 1, edge=8, latent=2, seed=0, depths=3)
    with pytest.raises(SettingsError, match="autoencoder"):
        build_encoder("unknown", 1, edge=8, latent=2, seed=0)
