"""What every network promises that makes an image of a sinogram."""

import json

import pytest
import torch

from napari_sashiko.errors import ModelError, SettingsError
from napari_sashiko.networks import (
    NETWORKS,
    RECONSTRUCTORS,
    build_reconstructor,
    reconstructor_from_spec,
    reconstructor_weights,
)

every = pytest.mark.parametrize("name", list(RECONSTRUCTORS))
SINOGRAM, SIZE = (10, 13), 11  # nothing that poolings divide


def built(name, seed=0, **settings):
    return build_reconstructor(name, SINOGRAM, SIZE, seed=seed, **settings)


def noise(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@every
def test_a_sinogram_becomes_an_image(name):
    assert built(name)(noise(2, 1, *SINOGRAM)).shape == (2, 1, SIZE, SIZE)


@every
@pytest.mark.parametrize("sizes", [(SINOGRAM, SIZE), ((1, 1), 1), ((7, 40), 3)])
def test_weights_are_counted_before_they_exist(name, sizes):
    network = build_reconstructor(name, *sizes, seed=0)
    found = sum(each.numel() for each in network.parameters())
    assert reconstructor_weights(name, *sizes) == found


def test_weights_of_the_papers_sizes():
    """Of 64 x 64: Zhu et al. (2018) have 2 n^2 inputs, of a complex signal."""
    convolutions = (25 * 64 + 64) + (25 * 64 * 64 + 64) + (49 * 64 + 1)
    dense = 8192 * 4096 + 4096 + 4096 * 4096 + 4096
    assert reconstructor_weights("automap", (128, 64), 64) == dense + convolutions
    # A size that nobody should build, counted in no time.
    assert reconstructor_weights("automap", (720, 1024), 1024) > 10**12


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dense_reconstruct", {"hidden": 5, "layers": 3}),
        ("conv_reconstruct", {"depth": 0, "base_channels": 2}),
        ("conv_reconstruct", {"depth": 3, "code_channels": 3}),
        ("automap", {"channels": 3}),
    ],
)
def test_settings_are_counted_too(name, settings):
    network = built(name, **settings)
    found = sum(each.numel() for each in network.parameters())
    assert reconstructor_weights(name, SINOGRAM, SIZE, **settings) == found
    assert network(noise(1, 1, *SINOGRAM)).shape == (1, 1, SIZE, SIZE)


@every
def test_every_pixel_sees_every_ray(name):
    x = noise(1, 1, *SINOGRAM).requires_grad_()
    built(name)(x)[0, 0, SIZE // 2, SIZE // 2].backward()
    assert (x.grad != 0).float().mean() > 0.5


@every
def test_equal_seeds_give_equal_networks_and_leave_chance_alone(name):
    before = torch.random.get_rng_state()
    x = noise(1, 1, *SINOGRAM)
    assert torch.equal(built(name)(x), built(name)(x))
    assert not torch.equal(built(name)(x), built(name, seed=1)(x))
    assert torch.equal(torch.random.get_rng_state(), before)


@every
def test_it_is_rebuilt_from_its_description(name):
    network = built(name)
    again = reconstructor_from_spec(json.loads(json.dumps(network.spec)))
    again.load_state_dict(network.state_dict())
    x = noise(2, 1, *SINOGRAM)
    assert torch.equal(network(x), again(x))


@every
def test_it_is_no_network_of_any_size(name):
    assert name not in NETWORKS


def test_impossible_ones_are_refused():
    with pytest.raises(SettingsError, match="automap, conv_reconstruct"):
        built("unet")
    with pytest.raises(SettingsError, match="hidden"):
        built("dense_reconstruct", hidden=0)
    with pytest.raises(SettingsError, match="side 0"):
        build_reconstructor("automap", SINOGRAM, 0, seed=0)
    with pytest.raises(ModelError, match="damaged"):
        reconstructor_from_spec({"name": "automap", "sinogram": [3]})
