"""Writing into the store is writing into an array, whatever the index; and cheap."""

import copy
import os
import pickle
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import LabelStore, TrackedArray, default_classes

SHAPE = (3, 70, 66)  # more than one block along y and x


def one_side(size):
    numbers = st.integers(-size, size - 1)
    return st.one_of(
        numbers,
        st.slices(size),
        hnp.arrays(np.int64, 3, elements=numbers),
        st.lists(numbers, min_size=3, max_size=3),
        hnp.arrays(bool, size),
    )


SIDES = [one_side(size) for size in SHAPE]
KEYS = st.one_of(
    hnp.basic_indices(SHAPE),
    hnp.integer_array_indices(SHAPE),
    st.tuples(*SIDES),
    st.tuples(*SIDES[:2]),
    st.tuples(st.just(Ellipsis), SIDES[2]),
    hnp.arrays(bool, SHAPE, elements=st.booleans(), fill=st.just(False)),
)


def new_store(folder, shape=SHAPE):
    return LabelStore.create(folder / "s", shape, default_classes(3))


def written(array, key, value):
    """Whether an array takes it; both must refuse the same."""
    try:
        array[key] = value
    except (IndexError, ValueError) as error:
        return type(error)
    return None


@given(writes=st.lists(st.tuples(KEYS, st.integers(0, 3)), max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_index_writes_as_in_an_array_and_is_counted(tmp_path_factory, writes):
    store = new_store(tmp_path_factory.mktemp("writes"))
    plain = np.zeros(SHAPE, np.uint8)
    for key, value in writes:
        assert written(store.array, key, value) == written(plain, key, value)
        expected = np.bincount(plain.ravel(), minlength=4)
        assert list(store.counts().values()) == expected[1:].tolist()
    np.testing.assert_array_equal(store.array, plain)
    for z in range(SHAPE[0]):
        on_slice = np.bincount(plain[z].ravel(), minlength=4)
        assert list(store.counts_by_slice(z).values()) == on_slice[1:].tolist()
    assert len(store.labelled()) == np.count_nonzero(plain)


@given(
    boxes=st.lists(
        st.tuples(*[st.tuples(st.integers(0, n), st.integers(1, n)) for n in SHAPE]),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=30, deadline=None)
def test_undoing_all_strokes_leaves_nothing(tmp_path_factory, boxes):
    store = new_store(tmp_path_factory.mktemp("undo"))
    history = []
    for number, sides in enumerate(boxes):
        box = tuple(slice(start, start + size) for start, size in sides)
        # As napari paints: a box is read, changed and written back.
        region = np.asarray(store.array[box])
        history.append((box, region.copy()))
        region[...] = number % 3 + 1
        store.array[box] = region
    for box, before in reversed(history):
        store.array[box] = before
    assert set(store.counts().values()) == {0}
    assert len(store.labelled()) == 0


def test_paint_that_slipped_in_through_a_view_is_found(tmp_path):
    store = new_store(tmp_path)
    np.asarray(store.array)[2, 60, 60] = 3
    assert len(store.labelled()) == 1
    assert store.counts()[3] == 1


def test_the_array_is_an_ndarray_and_its_copies_are_silent(tmp_path):
    store = new_store(tmp_path)
    heard = []
    store.on_change(heard.append)
    array = store.array
    assert isinstance(array, np.ndarray)
    assert isinstance(array, TrackedArray)
    for other in (array[0], array.copy(), array + 1, copy.deepcopy(array)):
        other[...] = 1
    pickle.loads(pickle.dumps(array[0]))[0] = 1
    assert not heard


def test_erasing_leaves_the_classes(tmp_path):
    store = new_store(tmp_path)
    store.array[:, :70:9, :66:9] = 2
    store.erase()
    assert store.counts() == {1: 0, 2: 0, 3: 0}
    assert not np.asarray(store.array).any()
    assert len(store.classes) == 3


def test_paint_whose_index_is_lost_is_taken_over(tmp_path):
    store = new_store(tmp_path)
    store.array[1, 2, 3] = 2
    store.close()
    (tmp_path / "s" / "labels.json").unlink()
    again = new_store(tmp_path)
    assert again.counts() == {1: 0, 2: 1, 3: 0}


def test_an_index_that_lists_too_much_loses_and_invents_nothing(tmp_path):
    store = new_store(tmp_path)
    store.array[1, 2, 3] = 2
    store.flush()
    store.array[1, 2, 3] = 0  # the index still says that there is paint
    assert LabelStore.open(tmp_path / "s").counts() == {1: 0, 2: 0, 3: 0}


def test_a_store_that_cannot_be_written_can_be_read(tmp_path, monkeypatch):
    store = new_store(tmp_path)
    store.array[1, 2, 3] = 2
    store.close()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # chmod stops no root
    again = LabelStore.open(tmp_path / "s")
    assert again.counts()[2] == 1
    assert not again.array.flags.writeable


def test_training_reads_while_somebody_paints(tmp_path):
    store = new_store(tmp_path, (8, 200, 200))
    stop = threading.Event()
    seen = []

    def read():
        while not stop.is_set():
            labelled = store.labelled()
            seen.append(len(labelled))
            assert (labelled.values > 0).all()

    reader = threading.Thread(target=read)
    reader.start()
    rng = np.random.default_rng(0)
    for _ in range(300):
        z, y, x = rng.integers((8, 190, 190))
        store.array[z, y : y + 10, x : x + 10] = rng.integers(0, 4)
    stop.set()
    reader.join()
    assert seen
    values, counts = np.unique(np.asarray(store.array), return_counts=True)
    found = dict(zip(values.tolist(), counts.tolist(), strict=True))
    assert store.counts() == {c: found.get(c, 0) for c in (1, 2, 3)}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_four_gigabytes_cost_little_memory(tmp_path):
    def resident():
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    store = new_store(tmp_path, (1000, 2000, 2000))
    for z in range(0, 1000, 100):
        store.array[z, 900:950, 1000:1050] = 1
    assert store.counts()[1] == 25_000
    assert len(store.labelled()) == 25_000
    store.close()
    assert LabelStore.open(tmp_path / "s").counts()[1] == 25_000
    assert resident() - before < 200e6


def test_two_classes_with_one_number_are_refused(tmp_path):
    store = new_store(tmp_path)
    with pytest.raises(LabelError, match="same number"):
        store.set_classes([*default_classes(2), *default_classes(1)])
