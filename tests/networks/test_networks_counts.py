"""Parameter counts of the papers' tables."""

import pytest

from napari_sashiko.networks import build_network
from napari_sashiko.networks.tunet import level_channels


def count(name, dims=2, **settings):
    network = build_network(name, 1, 1, dims=dims, seed=0, **settings)
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("depth", "base", "growth", "flat", "solid"),
    [
        (2, 16, 2.0, 25_649, 74_065),
        (2, 16, 1.5, 19_905, 57_441),
        (2, 32, 2.0, 101_473, 294_561),
        (2, 64, 2.0, 403_649, 1_174_849),
        (3, 16, 2.0, 117_393, 339_889),
        (3, 16, 1.5, 58_737, 169_713),
        (3, 32, 2.0, 467_233, 1_356_641),
        (3, 64, 2.0, 1_864_257, 5_420_737),
        (4, 16, 2.0, 483_153, 1_401_969),
        (4, 16, 1.5, 145_821, 422_037),
        (4, 32, 2.0, 1_927_841, 5_602_529),
        (4, 64, 2.0, 7_701_825, 22_399_425),
    ],
)
def test_tunet_has_the_parameters_of_the_table(depth, base, growth, flat, solid):
    shape = {"depth": depth, "base_channels": base, "growth_rate": growth}
    assert count("tunet", 2, **shape) == flat
    assert count("tunet", 3, **shape) == solid


def test_the_papers_unet_has_8_56_million_parameters():
    assert count("tunet", depth=4, base_channels=64, pool=3) == 8_561_985


def test_channels_of_a_level_truncate():
    mid, out = level_channels(5, 16, 1.5, 1.0)
    assert mid == out == [16, 24, 36, 54, 81]
    mid, out = level_channels(3, 10, 1.5, 1.25)
    assert (mid, out) == ([10, 18, 33], [12, 22, 41])


@pytest.mark.parametrize(
    ("depth", "dims", "parameters"),
    [
        (10, 2, 517),
        (20, 2, 1_932),
        (50, 2, 11_577),
        (100, 2, 45_652),
        (200, 2, 181_302),
        (10, 3, 1_507),
        (20, 3, 5_712),
        (50, 3, 34_527),
        (100, 3, 136_552),
    ],
)
def test_msdnet_has_the_parameters_of_the_table(depth, dims, parameters):
    assert count("msdnet", dims, depth=depth, norm="none") == parameters


@pytest.mark.parametrize("dims", [2, 3])
def test_smsnet_has_about_45_000_parameters(dims):
    counts = [
        sum(
            p.numel()
            for p in build_network("smsnet", 1, 2, dims=dims, seed=s).parameters()
        )
        for s in range(20)
    ]
    assert sum(counts) / len(counts) == pytest.approx(45_000, rel=0.1)
