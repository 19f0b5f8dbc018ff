"""Cells: owned once, far from inner faces, as few as the border allows."""

from itertools import groupby, pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_sashiko.errors import PlanError
from napari_sashiko.patches import equal_cells, plan_cells


@given(
    length=st.integers(1, 3000),
    window=st.integers(1, 300),
    border=st.integers(0, 64),
    align=st.sampled_from([1, 2, 4, 8, 16]),
    multiple=st.sampled_from([1, 2, 8, 16]),
)
@settings(max_examples=400, deadline=None)
def test_an_axis_of_any_length_is_covered_by_windows_that_fit(
    length, window, border, align, multiple
):
    room = window - 2 * border - (align - 1)
    assume(window >= length or room > 0)
    plan = plan_cells(
        (1, 1, length),
        (1, 1, window),
        (0, 0, border),
        align=(1, 1, align),
        multiple=(1, 1, multiple),
    )
    spans = [(cell.cell[2], cell.window[2]) for cell in plan]
    assert spans[0][0].start == 0
    assert spans[-1][0].stop == length
    assert all(a.stop == b.start for (a, _), (b, _) in pairwise(spans))
    for number, (own, seen) in enumerate(spans):
        assert own.start == number * plan.chunk[2]  # a chunk has one writer
        assert seen.start % align == 0
        assert seen.start == 0 or own.start - seen.start >= border
        assert seen.stop == length or seen.stop - own.stop >= border
        assert 0 <= seen.start < seen.stop <= length
        assert seen.stop - seen.start <= window + 2 * (align - 1)
    if window < length and room >= multiple:
        assert plan.chunk[2] % multiple == 0


@given(
    length=st.integers(1, 3000), window=st.integers(1, 300), border=st.integers(0, 64)
)
@settings(max_examples=200, deadline=None)
def test_there_are_no_more_windows_than_the_border_asks_for(length, window, border):
    room = window - 2 * border
    assume(length > window and room > 0)
    plan = plan_cells((1, 1, length), (1, 1, window), (0, 0, border))
    fewest = ceil((length - 2 * border) / room)
    assert fewest <= len(plan) <= max(fewest, ceil(length / room))


def test_the_prototypes_volume_is_cut_as_it_was():
    # 512 cubed, window 128, border 10: ceil(492 / 108) = 5 windows an axis.
    plan = plan_cells((512,) * 3, (128,) * 3, (10,) * 3)
    assert len(plan) == 125
    assert plan.chunk == (103, 103, 103)


def test_a_window_longer_than_the_axis_is_the_axis():
    (cell,) = plan_cells((5, 6, 7), (64, 64, 64), (40, 40, 40))
    assert cell.window == cell.cell == (slice(0, 5), slice(0, 6), slice(0, 7))


@pytest.mark.parametrize(
    ("shape", "window", "border"),
    [((0, 9, 9), 4, 1), ((9, 9, 9), 0, 0), ((9, 9, 9), 4, -1), ((9, 9, 9), 4, 2)],
)
def test_cuts_that_make_no_sense_are_refused(shape, window, border):
    with pytest.raises(PlanError, match=str(window)):
        plan_cells(shape, (window,) * 3, (border,) * 3)


@given(center=st.tuples(*[st.integers(0, 49)] * 3))
@settings(max_examples=30, deadline=None)
def test_cells_come_in_the_order_of_their_distance(center):
    plan = plan_cells((50, 50, 50), (20, 20, 20), (3, 3, 3))
    ordered = plan.ordered_from(center)
    assert sorted(c.index for c in ordered) == [c.index for c in plan]

    def gap(cell):
        places = [np.arange(s.start, s.stop) for s in cell.cell]
        return sum(
            np.abs(p - c).min() ** 2 for p, c in zip(places, center, strict=True)
        )

    gaps = [gap(cell) for cell in ordered]
    assert gaps == sorted(gaps)
    assert gaps[0] == 0


@given(
    shape=st.tuples(*[st.integers(1, 40)] * 3),
    size=st.tuples(*[st.integers(1, 15)] * 3),
)
@settings(max_examples=30, deadline=None)
def test_equal_cells_start_at_multiples_of_their_size(shape, size):
    plan = equal_cells(shape, size)
    owners = np.zeros(shape, int)
    for cell in plan:
        owners[cell.cell] += 1
        assert cell.window == cell.cell
        starts = [i * n for i, n in zip(cell.index, size, strict=True)]
        assert [part.start for part in cell.cell] == starts
    assert (owners == 1).all()
    assert plan.chunk == size


@pytest.mark.parametrize("size", [(0, 3, 3), (3, -1, 3)])
def test_cells_of_no_length_are_refused(size):
    with pytest.raises(PlanError, match="at least 1"):
        equal_cells((9, 9, 9), size)


@given(
    side=st.integers(1, 5),
    length=st.integers(1, 9),
    center=st.none() | st.tuples(*[st.integers(0, 39)] * 3),
)
@settings(max_examples=40, deadline=None)
def test_blocks_cut_pencils_and_the_nearest_pencil_comes_first(side, length, center):
    plan = equal_cells((50, 45, 40), (9, 8, 6))
    blocks = list(plan.in_blocks(side, length, center))
    cells = [cell for block in blocks for cell in block]
    assert sorted(c.index for c in cells) == [c.index for c in plan]
    assert max(len(block) for block in blocks) <= side * side * length
    pencils = list(plan.in_pencils(side, center))
    places = [(c.index[0] // side, c.index[1] // side) for c in pencils]
    order = list(dict.fromkeys(places))
    runs = [place for place, _ in groupby(places)]
    assert runs == order  # no pencil is left before it is done
    if center is not None:
        holds = center[0] // 9 // side, center[1] // 8 // side
        assert order[0] == holds


def test_the_digest_is_that_of_the_cuts():
    one = plan_cells((50, 50, 50), (20, 20, 20), (3, 3, 3))
    assert one.digest() == plan_cells((50,) * 3, (20,) * 3, (3,) * 3).digest()
    others = [
        plan_cells((50, 50, 51), (20, 20, 20), (3, 3, 3)),
        plan_cells((50, 50, 50), (20, 20, 21), (3, 3, 3)),
        plan_cells((50, 50, 50), (20, 20, 20), (3, 3, 2)),
    ]
    assert len({one.digest(), *(other.digest() for other in others)}) == 4
