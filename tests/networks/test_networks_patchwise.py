"""Laws of encoders that restore: images of any size, and no seams between patches."""

import json

import pytest
import torch
from small_networks import SMALL_ENCODERS

from napari_sashiko.errors import ModelError, SettingsError
from napari_sashiko.networks import (
    ENCODERS,
    NETWORKS,
    Coded,
    Patchwise,
    build_restorer,
    restorer_from_spec,
    restorer_names,
    restorer_settings,
)

EDGE = 8
every = pytest.mark.parametrize(
    ("name", "dims"), [(name, dims) for name in ENCODERS for dims in (2, 3)]
)


def small(name, dims=2, channels=(1, 1), edge=EDGE, seed=0, **more):
    settings = {**SMALL_ENCODERS.get(name, {}), "edge": edge, "latent": 3, **more}
    return build_restorer(name, *channels, dims=dims, seed=seed, **settings)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Copier(torch.nn.Module):
    """Says what it sees: an encoder that loses nothing."""

    in_channels = out_channels = 1
    name, latent = "copier", 1

    def __init__(self, dims, edge):
        super().__init__()
        self.dims, self.edge = dims, edge
        self.settings, self.seen = {}, 0

    def forward(self, x):
        self.seen += len(x)
        assert set(x.shape[2:]) == {self.edge}
        return Coded(x, x.flatten(1)[:, :1], x.new_zeros(()))


@pytest.mark.parametrize("edge", [8, 9])
@pytest.mark.parametrize(
    "size", [(1, 1), (5, 30), (8, 8), (9, 17), (40, 23), (3, 9, 20), (1, 12, 8)]
)
def test_what_is_cut_is_sewn_together_again(edge, size):
    network = Patchwise(Copier(len(size), edge))
    image = noise(2, 1, *size)
    torch.testing.assert_close(network(image), image)
    assert torch.equal(network.penalised(image)[0], image)


def test_patches_overlap_in_evaluation_and_lie_side_by_side_while_training():
    network = Patchwise(Copier(2, 8))
    network(noise(1, 1, 24, 16))
    assert network.encoder.seen == 5 * 3
    network.encoder.seen = 0
    network.penalised(noise(1, 1, 24, 16))
    assert network.encoder.seen == 3 * 2


@every
@pytest.mark.parametrize("size", [(3, 1), (11, 8), (9, 20)])
def test_images_of_any_size_are_made(name, dims, size):
    network = small(name, dims, channels=(3, 2))
    image = noise(2, 3, *size, *(5,) * (dims - 2))
    assert network(image).shape == (2, 2, *image.shape[2:])
    made, penalty = network.penalised(image)
    assert made.shape == (2, 2, *image.shape[2:])
    assert torch.as_tensor(penalty).shape == ()


@every
def test_windows_at_aligned_starts_agree_with_the_whole(name, dims):
    network = small(name, dims).eval()
    radius, start = network.receptive_radius, 3 * network.align
    image = noise(1, 1, *(EDGE,) * (dims - 1), start + 2 * radius + 11)
    with torch.no_grad():
        whole, window = network(image), network(image[..., start:])
    torch.testing.assert_close(
        whole[..., start + radius :], window[..., radius:], rtol=0, atol=1e-5
    )


@every
def test_far_voxels_do_not_change_a_voxel(name, dims):
    network = small(name, dims).eval()
    radius = network.receptive_radius
    image = noise(1, 1, *(EDGE,) * (dims - 1), 2 * radius + 20)
    middle = image.shape[-1] // 2
    changed = image + 100.0
    near = slice(middle - radius, middle + radius + 1)
    changed[..., near] = image[..., near]
    with torch.no_grad():
        before, after = network(image), network(changed)
    torch.testing.assert_close(after[..., middle], before[..., middle])


@every
def test_json_and_tensors_are_enough_to_rebuild(name, dims):
    network = small(name, dims, channels=(3, 1))
    network(noise(2, 3, *(12,) * dims))  # running statistics move
    again = restorer_from_spec(json.loads(json.dumps(network.spec)))
    again.load_state_dict(network.state_dict())
    image = noise(1, 3, *(11,) * dims)
    with torch.no_grad():
        assert torch.equal(again.eval()(image), network.eval()(image))


def test_the_penalty_of_a_vae_counts_voxels_that_it_makes():
    """Whatever it sees of neighbouring slices beside."""
    one, three = (small("vae", channels=(n, 1)) for n in (1, 3))
    image = noise(1, 1, EDGE, EDGE)
    for network, seen in ((one, image), (three, image.expand(1, 3, -1, -1))):
        network.eval()
        mean, log_variance = network.encoder.look(seen).chunk(2, dim=1)
        bits = mean.square() + log_variance.exp() - 1 - log_variance
        expected = network.settings["beta"] * bits.sum(1).mean() / EDGE**2
        torch.testing.assert_close(network.penalised(seen)[1], expected)


def test_a_vae_draws_while_training_only():
    network = small("vae")
    image = noise(2, 1, 16, 16)
    first, second = (network.train().penalised(image)[0] for _ in range(2))
    assert not torch.equal(first, second)
    network.eval()
    assert torch.equal(network(image), network(image))


def test_every_network_of_any_size_restores_too():
    assert restorer_names() == sorted([*NETWORKS, *ENCODERS])
    network = build_restorer("tunet", 3, 1, dims=2, seed=0, depth=2)
    assert network.spec["name"] == "tunet"
    assert not network.squeezes
    assert small("autoencoder").squeezes


def test_what_is_set_is_the_networks_own():
    assert {"edge", "latent", "beta"} <= set(restorer_settings("vae"))
    assert "growth_rate" in restorer_settings("tunet")
    with pytest.raises(SettingsError, match=r"nothing.*\n?.*vae"):
        restorer_settings("nothing")
    with pytest.raises(SettingsError, match="depths"):
        small("vae", depths=2)
    with pytest.raises(ModelError):
        restorer_from_spec({"name": "vae"})


@every
def test_a_silenced_encoder_says_nothing(name, dims):
    network = small(name, dims)
    network.silence()
    assert not network(noise(1, 1, *(EDGE + 3,) * dims)).any()
