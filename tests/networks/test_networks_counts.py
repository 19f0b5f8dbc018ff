"""Parameter counts of the papers' tables."""

import itertools

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


@pytest.mark.parametrize(("dims", "taps"), [(2, 9), (3, 27)])
def test_unet_is_the_published_tunet_without_norms(dims, taps):
    widths = [64, 128, 256, 512, 1024]
    down = sum(
        (a * taps + 1) * b + (b * taps + 1) * b
        for a, b in zip([1, *widths], widths, strict=False)
    )
    up = sum(
        (2**dims * b + 1) * a + (2 * a * taps + 1) * a + (a * taps + 1) * a
        for a, b in itertools.pairwise(widths)
    )
    assert count("unet", dims) == down + up + 64 + 1


def test_unet_in_2d_has_31_million_parameters():
    assert count("unet") == 31_030_593


def test_segnet_has_the_convolutions_of_vgg_16_twice():
    network = build_network("segnet", 3, 12, dims=2, seed=0, norm="none")
    encoder = sum(p.numel() for p in network.encoder.parameters())
    assert encoder == 14_714_688  # the 13 convolutions of VGG-16

    def weights(part):
        return [p.numel() for p in part.parameters() if p.ndim == 4]

    assert sum(weights(network.decoder)) == sum(weights(network.encoder)[1:])
    assert len(weights(network)) == 26


def test_alexnet_has_the_62_million_parameters_of_the_paper():
    # Without padding, dense layers read maps of 6 x 6 of a patch of 355 voxels; the
    # paper's halves that do not see each other (for two GPUs) save 2 million.
    network = build_network(
        "alexnet",
        3,
        1000,
        dims=2,
        seed=0,
        patch=355,
        norm="none",
    )
    assert sum(p.numel() for p in network.parameters()) == 62_378_344


@pytest.mark.parametrize("dims", [2, 3])
def test_alexnet_has_five_convolutions_and_three_dense_layers(dims):
    widths = [1, 96, 256, 384, 384, 256]
    kernels = [11, 5, 3, 3, 3]
    convolutions = sum(
        (a * kernel**dims + 1) * b
        for (a, b), kernel in zip(itertools.pairwise(widths), kernels, strict=True)
    )
    dense = (256 * 2**dims + 1) * 4096 + 4097 * 4096 + 4097
    assert count("alexnet", dims, norm="none") == convolutions + dense


def test_pixelnet_reads_the_levels_of_vgg_16():
    network = build_network("pixelnet", 3, 21, dims=2, seed=0, norm="none")
    encoder = sum(p.numel() for p in network.encoder.parameters())
    assert encoder == 14_714_688
    column = sum(p.weight.shape[1] for p in network.columns)
    assert column == 64 + 128 + 256 + 512 + 512
    assert network.hidden.weight.shape[:2] == (4096, 4096)


@pytest.mark.parametrize("dims", [2, 3])
def test_tunet3plus_gathers_from_every_level(dims):
    network = build_network("tunet3plus", 1, 2, dims=dims, seed=0, depth=4)
    for level, carries in zip((2, 1, 0), network.carries, strict=True):
        widths = [each.convolution.weight.shape[1] for each in carries]
        encoder = [16, 32, 64, 128]
        assert widths == [*encoder[: level + 1], *[64] * (2 - level), 128]
        assert {each.convolution.weight.shape[0] for each in carries} == {16}
    assert network.head.weight.shape[1] == 4 * 16


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
