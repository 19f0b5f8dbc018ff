"""Laws of losses between images."""

import math

import pytest
import torch
from torch.nn import functional

from napari_sashiko.losses import IMAGE_LOSSES, l1, l2, total_variation


def pair(seed=0, shape=(2, 3, 5, 7)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator), torch.randn(
        shape, generator=generator
    )


@pytest.mark.parametrize(
    ("loss", "known"), [(l1, functional.l1_loss), (l2, functional.mse_loss)]
)
def test_with_equal_weights_they_are_those_of_torch(loss, known):
    found, truth = pair()
    weight = torch.ones(2, 1, 5, 7)
    torch.testing.assert_close(loss(found, truth, weight), known(found, truth))


@pytest.mark.parametrize("name", list(IMAGE_LOSSES))
def test_what_does_not_count_may_be_anything(name):
    loss = IMAGE_LOSSES[name]
    found, truth = pair()
    found.requires_grad_()
    weight = torch.ones(2, 1, 5, 7)
    weight[..., 3:] = 0
    value = loss(found, truth, weight)
    truth = truth.clone()
    truth[..., 3:] = math.nan
    torch.testing.assert_close(loss(found, truth, weight), value)
    torch.testing.assert_close(
        loss(found[..., :3], truth[..., :3], weight[..., :3]), value
    )
    value.backward()
    assert not found.grad[..., 3:].any()
    assert found.grad[..., :3].any()


@pytest.mark.parametrize("name", list(IMAGE_LOSSES))
def test_nothing_that_counts_gives_zero_with_a_graph(name):
    found, truth = pair()
    found.requires_grad_()
    value = IMAGE_LOSSES[name](found, truth, torch.zeros(2, 1, 5, 7))
    value.backward()
    assert value == 0
    assert torch.isfinite(found.grad).all()


def test_total_variation_of_a_ramp_is_its_slope():
    ramp = 2.0 * torch.arange(5.0).view(1, 1, 5, 1) + torch.zeros(1, 1, 5, 4)
    assert total_variation(ramp) == pytest.approx(2.0)
    assert total_variation(torch.full((1, 1, 4, 4, 4), 3.0)) == 0
    assert total_variation(torch.ones(1, 1, 1, 4)) == 0
