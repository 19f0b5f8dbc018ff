"""Laws of every registered loss, and values worked out by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from napari_sashiko.losses import (
    LOSSES,
    balanced_binary_cross_entropy,
    cross_entropy,
    dice,
    focal,
    focal_tversky,
    tversky,
    weighted_binary_cross_entropy,
)

every = pytest.mark.parametrize("name", list(LOSSES))


def scene(classes=3, size=(6, 5), batch=2, seed=0):
    gen = torch.Generator().manual_seed(seed)
    logits = torch.randn((batch, classes, *size), generator=gen)
    target = torch.randint(0, classes + 1, (batch, *size), generator=gen)
    return logits.requires_grad_(), target


def from_probabilities(*p):
    """One sample, voxels of two classes with probability p of class 1."""
    q = torch.tensor(p, dtype=torch.float64)
    return torch.stack((q, 1.0 - q)).log()[None]


def perfect(target, classes, margin):
    one_hot = functional.one_hot((target - 1).clamp(min=0), classes)
    return (margin * one_hot.movedim(-1, 1).float()).requires_grad_()


@every
@settings(max_examples=15, deadline=None)
@given(classes=st.integers(2, 5), dims=st.integers(1, 3), seed=st.integers(0, 99))
def test_unlabelled_voxels_have_no_influence(name, classes, dims, seed):
    logits, target = scene(classes, (5,) * dims, seed=seed)
    (slope,) = torch.autograd.grad(LOSSES[name](logits, target), logits)
    hidden = (target == 0).unsqueeze(1).expand_as(logits)
    assert not slope[hidden].any()
    other = torch.where(hidden, torch.full_like(logits, math.nan), logits)
    changed = LOSSES[name](other, target)
    torch.testing.assert_close(changed, LOSSES[name](logits, target))


@every
@pytest.mark.parametrize("margin", [30.0, 1e4])
def test_a_perfect_prediction_has_no_loss_and_a_finite_slope(name, margin):
    _, target = scene()
    logits = perfect(target, 3, margin)
    loss = LOSSES[name](logits, target)
    (slope,) = torch.autograd.grad(loss, logits)
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert torch.isfinite(slope).all()


@every
def test_an_utterly_wrong_prediction_has_a_finite_slope(name):
    _, target = scene()
    wrong = perfect(target % 3 + 1, 3, 200.0)
    loss = LOSSES[name](wrong, target)
    (slope,) = torch.autograd.grad(loss, wrong)
    assert loss > 0.3
    assert torch.isfinite(slope).all()


@every
def test_nothing_labelled_is_a_zero_that_changes_nothing(name):
    logits, target = scene()
    loss = LOSSES[name](logits, torch.zeros_like(target))
    (slope,) = torch.autograd.grad(loss, logits)
    assert loss.item() == 0.0
    assert not slope.any()


@every
def test_a_step_down_the_slope_lowers_the_loss(name):
    logits, target = scene()
    before = LOSSES[name](logits, target)
    (slope,) = torch.autograd.grad(before, logits)
    assert LOSSES[name](logits - 0.1 * slope / slope.norm(), target) < before


@every
def test_half_precision_logits_give_a_single_precision_loss(name):
    logits, target = scene()
    loss = LOSSES[name](logits.bfloat16(), target)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, LOSSES[name](logits, target), rtol=0.02, atol=0)


@pytest.mark.parametrize("loss", [dice, tversky])
def test_a_sample_without_labels_does_not_dilute_the_others(loss):
    logits, target = scene()
    alone = loss(logits[:1], target[:1])
    target[1] = 0
    torch.testing.assert_close(loss(logits, target), alone)


def test_cross_entropy_is_the_mean_over_all_labelled_voxels():
    logits, target = scene()
    expected = functional.cross_entropy(logits, target - 1, ignore_index=-1)
    torch.testing.assert_close(cross_entropy(logits, target), expected)
    by_hand = cross_entropy(
        from_probabilities(0.25, 0.5, 0.9), torch.tensor([[1, 2, 0]])
    )
    assert by_hand.item() == pytest.approx((math.log(4) + math.log(2)) / 2)


def test_cross_entropy_takes_weights_and_smoothing():
    logits, target = scene()
    options = {"weight": torch.tensor([1.0, 2.0, 5.0]), "label_smoothing": 0.1}
    expected = functional.cross_entropy(logits, target - 1, ignore_index=-1, **options)
    mine = cross_entropy(
        logits, target, class_weights=[1.0, 2.0, 5.0], label_smoothing=0.1
    )
    torch.testing.assert_close(mine, expected)


def test_classes_that_weigh_nothing_give_zero_and_no_slope():
    """Not 0 / 0: a batch may hold a class alone that was given no weight."""
    logits, target = scene(2)
    target[target == 2] = 1
    for smoothing in (0.0, 0.1):
        loss = cross_entropy(
            logits, target, class_weights=[0.0, 1.0], label_smoothing=smoothing
        )
        (slope,) = torch.autograd.grad(loss, logits)
        assert loss.item() == 0.0
        assert not slope.any()


def test_balanced_cross_entropy_is_the_mean_over_classes():
    logits, target = scene(4)
    target[target == 4] = 2  # a class that is not in the batch
    means = [
        functional.cross_entropy(
            logits, torch.where(target == c, target, 0) - 1, ignore_index=-1
        )
        for c in (1, 2, 3)
    ]
    balanced = cross_entropy(logits, target, balanced=True)
    torch.testing.assert_close(balanced, sum(means) / 3)
    weighted = cross_entropy(
        logits, target, balanced=True, class_weights=[1.0, 3.0, 2.0, 5.0]
    )
    expected = (means[0] + 3 * means[1] + 2 * means[2]) / 6
    torch.testing.assert_close(weighted, expected)


def test_balanced_cross_entropy_of_two_classes_is_the_balanced_binary_one():
    """But for its scale, and where one class is rare."""
    logits, target = scene(2)
    target[:, :4] = 1
    slopes = []
    for loss in (
        cross_entropy(logits, target, balanced=True),
        balanced_binary_cross_entropy(logits, target),
    ):
        (slope,) = torch.autograd.grad(loss, logits)
        slopes.append(slope / slope.norm())
    torch.testing.assert_close(*slopes)


def test_dice_by_hand():
    # Class 1: p = 1, q = .8 + .4, pq = .8; class 2: p = 1, q = .2 + .6, pq = .6.
    loss = dice(from_probabilities(0.8, 0.4, 0.5), torch.tensor([[1, 2, 0]]))
    one, two = 1 - 2.6 / 3.2, 1 - 2.2 / 2.8
    assert loss.item() == pytest.approx((one + two) / 2)


@settings(max_examples=20, deadline=None)
@given(classes=st.integers(2, 4), seed=st.integers(0, 99))
def test_tversky_with_equal_prices_is_dice(classes, seed):
    logits, target = scene(classes, seed=seed)
    mine = tversky(logits, target, alpha=0.5, beta=0.5)
    torch.testing.assert_close(mine, dice(logits, target))


def test_tversky_makes_misses_cost_more():
    # Class 1 true twice, found half: FN = 1 for class 1, FP = 1 for class 2.
    logits, target = from_probabilities(0.5, 0.5), torch.tensor([[1, 1]])
    loss = tversky(logits, target, alpha=0.3, beta=0.7)
    one, two = 1 - 1.5 / (1 + 0.7 + 0.5), 1 - 0.5 / (0.3 + 0.5)
    assert loss.item() == pytest.approx((one + two) / 2)


def test_focal_by_hand():
    loss = focal(
        from_probabilities(0.25, 0.5), torch.tensor([[1, 2]]), alpha=0.25, gamma=2.0
    )
    one, two = 0.75**2 * math.log(4), 0.5**2 * math.log(2)
    assert loss.item() == pytest.approx(0.25 * (one + two) / 2)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 3.0])
def test_focal_has_a_finite_slope_for_any_gamma(gamma):
    _, target = scene()
    logits = perfect(target, 3, 1e3)
    (slope,) = torch.autograd.grad(focal(logits, target, gamma=gamma), logits)
    assert torch.isfinite(slope).all()


def test_focal_without_focus_is_the_cross_entropy():
    logits, target = scene()
    torch.testing.assert_close(
        focal(logits, target, gamma=0.0), cross_entropy(logits, target)
    )


def test_weighted_binary_cross_entropy_by_hand():
    logits, target = from_probabilities(0.8, 0.3), torch.tensor([[1, 2]])
    loss = weighted_binary_cross_entropy(logits, target, beta=3.0)
    # Each class against the rest; 1 - q of one class is q of the other.
    one = -3 * math.log(0.8) - math.log(0.8)
    two = -3 * math.log(0.7) - math.log(0.7)
    assert loss.item() == pytest.approx((one + two) / 4)


def test_weighted_binary_cross_entropy_of_two_classes_is_the_cross_entropy():
    logits, target = scene(2)
    torch.testing.assert_close(
        weighted_binary_cross_entropy(logits, target), cross_entropy(logits, target)
    )


def test_balanced_binary_cross_entropy_by_hand():
    logits, target = from_probabilities(0.8, 0.3, 0.6), torch.tensor([[1, 2, 2]])
    given_beta = balanced_binary_cross_entropy(logits, target, beta=0.25)
    hits = [-math.log(q) for q in (0.8, 0.7, 0.4)]
    assert given_beta.item() == pytest.approx(sum(hits) / 6)
    # Class 1 is a third of the labels: its voxels weigh 2/3 against 1/3 for the rest.
    own = balanced_binary_cross_entropy(logits, target)
    expected = 2 * (2 / 3 * hits[0] + 1 / 3 * hits[1] + 1 / 3 * hits[2]) / 6
    assert own.item() == pytest.approx(expected)


def test_a_saturated_wrong_class_still_pulls():
    logits = torch.tensor([[[0.0], [60.0], [0.0]]], requires_grad=True)
    loss = weighted_binary_cross_entropy(logits, torch.tensor([[1]]))
    (slope,) = torch.autograd.grad(loss, logits)
    assert loss.item() == pytest.approx((60 + 60 - math.log(2)) / 3, rel=1e-3)
    assert slope[0, 1, 0] > 0.3


def test_focal_tversky_is_a_power_of_tversky():
    logits, target = scene(batch=1)
    logits, target = logits[:, :2], target.clamp(max=2)
    torch.testing.assert_close(
        focal_tversky(logits, target, gamma=1.0), tversky(logits, target)
    )
