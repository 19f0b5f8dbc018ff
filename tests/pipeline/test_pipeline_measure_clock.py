"""The time that is left is that of members to come, by what others of them took."""

import pytest

from napari_sashiko.pipeline.measure_clock import MeasureClock


class Hand:
    """A clock that is set by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def hand():
    return Hand()


def test_nothing_is_known_before_the_first_step(hand):
    clock = MeasureClock(["forest", "tunet"], hand)
    assert clock.left(0.0) is None


def test_the_first_member_stands_for_all(hand):
    clock = MeasureClock(["tunet", "tunet", "tunet"], hand)
    clock.left(0.0)
    hand.time = 10.0
    assert clock.left(0.25) == pytest.approx(30 + 40 + 40)


def test_a_kind_that_is_known_stands_for_its_like(hand):
    clock = MeasureClock(["forest", "tunet", "tunet"], hand)
    clock.done(100.0)
    assert clock.left(0.0) == pytest.approx(200)  # no network was seen yet
    hand.time = 5.0
    assert clock.left(0.5) == pytest.approx(5 + 10)
    clock.done(10.0)
    assert clock.left(0.0) == pytest.approx(10)


def test_what_an_earlier_run_did_is_not_taken_for_speed(hand):
    clock = MeasureClock(["tunet"], hand)
    clock.left(0.6)
    hand.time = 10.0
    assert clock.left(0.8) == pytest.approx(10)


def test_at_the_end_nothing_is_left(hand):
    clock = MeasureClock(["tunet"], hand)
    clock.left(0.0)
    hand.time = 10.0
    assert clock.left(1.0) == pytest.approx(0)
