"""Laws of disputes: whole strokes, judged by their mean, the surest first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.errors import SettingsError
from napari_sashiko.labels import Dispute, LabelledVoxels, disputed_strokes

IDS = (1, 4, 7)


@st.composite
def painted(draw):
    """Paint of strokes of up to 9 voxels, what is said of them, who was asked."""
    sizes = draw(st.lists(st.integers(1, 9), max_size=12))
    strokes = np.repeat(np.arange(len(sizes)) * 3 + 1, sizes)
    values = np.repeat(draw(st.lists(st.sampled_from(IDS), min_size=12)), 1)
    count = int(sum(sizes))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    coords = np.stack([np.arange(count), rng.integers(9, size=count)], 1)
    coords = np.column_stack([np.zeros(count, int), coords]).astype(np.int32)
    classes = values[: len(sizes)].repeat(sizes).astype(np.uint8)
    said = rng.dirichlet((0.3,) * 3, count)
    said[rng.random(count) < draw(st.sampled_from([0.0, 0.5]))] = np.nan
    return LabelledVoxels(coords, classes, (1, 200, 9)), strokes, said


@given(case=painted(), most=st.integers(1, 20))
def test_disputes_are_strokes_of_which_another_class_is_likelier_than_not(case, most):
    paint, strokes, said = case
    expected = {}
    for stroke in np.unique(strokes):
        rows = np.flatnonzero((strokes == stroke) & np.isfinite(said[:, 0]))
        if not len(rows):
            continue
        mean = said[rows].mean(axis=0)
        called = int(mean.argmax())
        if IDS[called] != paint.values[rows[0]] and mean[called] > 0.5:
            best = rows[said[rows, called].argmax()]
            expected[tuple(paint.coords[best].tolist())] = (
                paint.values[best],
                IDS[called],
                pytest.approx(mean[called]),
            )
    found = disputed_strokes(paint, strokes, said, IDS, most)
    assert len(found) == min(most, len(expected))
    sure = [each.probability for each in found]
    assert sure == sorted(sure, reverse=True)
    for each in found:
        told = (each.painted, each.called, each.probability)
        assert expected.pop(each.coords) == told
    if found:
        assert all(
            left[2] <= sure[-1] + 1e-9 for left in map(_plain, expected.values())
        )


def _plain(told):
    return (*told[:2], told[2].expected)


def test_of_equally_sure_ones_the_longer_stroke_comes_first():
    coords = np.array([[0, 0, x] for x in range(5)], np.int32)
    paint = LabelledVoxels(coords, np.ones(5, np.uint8), (1, 1, 5))
    said = np.tile([0.2, 0.8, 0.0], (5, 1))
    first, second = disputed_strokes(paint, np.array([0, 0, 5, 5, 5]), said, IDS, 9)
    assert (first.coords, second.coords) == ((0, 0, 2), (0, 0, 0))
    assert {first.called, second.called} == {4}


def test_where_nobody_was_asked_there_is_no_dispute():
    coords = np.zeros((1, 3), np.int32)
    paint = LabelledVoxels(coords, np.ones(1, np.uint8), (1, 1, 1))
    said = np.full((1, 3), np.nan)
    assert disputed_strokes(paint, np.zeros(1, int), said, IDS, 9) == []


def test_a_damaged_dispute_is_refused():
    with pytest.raises(SettingsError, match="probability"):
        Dispute.checked(coords=(0, 0, 0), painted=1, called=2, probability=3.0)
