"""The moving average follows weights and statistics, and touches nothing."""

import copy

import pytest
import torch

from napari_sashiko.networks import build_network
from napari_sashiko.training.averaging import DECAY, Average


@pytest.fixture
def network():
    return build_network("tunet", 1, 2, dims=2, seed=0, depth=2, base_channels=4)


def shift(network, amount):
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.add_(amount)


def floats(network):
    return [t for t in network.state_dict().values() if t.is_floating_point()]


def test_it_begins_as_a_copy_in_evaluation_mode(network):
    average = Average(network.train())
    assert network.training
    assert not average.network.training
    shift(network, 1)
    for mine, theirs in zip(floats(average.network), floats(network), strict=True):
        torch.testing.assert_close(mine + 1, theirs)


def test_early_steps_are_forgotten_faster_than_late_ones(network):
    average, value, expected = Average(network), 0.0, 0.0
    start = copy.deepcopy(floats(network))
    for step in range(1, 1201):
        shift(network, 1)
        value += 1
        average.update(network)
        decay = min(DECAY, step / (step + 9))
        expected = decay * expected + (1 - decay) * value
    # A memory of 1 / (1 - DECAY) steps lies that far behind a steady drift.
    assert value - expected == pytest.approx(DECAY / (1 - DECAY), rel=0.01)
    for mine, begin in zip(floats(average.network), start, strict=True):
        torch.testing.assert_close(mine, begin + expected, rtol=1e-3, atol=0.5)


def test_counters_are_those_of_the_network():
    norm = torch.nn.BatchNorm2d(1)
    average = Average(norm)
    for _ in range(3):
        norm(torch.randn(2, 1, 4, 4))
    average.update(norm)
    assert int(average.network.num_batches_tracked) == 3


def test_the_network_itself_is_left_alone(network):
    before = copy.deepcopy(network.state_dict())
    average = Average(network)
    average.update(network)
    shift(average.network, 1)
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
