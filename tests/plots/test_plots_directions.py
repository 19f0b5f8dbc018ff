"""The map of directions: rods are found where they point, in physical space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_sashiko.errors import PlotError
from napari_sashiko.plots import LIGHT, PLOTS, PlotSettings, measure_directions
from napari_sashiko.plots._autocorrelation import (
    EDGE,
    Shell,
    autocorrelation,
    choose_shell,
    unit_vectors,
)

SHAPE = (60, 72, 66)
SHORT = PlotSettings(radius_from=10, radius_to=16, blocks=2)


def drain(steps):
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def rods(direction, shape=SHAPE, voxel_size=(1.0, 1.0, 1.0), *, count=25, radius=3.0):
    """Parallel rods through all of the volume, (Z, Y, X) bool."""
    along = np.asarray(direction, float) / np.linalg.norm(direction)
    size = np.asarray(voxel_size)
    places = np.moveaxis(np.indices(shape), 0, -1) * size
    rng = np.random.default_rng(0)
    mask = np.zeros(shape, bool)
    for point in rng.random((count, 3)) * np.array(shape) * size:
        away = places - point
        across = away - (away @ along)[..., None] * along
        mask |= (across**2).sum(axis=-1) <= radius**2
    return mask


def measured(mask, voxel_size=(1.0, 1.0, 1.0), settings=SHORT):
    return drain(
        measure_directions(
            lambda region: mask[region],
            mask.shape,
            voxel_size,
            settings,
            unit="um",
            class_name="fibre",
        )
    )


def angle(one, other):
    """Between two lines, degrees."""
    cosine = abs(np.dot(one, other)) / np.linalg.norm(one) / np.linalg.norm(other)
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


@pytest.mark.parametrize(
    "direction", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0.4, -0.5, 1), (1, 2, 3)]
)
def test_parallel_rods_are_found_in_their_direction(direction):
    found = measured(rods(direction))
    assert angle(found.peak, direction) < 5
    assert np.nanmax(found.values) > 0.5 > 3 * np.nanmedian(found.values)


@pytest.mark.parametrize("direction", [(1, 0, 1), (1, 2, -1)])
def test_directions_are_those_of_space_and_not_of_the_grid(direction):
    size = (3.0, 1.0, 1.5)
    shape = (30, 80, 56)
    settings = PlotSettings(radius_from=12, radius_to=18)
    found = measured(rods(direction, shape, size, radius=4.0), size, settings)
    assert angle(found.peak, direction) < 6
    assert (found.inner, found.outer) == (12, 18)


def test_a_direction_and_its_opposite_are_alike():
    values = measured(rods((0.4, -0.5, 1))).values
    # Half a turn around, and to the other side of the plane.
    opposite = np.roll(values, values.shape[1] // 2, axis=1)[::-1]
    np.testing.assert_allclose(values, opposite, atol=1e-5)


def test_voxels_that_know_nothing_of_each_other_have_no_direction():
    noise = np.random.default_rng(0).random(SHAPE) < 0.2
    assert np.nanmax(np.abs(measured(noise).values)) < 0.02


def test_balls_look_the_same_from_everywhere():
    rng = np.random.default_rng(0)
    places = np.moveaxis(np.indices(SHAPE), 0, -1)
    mask = np.zeros(SHAPE, bool)
    for point in rng.random((60, 3)) * SHAPE:
        mask |= ((places - point) ** 2).sum(axis=-1) <= 16
    assert np.nanmax(np.abs(measured(mask).values)) < 0.15


@settings(max_examples=15, deadline=None)
@given(
    mask=hnp.arrays(bool, st.tuples(*[st.integers(3, 6)] * 3)),
    lags=st.tuples(*[st.integers(0, 2)] * 3),
)
def test_it_is_the_autocorrelation_by_definition(mask, lags):
    if mask.all() or not mask.any():
        return
    shell = Shell(1.0, 2.0, lags, mask.shape)
    found, blocks = drain(
        autocorrelation(lambda r: mask[r], mask.shape, shell, PlotSettings())
    )
    assert blocks == 1
    field = mask - mask.mean()
    expected = np.zeros([2 * lag + 1 for lag in lags])
    for place in np.ndindex(*expected.shape):
        lag = np.array(place) - lags
        here = tuple(slice(max(0, -d), n - max(0, d)) for d, n in _pairs(lag, mask))
        there = tuple(slice(max(0, d), n - max(0, -d)) for d, n in _pairs(lag, mask))
        expected[place] = (field[here] * field[there]).mean()
    np.testing.assert_allclose(found, expected / expected[lags], atol=1e-4)
    assert found[lags] == pytest.approx(1)


def _pairs(lag, mask):
    return zip(lag, mask.shape, strict=True)


def test_what_is_not_predicted_is_left_out():
    mask = rods((0, 0, 1), (20, 20, 400))
    asked = []

    def read(region):
        asked.append(region)
        return None if region[2].start < 150 else mask[region]

    words = {"unit": "pixel", "class_name": "fibre"}
    some = PlotSettings(blocks=6, radius_from=5, radius_to=8)
    size = (1, 1, 1)
    found = drain(measure_directions(read, mask.shape, size, some, **words))
    known = {str(region) for region in asked if region[2].start >= 150}
    assert 0 < len(known) < 6
    assert f"{len(known)} block" in found.note
    with pytest.raises(PlotError, match="Finish the prediction"):
        drain(measure_directions(lambda _: None, mask.shape, size, some, **words))


@pytest.mark.parametrize(("value", "word"), [(False, "no voxel"), (True, "every")])
def test_a_class_that_is_nowhere_or_everywhere_has_no_directions(value, word):
    with pytest.raises(PlotError, match=word):
        measured(np.full(SHAPE, value))


@pytest.mark.parametrize("shape", [(1, 100, 100), (6, 100, 100)])
def test_a_volume_that_is_too_thin_is_said(shape):
    with pytest.raises(PlotError, match="too thin"):
        choose_shell(shape, (1.0, 1.0, 1.0), PlotSettings())


def test_the_shell_fits_the_volume():
    usual = choose_shell((500, 500, 500), (1.2, 1.2, 1.2), PlotSettings())
    assert (usual.inner, usual.outer) == pytest.approx((24, 36))
    assert usual.block == (EDGE,) * 3
    thin = choose_shell((20, 500, 500), (1.0, 1.0, 1.0), PlotSettings())
    assert thin.outer == 10
    assert thin.block[0] == 20
    coarse = choose_shell((100, 500, 500), (8.0, 1.0, 1.0), PlotSettings())
    assert coarse.lags == (5, 31, 31)
    assert coarse.block == (16, EDGE, EDGE)
    wide = PlotSettings(radius_to=64)
    assert max(choose_shell((999,) * 3, (1.0, 1.0, 1.0), wide).block) <= 2 * 65


def test_memory_does_not_grow_with_the_volume():
    sizes = []

    def read(region):
        sizes.append(tuple(side.stop - side.start for side in region))
        rng = np.random.default_rng(region[0].start)
        return rng.random(sizes[-1]) < 0.5

    some = PlotSettings(blocks=2, radius_from=4, radius_to=6)
    words = {"unit": "pixel", "class_name": "fibre"}
    steps = measure_directions(read, (10**5,) * 3, (1, 1, 1), some, **words)
    drain(steps)
    assert set(sizes) == {(EDGE,) * 3}
    assert len(sizes) == 4


def test_the_map_is_drawn_from_the_values():
    data = measured(rods((0, 1, 1)))
    axes = PLOTS["directions"](data, LIGHT).axes[0]
    assert axes.name == "hammer"
    drawn = axes.collections[0]
    shown = np.asarray(drawn.get_array()).reshape(data.values.shape)
    np.testing.assert_allclose(shown, data.values)
    corners = drawn.get_coordinates()
    np.testing.assert_allclose(np.degrees(corners[0, [0, -1], 0]), [-180, 180])
    np.testing.assert_allclose(np.degrees(corners[[0, -1], 0, 1]), [-90, 90])


def test_directions_have_the_length_of_one():
    up, around = np.linspace(-90, 90, 7)[:, None], np.linspace(-180, 180, 9)[None]
    z, y, x = unit_vectors(up, around)
    np.testing.assert_allclose(z**2 + y**2 + x**2, 1)
    assert unit_vectors(np.array(0.0), np.array(90.0))[1] == pytest.approx(1)
    assert unit_vectors(np.array(90.0), np.array(0.0))[0] == pytest.approx(1)


def test_a_shell_inside_out_is_refused():
    with pytest.raises(ValueError, match="radius_from"):
        PlotSettings(radius_from=20, radius_to=10)
    with pytest.raises(PlotError, match="radius_from"):
        choose_shell((40, 40, 40), (1, 1, 1), PlotSettings(radius_from=30))
