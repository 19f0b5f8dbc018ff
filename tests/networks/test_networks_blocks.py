"""Wide layers look at blocks of an image, and say what they say of all of it."""

import pytest
import torch

from napari_sashiko.networks import _blocks, build_network

SIZES = {2: (70, 53), 3: (20, 37, 18)}
KINDS = {
    "pixelnet": {"depth": 4, "base_channels": 3, "hidden_channels": 16},
    "alexnet": {"patch": 59, "stride": 1, "base_channels": 3, "hidden_channels": 16},
}


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", sorted(KINDS))
def test_blocks_are_the_whole_and_no_wide_map_is_larger(monkeypatch, name, dims):
    network = build_network(name, 2, 3, dims=dims, seed=0, **KINDS[name])
    network = network.double().eval()
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 2, *SIZES[dims], generator=generator).double()
    sizes = []
    network.hidden.register_forward_hook(
        lambda _layer, _given, made: sizes.append(made.numel())
    )
    with torch.no_grad():
        whole = network(image)
        most = sizes.pop()
        align = network.align
        monkeypatch.setattr(_blocks, "MOST_VALUES", 2 * 16 * 3 * align**dims)
        blocks = network(image)
    torch.testing.assert_close(blocks, whole, rtol=0, atol=1e-12)
    assert sum(sizes) == most
    assert max(sizes) <= _blocks.MOST_VALUES < most
    network(image)  # with gradients, in one go
    assert sizes[-1] == most
