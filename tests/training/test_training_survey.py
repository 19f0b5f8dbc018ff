"""Laws of class shares: what paint over-represents is taken back."""

import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_pictures import fenced

from napari_sashiko.checkpoints import Ensemble, MemberCard, ModelCard
from napari_sashiko.labels import default_classes
from napari_sashiko.training.survey import (
    FEWEST,
    MOST,
    POWER,
    SAMPLE,
    correction,
    survey,
)
from napari_sashiko.volumes import Normalisation, Volume, as_volume

WEIGHTS = (1.0, 3.0)


class Threshold:
    """A member that calls bright voxels class 2, and remembers what it was asked."""

    halo = (1, 3, 3)
    align = (1, 4, 4)

    def __init__(self, bright=1):
        self.cores = []
        self.bright = bright

    def voices(self, patch, core, correct, tick):
        self.cores.append(tuple(b - a for a, b in core))
        inside = patch[0][tuple(slice(*span) for span in core)]
        bright = (inside > 0).float()
        shares = torch.stack([1 - bright, bright])
        return correct(shares if self.bright else shares.flip(0)), 0.0


def ensemble(*members):
    plain = Normalisation(low=(-1.0,), high=(1.0,), center=(0.0,), scale=(1.0,))
    card = ModelCard(
        name="threshold",
        created="",
        classes=default_classes(2),
        channels=1,
        voxel_size=(1.0, 1.0, 1.0),
        unit="pixel",
        dims=2,
        normalisation=plain,
        members=tuple(
            MemberCard(kind="network", weight=weight, spec={})
            for weight in WEIGHTS[: len(members)]
        ),
    )
    return Ensemble(card, members, torch.device("cpu"))


def begin(image, *members, **changes):
    return survey(
        ensemble(*members or [Threshold()]),
        image if isinstance(image, Volume) else as_volume(image),
        **{"blocks": 24, "edge": 16, "seed": 0} | changes,
    )


def ask(image, *members, **changes):
    work = begin(image, *members, **changes)
    ticks = 0
    while True:
        try:
            next(work)
            ticks += 1
        except StopIteration as done:
            return done.value.shares, ticks


def result_of(work):
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def mixed(share, shape=(20, 64, 64)):
    """Independent voxels, bright with this probability."""
    bright = np.random.default_rng(0).random(shape) < share
    return np.where(bright, 1.0, -1.0).astype(np.float32)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_shares_are_found_by_asking_a_part(share):
    found, ticks = ask(mixed(share))
    np.testing.assert_allclose(found, [1 - share, share], atol=0.02)
    assert found.sum() == pytest.approx(1)
    assert ticks == 24


def test_each_member_is_heard_by_itself_and_shares_by_weight():
    image = mixed(0.25)
    work = begin(image, Threshold(), Threshold(bright=0))
    found = result_of(work)
    one, other = found.answers
    assert one.shape == (24 * 16 * 16, 2)
    np.testing.assert_array_equal(one, other[:, ::-1])
    assert one[:, 1].mean() == pytest.approx(0.25, abs=0.02)
    bright = one[:, 1].mean()
    assert found.shares[1] == pytest.approx((bright + 3 * (1 - bright)) / 4, abs=1e-6)


def test_of_large_blocks_some_voxels_are_compared():
    found = result_of(begin(mixed(0.5), edge=64, blocks=4))
    assert SAMPLE <= found.answers.shape[1] / 4 < 2 * SAMPLE


def test_what_lies_beyond_pictures_is_not_asked_about():
    volume = fenced()
    volume._array.values -= 1  # all pictures are dark, what is beyond them is bright
    np.testing.assert_allclose(ask(volume)[0], [1, 0])


def test_a_class_that_lives_in_some_slices_is_weighed_by_depth():
    image = mixed(0.0)
    image[15:] = 1
    found, _ = ask(image)
    assert found[1] == pytest.approx(0.25, abs=0.05)


def test_small_volumes_are_asked_in_fewer_places():
    _, ticks = ask(mixed(0.5, (2, 20, 20)))
    assert ticks < 24


@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 16, 16), (1, 1, 1)])
def test_blocks_stay_inside_the_volume(shape):
    member = Threshold()
    found, _ = ask(mixed(0.5, shape), member)
    assert np.isfinite(found).all()
    for core in member.cores:
        assert core == (1, min(16, shape[1]), min(16, shape[2]))


def test_when_time_is_over_few_blocks_must_do():
    _, ticks = ask(mixed(0.5), deadline=time.monotonic() - 1)
    assert ticks == FEWEST


def test_a_seed_asks_in_the_same_places_again():
    image = mixed(0.3)
    one, two, other = (ask(image, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


SHARE = st.floats(0, 1)


@given(volume=SHARE, paint=st.floats(0.001, 0.999))
def test_factors_are_roots_of_ratios_within_reason(volume, paint):
    volume_shares, paint_shares = (np.array([s, 1 - s]) for s in (volume, paint))
    factors = np.array(correction(volume_shares, paint_shares))
    most = MOST**POWER
    assert np.all((factors >= 1 / most - 1e-9) & (factors <= most + 1e-9))
    ratios = volume_shares / paint_shares
    trusted = (ratios > 1 / MOST) & (ratios < MOST)
    np.testing.assert_allclose(factors[trusted], ratios[trusted] ** POWER)


def test_paint_like_the_volume_needs_no_correction():
    shares = np.array([0.2, 0.3, 0.5])
    assert correction(shares, shares) == pytest.approx((1.0, 1.0, 1.0))
