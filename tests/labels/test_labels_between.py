"""Between two painted slices: what is suggested lies between, and nowhere else."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import ndimage

from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.labels import (
    BetweenSettings,
    LabelStore,
    default_classes,
    suggest_between,
)
from napari_sashiko.runners import Message, Progress

ALL = np.ones((3, 3), bool)
PLANE = (48, 64)


class Painted:
    """An array as paint, in blocks of 16."""

    def __init__(self, array):
        self.array = np.asarray(array, np.uint8)
        self.shape = self.array.shape

    def blocks_of(self, class_id):
        corners = product(*(range(0, n, 16) for n in self.shape))
        boxes = [tuple(slice(c, c + 16) for c in corner) for corner in corners]
        clipped = [
            tuple(slice(s.start, min(s.stop, n)) for s, n in zip(b, self.shape))  # noqa: B905
            for b in boxes
        ]
        return [box for box in clipped if (self.array[box] == class_id).any()]


def run(array, ids=(1,), size=(1.0, 1.0, 1.0), **values):
    """Events and the suggestion for an array or a store."""
    paint = array if hasattr(array, "blocks_of") else Painted(array)
    work = suggest_between(paint, ids, BetweenSettings(**values), size)
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value


def dense(array, *args, **values):
    """Suggested class ids as an array."""
    return run(array, *args, **values)[1][:, :, :]


def volume(planes, shapes, plane=PLANE):
    """Paint with class 1 in some planes: ``{number: mask}``."""
    array = np.zeros((planes, *plane), np.uint8)
    for number, mask in shapes.items():
        array[number][mask] = 1
    return array


def disc(row, column, radius, size=(1.0, 1.0)):
    y, x = np.indices(PLANE)
    return np.hypot((y - row) * size[0], (x - column) * size[1]) <= radius


def line(begin, end, width):
    """A stroke of a round brush."""
    places = np.linspace(begin, end, 200)
    mask = np.zeros(PLANE, bool)
    mask[tuple(np.rint(places).astype(int).T)] = True
    return ndimage.distance_transform_edt(~mask) <= (width - 1) / 2


def parts(mask):
    return ndimage.label(mask, ALL)[1]


def differs_by_a_voxel_at_most(found, wanted):
    """Whether every voxel that differs is at the outline of what is wanted."""
    inner = ndimage.binary_erosion(wanted, ALL, border_value=1)
    outer = ndimage.binary_dilation(wanted, ALL)
    return bool((found <= outer).all() and (inner <= found).all())


noise = st.builds(
    lambda seed, share, shape: np.random.default_rng(seed).random(shape) < share,
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.03, 0.2, 0.5]),
    st.sampled_from([(9, 12, 14), (13, 7, 20)]),
)


def blotches(seed, shape=(9, 26, 30), classes=3):
    """Smooth shapes of some classes on a few planes."""
    rng = np.random.default_rng(seed)
    waves = ndimage.gaussian_filter(rng.normal(size=(classes, *shape)), (0, 0, 3, 3))
    array = np.argmax(waves, axis=0) + 1
    array[waves.max(axis=0) < np.quantile(waves.max(axis=0), 0.6)] = 0
    array[rng.random(shape[0]) < 0.6] = 0
    return array.astype(np.uint8)


blobs = st.builds(blotches, st.integers(0, 2**32 - 1))


@given(array=blobs, axis=st.sampled_from([0, 1, 2]))
def test_nothing_is_suggested_over_paint_or_beside_paint_of_others(array, axis):
    array = np.moveaxis(array, 0, axis)
    found = dense(array, (1, 2, 3), axis=axis)
    assert not found[array > 0].any()
    around = np.ones(np.insert((3, 3), axis, 1), bool)
    for each in (1, 2, 3):
        others = ndimage.binary_dilation((array > 0) & (array != each), around)
        assert not (others & (found == each)).any()


@given(array=blobs)
def test_a_suggestion_lies_between_painted_planes_of_its_class(array):
    found = dense(array, (1, 2))
    assert set(np.unique(found)) <= {0, 1, 2}
    for each in (1, 2):
        painted = np.flatnonzero((array == each).any(axis=(1, 2)))
        filled = np.flatnonzero((found == each).any(axis=(1, 2)))
        assert all(painted[0] < z < painted[-1] for z in filled)


@given(mask=noise, empty=st.integers(1, 6))
def test_equal_slices_have_equal_slices_between(mask, empty):
    array = np.zeros((empty + 2, *mask.shape[1:]), np.uint8)
    array[0] = array[-1] = mask[0]
    found = dense(array)
    for z in range(1, empty + 1):
        np.testing.assert_array_equal(found[z], mask[0])


@given(array=st.one_of(blobs, noise))
def test_nothing_depends_on_which_way_the_axis_runs(array):
    np.testing.assert_array_equal(dense(array[::-1]), dense(array)[::-1])


@given(array=st.one_of(blobs, noise), axis=st.sampled_from([1, 2]))
def test_all_axes_are_alike(array, axis):
    turned = np.moveaxis(array, 0, axis)
    sizes = np.insert([1.0, 2.0], axis, 3.0)
    found = dense(turned, (1,), sizes, axis=axis)
    expected = dense(array, (1,), (3.0, 1.0, 2.0))
    np.testing.assert_array_equal(np.moveaxis(found, axis, 0), expected)


@given(
    radius=st.integers(2, 9),
    way=st.tuples(st.integers(-5, 5), st.integers(-5, 5)),
    empty=st.sampled_from([1, 3, 7]),
)
def test_a_moving_disc_is_that_disc_half_way(radius, way, empty):
    assume(np.hypot(*way) <= 2 * radius + 1)  # further away it is another one
    last = empty + 1
    begin, end = (20, 30), (20 + way[0], 30 + way[1])
    array = volume(last + 1, {0: disc(*begin, radius), last: disc(*end, radius)})
    found = dense(array, most_slope=10.0)[last // 2] > 0
    half = disc(20 + way[0] / 2, 30 + way[1] / 2, radius)
    assert differs_by_a_voxel_at_most(found, half)


@given(size=st.sampled_from([(1.0, 1.0), (1.0, 2.0), (3.0, 1.0), (0.01, 0.02)]))
def test_a_growing_disc_is_half_grown_half_way_in_voxels_of_any_size(size):
    unit = max(size)
    small, large = 2 * unit, 8 * unit
    masks = [disc(24, 32, radius, size) for radius in (small, large)]
    array = volume(9, {0: masks[0], 8: masks[1]})
    found = dense(array, (1,), (1.0, *size))
    for z in range(1, 8):
        radius = small + (large - small) * z / 8
        assert differs_by_a_voxel_at_most(found[z] > 0, disc(24, 32, radius, size))


@pytest.mark.parametrize("way", [0, 3, 7, 12])
def test_two_discs_stay_two(way):
    first = disc(20, 16, 5) | disc(20, 40, 5)
    last = disc(20 + way, 16, 5) | disc(20 + way, 40, 5)
    found = dense(volume(13, {0: first, 12: last}))
    assert [parts(found[z]) for z in range(1, 12)] == [2] * 11


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (disc(10, 10, 5), disc(10, 50, 5)),
        (disc(10, 10, 3), disc(30, 30, 9)),
        (line((10, 5), (10, 25), 3), line((20, 20), (40, 20), 3)),
        (line((24, 5), (24, 60), 3), line((5, 30), (45, 30), 3)),
        (line((10, 5), (10, 60), 3), line((20, 5), (20, 60), 3)),
        (disc(24, 30, 4), disc(24, 18, 4) | disc(24, 42, 4)),
    ],
    ids=["far", "other size", "other direction", "crossing", "beside", "either"],
)
def test_what_is_not_the_same_is_not_joined(first, last):
    assert len(run(volume(7, {0: first, 6: last}))[1]) == 0


@pytest.mark.parametrize("width", [1, 3, 5, 7])
@pytest.mark.parametrize("widths", [0, 0.5, 1, 2])
def test_a_stroke_that_moves_sideways_goes_on_whole(width, widths):
    way = round(widths * width)
    array = volume(
        11,
        {
            0: line((12, 10), (12, 50), width),
            10: line((12 + way, 12), (12 + way, 52), width),
        },
    )
    found = dense(array)
    for z in range(1, 10):
        rows, columns = np.nonzero(found[z])
        assert parts(found[z]) == 1
        assert np.ptp(columns) + 1 >= 38
        assert abs(rows.mean() - (12 + way * z / 10)) <= 1
        assert np.ptp(rows) + 1 <= array[0].any(axis=1).sum() + 1


@pytest.mark.parametrize(("width", "way"), [(1, 2), (3, 6), (6, 7)])
def test_a_stroke_drawn_by_hand_goes_on_without_gaps(width, way):
    def drawn(row, phase):
        x = np.arange(8, 56)
        y = row + 2.5 * np.sin(x / 7 + phase)
        mask = np.zeros(PLANE, bool)
        mask[np.rint(y).astype(int), x] = True
        return ndimage.distance_transform_edt(~mask) <= (width - 1) / 2

    found = dense(volume(9, {0: drawn(14, 0.0), 8: drawn(14 + way, 1.5)}))
    for z in range(1, 8):
        assert parts(found[z]) == 1
        assert np.ptp(np.nonzero(found[z])[1]) + 1 >= 46


def test_how_far_a_shape_may_move_is_a_slope_in_units_of_the_voxel_size():
    array = volume(4, {0: disc(20, 12, 5), 3: disc(20, 28, 5)})
    assert len(run(array, size=(1.0, 1.0, 1.0))[1]) == 0
    assert len(run(array, size=(4.0, 1.0, 1.0))[1]) > 0
    assert len(run(array, size=(3.0, 2.0, 2.0))[1]) == 0
    assert len(run(array, most_slope=3.0)[1]) > 0


def test_slices_that_are_too_far_apart_or_have_none_between_are_left_alone():
    near = volume(30, {3: disc(20, 20, 6), 4: disc(20, 21, 6)})
    assert len(run(near)[1]) == 0
    far = volume(30, {3: disc(20, 20, 6), 9: disc(20, 21, 6)})
    assert len(run(far, most_empty=4)[1]) == 0
    assert run(far, most_empty=5)[1].slices == 5


def test_each_shape_goes_on_in_its_own_next_slice():
    left, right = disc(20, 12, 5), disc(20, 50, 5)
    found = dense(volume(9, {0: left, 2: right, 6: left, 8: right}))
    for z in range(9):
        np.testing.assert_array_equal(found[z][:, :32] > 0, left[:, :32] & (0 < z < 6))
        np.testing.assert_array_equal(found[z][:, 32:] > 0, right[:, 32:] & (2 < z < 8))


def test_what_two_classes_would_have_goes_to_neither():
    array = volume(9, {0: disc(20, 22, 8), 8: disc(20, 42, 8)})
    array[0][disc(20, 42, 8)] = 2
    array[8][disc(20, 22, 8)] = 2
    alone = [dense(array, (each,), most_slope=5.0) for each in (1, 2)]
    both = dense(array, (1, 2), most_slope=5.0)
    assert (alone[0][4] > 0).sum() > 150
    wanted = np.where((alone[0] > 0) & (alone[1] > 0), 0, alone[0] + alone[1])
    np.testing.assert_array_equal(both, wanted)


def test_a_hole_of_another_class_is_kept_free_with_a_margin():
    array = volume(5, {0: disc(20, 20, 8), 4: disc(20, 20, 8)})
    array[2, 20, 18:23] = 2
    found = dense(array)
    assert not found[2, 19:22, 17:24].any()
    assert found[2, 22, 20] == 1
    assert found[1, 20, 20] == 1


def test_a_limit_of_voxels_is_kept_and_said():
    array = volume(
        23, {0: disc(20, 20, 12), 11: disc(20, 20, 12), 22: disc(20, 20, 12)}
    )
    events, found = run(array, most_voxels=1500)
    assert 1500 - disc(20, 20, 12).sum() < len(found) <= 1500
    (said,) = [event for event in events if isinstance(event, Message)]
    assert "fill again" in said.text
    events, found = run(volume(5, {0: PLANES_FULL, 4: PLANES_FULL}), most_voxels=1000)
    assert len(found) == 0
    assert sum(isinstance(event, Message) for event in events) == 2


def test_what_a_limit_left_out_is_found_after_accepting():
    mask = disc(20, 20, 12)
    array = volume(23, {0: mask, 11: mask, 22: mask})
    rounds = 0
    while len(found := run(array, most_voxels=1500)[1]):
        array[tuple(found.coords.T)] = found.values
        rounds += 1
    assert rounds > 5
    np.testing.assert_array_equal(array, np.broadcast_to(mask, array.shape))


PLANES_FULL = np.ones(PLANE, bool)


def test_progress_counts_painted_slices():
    events, _ = run(volume(9, {0: disc(20, 20, 6), 8: disc(20, 20, 6)}))
    seen = [(e.done, e.total) for e in events if isinstance(e, Progress)]
    assert seen == [(0, 2), (1, 2)]


def test_a_store_as_large_as_a_disk_costs_what_its_paint_costs(tmp_path):
    store = LabelStore.create(tmp_path / "s", (1000, 2000, 2000), default_classes(2))
    for z in (500, 508):
        store.array[z, 100:140, 30:34] = 1
        store.array[z, 1900:1940, 1990:1994] = 1
    tracemalloc.start()
    _, found = run(store)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 7 * 2 * 160
    assert peak < 20e6
    np.testing.assert_array_equal(
        found[504, 90:150, 20:40], store.array[500, 90:150, 20:40]
    )


def test_blocks_of_a_class_are_those_with_its_paint(tmp_path):
    store = LabelStore.create(tmp_path / "s", (70, 130, 70), default_classes(2))
    store.array[3, 70:80, 60:66] = 2
    store.array[69, 0, 0] = 1
    assert store.blocks_of(1) == [(slice(64, 70), slice(0, 64), slice(0, 64))]
    assert store.blocks_of(2) == [
        (slice(0, 64), slice(64, 128), slice(0, 64)),
        (slice(0, 64), slice(64, 128), slice(64, 70)),
    ]
    assert store.blocks_of(3) == []


def test_too_few_slices_and_odd_settings_are_refused_in_words():
    with pytest.raises(LabelError, match="2 slices along y"):
        run(np.zeros((9, 2, 9)), axis=1)
    with pytest.raises(SettingsError, match="most_empty = 0"):
        BetweenSettings.checked(most_empty=0)


@given(
    seed=st.integers(0, 2**32 - 1),
    key=st.tuples(
        *(
            st.one_of(
                st.integers(0, n - 1),
                st.builds(slice, st.integers(0, n), st.integers(0, n)),
                st.just(slice(None)),
            )
            for n in (5, 70, 130)
        )
    ),
)
def test_a_suggestion_is_read_like_the_array_that_it_is_not(seed, key):
    rng = np.random.default_rng(seed)
    places = np.stack([rng.integers(0, n, 40) for n in (70, 130)], axis=1)
    array = np.zeros((5, 70, 130), np.uint8)
    array[0][tuple(places.T)] = array[4][tuple(places.T)] = 1 + rng.integers(0, 2, 40)
    found = run(array, (1, 2))[1]
    whole = found[:, :, :]
    np.testing.assert_array_equal(found[key], whole[key])
    assert np.count_nonzero(whole) == len(found)
    again = np.zeros_like(whole)
    for where, class_id in found.pieces():
        assert not again[where].any()
        assert len({tuple(p) for p in (np.stack(where, axis=1) // 64).tolist()}) == 1
        again[where] = class_id
    np.testing.assert_array_equal(again, whole)


def test_a_box_that_is_too_large_is_not_made(tmp_path):
    store = LabelStore.create(tmp_path / "s", (1000, 2000, 2000), default_classes(2))
    store.array[0, :9, :9] = store.array[2, :9, :9] = 1
    found = run(store)[1]
    everything = found[:, :, :]
    assert everything.shape == store.shape
    assert everything.strides == (0, 0, 0)
    assert found[1, :20, :20].sum() == 81
