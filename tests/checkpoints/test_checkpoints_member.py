"""Laws of members: slices see their neighbours, mirrored where the volume ends."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.checkpoints import NetworkMember, _fastest, member
from napari_sashiko.checkpoints.member import HALO_CAP, stack_neighbours


@pytest.fixture(autouse=True)
def _in_full_precision(monkeypatch):
    monkeypatch.setattr(_fastest, "has_fast_bfloat16", lambda _: False)


@given(
    depth=st.integers(1, 7),
    neighbours=st.integers(0, 9),
    channels=st.integers(1, 3),
    data=st.data(),
)
def test_neighbours_are_mirrored_as_numpy_does(depth, neighbours, channels, data):
    z = data.draw(st.integers(0, depth - 1))
    patch = np.random.default_rng(0).normal(size=(channels, depth, 2, 3))
    pad = ((0, 0), (neighbours, neighbours), (0, 0), (0, 0))
    padded = np.pad(patch, pad, mode="symmetric")
    expected = padded[:, z : z + 2 * neighbours + 1].reshape(-1, 2, 3)
    found = stack_neighbours(torch.from_numpy(patch), z, neighbours)
    assert np.array_equal(found.numpy(), expected)


@pytest.mark.parametrize("neighbours", [0, 1, 3])
@pytest.mark.parametrize("slab", [1, 1_000_000])
def test_a_volume_by_slices_is_each_slice_by_hand(
    networks, patch, neighbours, slab, monkeypatch
):
    monkeypatch.setattr(member, "SLAB_VOXELS", slab)
    network = networks(neighbours=neighbours)
    image = torch.from_numpy(patch)
    core = ((1, 5), (2, 20), (0, 9))
    pad = ((0, 0), (neighbours, neighbours), (0, 0), (0, 0))
    padded = torch.from_numpy(np.pad(patch, pad, mode="symmetric"))
    with torch.no_grad():
        found = NetworkMember(network, neighbours=neighbours).predict(image, core)
        for place, z in enumerate(range(1, 5)):
            planes = padded[:, z : z + 2 * neighbours + 1].flatten(0, 1)
            by_hand = network(planes[None])[0].softmax(0)[:, 2:20, 0:9]
            torch.testing.assert_close(found[:, place], by_hand, atol=1e-5, rtol=1e-4)


def test_a_block_network_sees_the_whole_patch(networks, patch):
    network = networks(dims=3)
    core = ((1, 3), (2, 20), (0, 9))
    with torch.no_grad():
        found = NetworkMember(network).predict(torch.from_numpy(patch), core)
        whole = network(torch.from_numpy(patch)[None])[0].softmax(0)
    torch.testing.assert_close(found, whole[:, 1:3, 2:20, 0:9])


def test_a_slice_network_wants_neighbours_above_and_reach_beside(networks):
    network = networks(neighbours=2)
    flat = NetworkMember(network, neighbours=2)
    assert flat.halo == (2, network.receptive_radius, network.receptive_radius)
    assert flat.align == (1, network.align, network.align)


def test_a_block_network_wants_its_reach_all_around(networks):
    network = networks(dims=3)
    block = NetworkMember(network)
    assert block.halo == (network.receptive_radius,) * 3
    assert block.align == (network.align,) * 3


def test_the_context_of_far_sighted_networks_is_capped(networks):
    network = networks(name="msdnet", depth=12, max_dilation=12)
    assert network.receptive_radius > HALO_CAP
    assert NetworkMember(network, neighbours=1).halo == (1, HALO_CAP, HALO_CAP)


def test_slices_can_be_stopped_one_by_one(networks, patch, monkeypatch):
    monkeypatch.setattr(member, "SLAB_VOXELS", 1)
    asked = []

    def tick():
        asked.append(1)
        if len(asked) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), torch.no_grad():
        NetworkMember(networks(), neighbours=1).predict(
            torch.from_numpy(patch), ((0, 5), (0, 24), (0, 24)), tick
        )
