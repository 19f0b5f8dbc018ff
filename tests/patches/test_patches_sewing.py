"""Sewing gives back what was cut, to the last bit, and its norm is what it says."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_sashiko.errors import PlanError
from napari_sashiko.patches import Grid, border_weights, extract, norm, stitch
from napari_sashiko.patches.sewing import _windows_over

DTYPES = ["bool", "i1", "u1", ">i2", "u4", "i8", "f2", "f4", ">f4", "f8"]


@st.composite
def grids(draw, flat=None):
    axes = []
    for axis in range(3):
        if axis == 0 and flat:
            axes.append((1, 1, 1))
            continue
        size = draw(st.integers(1, 19))
        window = draw(st.integers(1, 9) | st.just(size) | st.just(max(1, size - 1)))
        axes.append((size, window, draw(st.integers(1, window))))
    return Grid(*zip(*axes, strict=True))


def fits(grid, border, weight):
    try:
        border_weights(grid, border, weight)
    except PlanError:
        return False
    return True


@given(
    grid=grids() | grids(flat=True),
    border=st.tuples(*[st.integers(0, 3)] * 3),
    weight=st.just(0.0) | st.floats(0, 1),
    channels=st.integers(1, 3),
    dtype=st.sampled_from(DTYPES),
)
@settings(max_examples=100, deadline=None)
def test_stitching_is_exact_to_the_last_bit(grid, border, weight, channels, dtype):
    assume(fits(grid, border, weight))
    shape = (channels, *grid.shape)
    x = np.random.default_rng(0).normal(0, 30, shape).astype(dtype)
    out = stitch(extract(x, grid), grid, border, weight)
    assert out.shape == x.shape
    np.testing.assert_array_equal(out, x)


@given(grid=grids(), border=st.tuples(*[st.integers(0, 3)] * 3))
@settings(max_examples=60, deadline=None)
def test_a_border_of_weight_zero_is_refused_only_if_it_uncovers_voxels(grid, border):
    covered = np.zeros(grid.shape, bool)
    for region in grid:
        inside = tuple(
            slice(
                part.start + (b if part.start else 0),
                max(part.stop - (b if part.stop < n else 0), 0),
            )
            for part, b, n in zip(region, border, grid.shape, strict=True)
        )
        covered[inside] = True
    assert fits(grid, border, 0.0) == covered.all()


def test_not_finite_values_stay_where_they_are():
    x = np.random.default_rng(0).random((1, 1, 40, 40))
    x[0, 0, 7, 9], x[0, 0, 20, 20], x[0, 0, 39, 0] = np.nan, np.inf, -np.inf
    grid = Grid((1, 40, 40), (1, 16, 16), (1, 8, 8))
    np.testing.assert_array_equal(stitch(extract(x, grid), grid, (0, 2, 2), 0.1), x)


def test_where_windows_differ_the_weighted_mean_is_taken():
    grid = Grid((1, 1, 12), (1, 1, 8), (1, 1, 4))
    patches = [np.full((1, 1, 1, 8), 1.0), np.full((1, 1, 1, 8), 5.0)]
    # Windows 0-8 and 4-12; border 1: voxel 4 is border of the second, 7 of the first.
    out = stitch(patches, grid, (0, 0, 1), 0.25)[0, 0, 0]
    expected = [1] * 4 + [(1 + 0.25 * 5) / 1.25, 3, 3, (0.25 + 5) / 1.25] + [5] * 4
    np.testing.assert_allclose(out, expected, rtol=1e-14)


@given(
    grid=grids(), border=st.tuples(*[st.integers(0, 3)] * 3), weight=st.floats(0.01, 1)
)
@settings(max_examples=60, deadline=None)
def test_the_norm_is_the_sum_of_the_weights(grid, border, weight):
    z, y, x = border_weights(grid, border, weight)
    total = np.zeros(grid.shape)
    counts = [len(starts) for starts in grid.starts]
    for number, region in enumerate(grid):
        i, j, k = np.unravel_index(number, counts)
        total[region] += np.minimum.reduce(np.meshgrid(z[i], y[j], x[k], indexing="ij"))
    np.testing.assert_allclose(norm(grid, border, weight), total, rtol=1e-12)


def test_norm_where_faces_of_the_volume_count_as_borders_is_that_of_the_paper():
    # 70 x 70, window 32, step 16, border 4 of weight 0.1: corner, (35, 35), sum.
    starts = np.asarray(Grid((1, 70, 70), (1, 32, 32), (1, 16, 16)).starts[1])
    cover = _windows_over(np.stack([starts, starts + 32], axis=1), 70)
    inside = _windows_over(np.stack([starts + 4, starts + 28], axis=1), 70)
    weights = 0.1 * np.outer(cover, cover) + 0.9 * np.outer(inside, inside)
    assert weights[0, 0] == pytest.approx(0.1)
    assert weights[35, 35] == pytest.approx(1.3)
    assert weights.sum() == pytest.approx(9932.8)


def test_inner_weights_do_not_depend_on_the_faces_rule():
    grid = Grid((1, 70, 70), (1, 32, 32), (1, 16, 16))
    assert norm(grid, (0, 4, 4), 0.1)[0, 35, 35] == pytest.approx(1.3)


@pytest.mark.parametrize(
    ("border", "weight", "said"),
    [
        ((0, 0, 0), 1.5, "1.5"),
        ((0, 0, 0), -0.1, "-0.1"),
        ((0, -1, 0), 0.5, "negative"),
        ((0, 4, 0), 0.0, "uncovered"),
    ],
)
def test_borders_that_make_no_sense_are_refused(border, weight, said):
    grid = Grid((8, 20, 20), (8, 8, 8), (8, 8, 8))
    with pytest.raises(PlanError, match=said):
        border_weights(grid, border, weight)


def test_arrays_and_grids_of_other_shapes_are_refused():
    grid = Grid((8, 8, 8), (4, 4, 4), (4, 4, 4))
    with pytest.raises(PlanError, match="does not fit"):
        extract(np.zeros((1, 8, 8, 9)), grid)
    patches = extract(np.zeros((1, 8, 8, 8)), grid)
    with pytest.raises(PlanError, match="7 patches cannot fill 8"):
        stitch(patches[:-1], grid)
    with pytest.raises(PlanError, match="more patches than 8"):
        stitch([*patches, patches[0]], grid)
    with pytest.raises(PlanError, match=r"\(4, 4, 3\)"):
        stitch(patches[..., :-1], grid)
