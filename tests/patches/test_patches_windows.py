"""Laws of windows, stitching, cells and folds, and the numbers of the papers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.errors import PlanError
from napari_sashiko.labels import LabelledVoxels, labelled_voxels
from napari_sashiko.patches import (
    NOTHING_DEALT,
    Grid,
    extract,
    flat_places,
    fold_labelled,
    labelled_windows,
    norm,
    plan_cells,
    stitch,
    window_starts,
)
from napari_sashiko.patches.folds import NEVER


@pytest.mark.parametrize(
    ("size", "window", "step", "count"),
    [(236, 64, 32, 7), (720, 64, 32, 22), (510, 64, 32, 15)],
)
def test_window_counts_are_those_of_the_paper(size, window, step, count):
    assert len(window_starts(size, window, step)) == count


def test_grids_have_the_sizes_of_the_papers_table():
    assert len(Grid((236, 720, 510), (64, 64, 64), (32, 32, 32))) == 2310
    assert len(Grid((236, 720, 510), (128, 128, 128), (108, 108, 108))) == 70
    assert window_starts(70, 32, 16) == (0, 16, 32, 38)


@pytest.mark.parametrize("numbers", [(10, 4, 5), (10, 0, 1), (10, 4, 0), (0, 4, 2)])
def test_windows_that_leave_gaps_are_refused(numbers):
    with pytest.raises(PlanError):
        window_starts(*numbers)


AXIS = st.tuples(st.integers(1, 23), st.integers(1, 12), st.integers(1, 12)).filter(
    lambda a: a[2] <= a[1]
)


@given(
    axes=st.tuples(AXIS, AXIS, AXIS),
    border=st.tuples(*[st.integers(0, 3)] * 3),
    weight=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    channels=st.integers(1, 3),
    dtype=st.sampled_from(["uint8", "int16", "float32", "float64"]),
)
@settings(max_examples=60, deadline=None)
def test_stitching_what_was_extracted_gives_it_back(
    axes, border, weight, channels, dtype
):
    shape, window, step = zip(*axes, strict=True)
    grid = Grid(shape, window, step)
    x = np.random.default_rng(0).integers(0, 100, (channels, *shape)).astype(dtype)
    try:
        out = stitch(extract(x, grid), grid, border, weight)
    except PlanError:
        assert weight == 0  # only windows without inside may be refused
        return
    np.testing.assert_allclose(out, x, rtol=1e-12)


def test_border_norm_has_the_papers_values_inside():
    grid = Grid((1, 70, 70), (1, 32, 32), (1, 16, 16))
    weights = norm(grid, (0, 4, 4), 0.1)[0]
    assert weights[0, 0] == 1  # faces of the volume are no borders
    assert weights[35, 35] == pytest.approx(1.3)
    plain = norm(grid, (0, 0, 0), 1.0)[0]
    assert (plain[0, 0], plain.max(), plain.sum()) == (1, 9, 16384)


@given(
    shape=st.tuples(*[st.integers(1, 60)] * 3),
    window=st.tuples(*[st.integers(6, 30)] * 3),
    border=st.tuples(*[st.integers(0, 2)] * 3),
    align=st.sampled_from([1, 2]),
    multiple=st.sampled_from([1, 2, 4]),
)
@settings(max_examples=150, deadline=None)
def test_every_voxel_is_owned_once_and_far_from_inner_faces(
    shape, window, border, align, multiple
):
    plan = plan_cells(
        shape, window, border, align=(align,) * 3, multiple=(multiple,) * 3
    )
    owners = np.zeros(shape, int)
    for cell in plan:
        owners[cell.cell] += 1
        for own, seen, n, b, w, chunk, i in zip(
            cell.cell,
            cell.window,
            shape,
            border,
            window,
            plan.chunk,
            cell.index,
            strict=True,
        ):
            assert seen.start % align == 0
            assert seen.start == 0 or own.start - seen.start >= b
            assert seen.stop == n or seen.stop - own.stop >= b
            assert seen.stop - seen.start <= w + 2 * (align - 1)
            assert own.start == i * chunk
    assert (owners == 1).all()
    assert len(plan.ordered_from((0, 0, 0))) == len(plan)


@pytest.mark.parametrize("side", [1, 2, 5])
def test_pencils_hold_every_cell_once_and_neighbours_together(side):
    plan = plan_cells((40, 50, 60), (16, 16, 16), (2, 2, 2))
    order = [cell.index for cell in plan.in_pencils(side)]
    assert sorted(order) == [cell.index for cell in plan]
    first = order[: side * side * len(plan.axes[2])]
    assert {i // side for i, _, _ in first} == {j // side for _, j, _ in first} == {0}


def test_a_border_that_leaves_no_room_is_refused():
    with pytest.raises(PlanError, match="no room"):
        plan_cells((100, 100, 100), (20, 20, 20), (10, 10, 10))


def test_the_cell_in_view_comes_first():
    plan = plan_cells((40, 40, 40), (16, 16, 16), (2, 2, 2))
    first = plan.ordered_from((39, 0, 20))[0]
    assert first.cell[0].stop == 40
    assert first.cell[1].start == 0


@given(seed=st.integers(0, 100), border=st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_labelled_windows_are_those_with_a_label_inside(seed, border):
    rng = np.random.default_rng(seed)
    labels = (rng.random((9, 14, 11)) > 0.99).astype(np.uint8)
    grid = Grid(labels.shape, (5, 6, 5), (2, 3, 4))
    found = labelled_windows(labelled_voxels(labels), grid, (border,) * 3)
    expected = []
    for number, region in enumerate(grid):
        inside = tuple(
            slice(
                p.start + (border if p.start else 0),
                p.stop - (border if p.stop < n else 0),
            )
            for p, n in zip(region, labels.shape, strict=True)
        )
        if labels[inside].any():
            expected.append(number)
    assert found.tolist() == expected


def test_no_labels_give_no_windows():
    empty = LabelledVoxels(np.zeros((0, 3), np.int32), np.zeros(0, np.uint8), (9, 9, 9))
    assert len(labelled_windows(empty, Grid((9, 9, 9), (4, 4, 4), (2, 2, 2)))) == 0


def strokes():
    labels = np.zeros((3, 60, 60), np.uint8)
    for k in range(6):
        labels[k % 3, 5 + 8 * k : 8 + 8 * k, 5:25] = 1
        labels[k % 3, 5 + 8 * k : 8 + 8 * k, 35:55] = 2
    return labelled_voxels(labels)


def test_folds_keep_strokes_whole_and_classes_everywhere():
    labelled = strokes()
    folds = fold_labelled(labelled, 3, guard=2)
    for start in range(0, 60, 8):
        for value, low in ((1, 5), (2, 35)):
            c = labelled.coords
            mine = (
                (labelled.values == value)
                & (c[:, 2] >= low)
                & (c[:, 1] // 8 == start // 8)
            )
            assert len(set(folds.fold[mine].tolist())) <= 1
    for number in range(3):
        held = labelled.values[folds.fold == number]
        assert set(held.tolist()) == {1, 2}
        assert not (folds.train[number] & (folds.fold == number)).any()


def test_a_single_stroke_is_cut_and_guarded():
    labels = np.zeros((1, 20, 100), np.uint8)
    labels[0, 5:8, 5:95] = 1
    labels[0, 12:15, 5:95] = 2
    labelled = labelled_voxels(labels)
    folds = fold_labelled(labelled, 3, guard=4)
    x = labelled.coords[:, 2]
    for number in range(3):
        for value in (1, 2):
            held = x[(folds.fold == number) & (labelled.values == value)]
            learned = x[folds.train[number] & (labelled.values == value)]
            assert len(held)
            assert np.abs(held[:, None] - learned[None]).min() >= 4


def test_a_class_of_one_voxel_is_learned_from_and_never_held_out():
    labels = np.zeros((1, 20, 100), np.uint8)
    labels[0, 5:8, 5:95] = 1
    labels[0, 15, 50] = 2
    labelled = labelled_voxels(labels)
    for seed in range(5):
        folds = fold_labelled(labelled, 3, guard=4, seed=seed)
        lonely = labelled.values == 2
        assert folds.fold[lonely].tolist() == [NEVER]
        assert folds.train[:, lonely].all()
        assert "Class 2 has one voxel only" in folds.note


@given(counts=st.tuples(*[st.integers(1, 12)] * 3), folds=st.integers(2, 8))
@settings(max_examples=40, deadline=None)
def test_no_model_is_left_without_a_class(counts, folds):
    rng = np.random.default_rng(sum(counts))
    coords = rng.permutation(400)[: sum(counts)]
    labels = np.zeros((1, 20, 20), np.uint8)
    labels.flat[coords] = np.repeat([1, 2, 3], counts)
    labelled = labelled_voxels(labels)
    dealt = fold_labelled(labelled, folds, guard=4)
    for train in dealt.train:
        assert set(labelled.values[train].tolist()) == {1, 2, 3}


@given(
    seed=st.integers(0, 1000),
    folds=st.integers(2, 8),
    rounds=st.integers(1, 4),
    erased=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_paint_keeps_its_fold_whatever_is_painted_later(seed, folds, rounds, erased):
    rng = np.random.default_rng(seed)
    labels = np.zeros((2, 24, 24), np.uint8)
    dealt, known = NOTHING_DEALT, {}
    for _ in range(rounds):
        for _ in range(3):
            y, x, length = rng.integers(24), rng.integers(20), rng.integers(1, 12)
            labels[rng.integers(2), y, x : x + length] = rng.integers(1, 4)
        if erased:
            labels[:, rng.integers(24)] = 0
        labelled = labelled_voxels(labels)
        found = fold_labelled(labelled, folds, guard=2, before=dealt)
        assert set(found.fold.tolist()) <= set(range(-1, folds))
        for place, fold in zip(flat_places(labelled), found.fold, strict=True):
            assert known.setdefault(int(place), int(fold)) == fold
        dealt = dealt.with_folds(labelled, found)


def test_what_is_added_to_a_stroke_goes_where_the_stroke_is():
    labels = np.zeros((1, 40, 40), np.uint8)
    labels[0, ::4, :10] = 1
    before = labelled_voxels(labels)
    first = fold_labelled(before, 5, guard=0)
    labels[0, ::4, 10:30] = 1
    after = labelled_voxels(labels)
    dealt = NOTHING_DEALT.with_folds(before, first)
    second = fold_labelled(after, 5, guard=0, before=dealt)
    for row in range(0, 40, 4):
        mine = after.coords[:, 1] == row
        assert len(np.unique(second.fold[mine])) == 1
