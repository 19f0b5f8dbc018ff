"""Labels: paint is counted, kept and found again, whatever happens."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.errors import LabelError, OutputError
from napari_sashiko.labels import (
    LabelClass,
    LabelStore,
    check_labels,
    check_shape,
    default_classes,
    labelled_voxels,
    stroke_components,
)
from napari_sashiko.volumes import Stacking, Time

SHAPE = (9, 80, 70)
STACK = Stacking(SHAPE)


def recount(store):
    values, counts = np.unique(np.asarray(store.array), return_counts=True)
    found = dict(zip(values.tolist(), counts.tolist(), strict=True))
    return {value: found.get(value, 0) for value in store.counts()}


KEYS = [
    (slice(2, 5), slice(10, 30), slice(60, 70)),
    (3, slice(None), slice(0, 9)),
    4,
    (Ellipsis, 5),
    (slice(8, 2, -1), slice(3, 4)),
    (np.array([1, 1, 8]), np.array([5, 5, 79]), np.array([7, 7, 69])),
    (0, slice(70, 80), -1),
    (np.array([-1]), np.array([-1]), np.array([0])),
    slice(3, 3),
]


@given(
    writes=st.lists(
        st.tuples(st.integers(0, len(KEYS) - 1), st.integers(0, 3)), max_size=8
    )
)
@settings(max_examples=25, deadline=None)
def test_counts_are_those_of_a_recount(tmp_path_factory, writes):
    store = LabelStore.create(tmp_path_factory.mktemp("s"), SHAPE, default_classes(3))
    for key, value in writes:
        store.array[KEYS[key]] = value
    assert store.counts() == recount(store)
    labelled = store.labelled()
    expected = labelled_voxels(np.asarray(store.array))
    np.testing.assert_array_equal(labelled.coords, expected.coords)
    np.testing.assert_array_equal(labelled.values, expected.values)
    slices = {
        c: len(np.unique(expected.coords[expected.values == c, 0])) for c in (1, 2, 3)
    }
    assert store.slices_per_class() == slices


def test_masks_are_counted(tmp_path):
    store = LabelStore.create(tmp_path / "s", SHAPE, default_classes(2))
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 5, 6] = True
    store.array[mask] = 2
    assert store.counts() == {1: 0, 2: 2}


def test_listeners_hear_the_box_that_was_written(tmp_path):
    store = LabelStore.create(tmp_path / "s", SHAPE, default_classes(2))
    heard = []
    store.on_change(heard.append)
    store.array[1, 4:6, 7:9] = 1
    assert heard == [(slice(1, 2), slice(4, 6), slice(7, 9))]


def test_four_gigabytes_cost_next_to_nothing(tmp_path):
    store = LabelStore.create(tmp_path / "s", (1000, 2000, 2000), default_classes(2))
    store.array[500, 900:950, 1000:1040] = 1
    store.flush()
    assert store.counts()[1] == 2000
    assert len(store.labelled()) == 2000
    used = (tmp_path / "s" / "labels.raw").stat()
    if hasattr(used, "st_blocks"):
        assert used.st_blocks * 512 < 50e6
    assert LabelStore.open(tmp_path / "s").counts() == store.counts()


PAINTER = """
import os, sys
from napari_sashiko.labels import LabelStore, default_classes
store = LabelStore.create(sys.argv[1], (40, 300, 300), default_classes(2))
store.array[3, 10:20, 10:20] = 1
store.flush()
store.array[30, 200:210, 250:260] = 2
print("painted", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_paint_survives_a_killed_process(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PAINTER, str(tmp_path / "s")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as painter:
        assert painter.stdout.readline().strip() == b"painted"
        os.kill(painter.pid, signal.SIGKILL)
    store = LabelStore.open(tmp_path / "s")
    assert store.counts() == {1: 100, 2: 100}
    assert len(store.labelled()) == 200


def test_a_missing_index_entry_is_found_without_sparse_files(tmp_path, monkeypatch):
    store = LabelStore.create(tmp_path / "s", SHAPE, default_classes(2))
    store.array[3, 70, 60] = 2  # never flushed: the index knows nothing of it
    monkeypatch.delattr(os, "SEEK_DATA", raising=False)
    assert LabelStore.open(tmp_path / "s").counts() == {1: 0, 2: 1}


def test_names_and_colours_are_kept(tmp_path):
    store = LabelStore.create(tmp_path / "s", SHAPE, default_classes(2))
    named = (LabelClass(id=1, name="matrix", color="#112233"), *default_classes(3)[1:])
    store.set_classes(named)
    store.close()
    assert LabelStore.open(tmp_path / "s").classes == named


def test_a_class_with_paint_cannot_vanish(tmp_path):
    store = LabelStore.create(tmp_path / "s", SHAPE, default_classes(2))
    store.array[0, 0, 0] = 2
    with pytest.raises(LabelError, match="Class 2 has paint"):
        store.set_classes(default_classes(1))


@pytest.mark.parametrize("dtype", ["uint8", "int64", ">i2", "bool"])
def test_labels_of_any_integer_type_are_adopted(tmp_path, dtype):
    labels = (np.random.default_rng(0).random(SHAPE) > 0.999).astype(dtype)
    store = LabelStore.adopt(tmp_path / "s", labels, None)
    np.testing.assert_array_equal(store.array, labels.astype("u1"))
    assert len(store.classes) == 2


def test_values_beyond_a_byte_are_not_adopted(tmp_path):
    labels = np.zeros(SHAPE, np.int32)
    labels[0, 0, 0] = 300
    with pytest.raises(LabelError, match="300"):
        LabelStore.adopt(tmp_path / "s", labels, None)


def test_a_store_is_never_made_over_another(tmp_path):
    LabelStore.create(tmp_path / "s", SHAPE, default_classes(2)).close()
    with pytest.raises(LabelError, match="already"):
        LabelStore.create(tmp_path / "s", SHAPE, default_classes(2))


def damage_json(folder):
    (folder / "labels.json").write_text("{")


def damage_size(folder):
    with (folder / "labels.raw").open("r+b") as file:
        file.truncate(10)


def age(folder):
    record = json.loads((folder / "labels.json").read_text())
    (folder / "labels.json").write_text(json.dumps({**record, "format_version": 99}))


@pytest.mark.parametrize(
    ("harm", "said"), [(damage_json, "damaged"), (damage_size, "10 bytes"), (age, "99")]
)
def test_a_damaged_store_is_refused_in_words(tmp_path, harm, said):
    LabelStore.create(tmp_path / "s", SHAPE, default_classes(2)).close()
    harm(tmp_path / "s")
    with pytest.raises(LabelError, match=said):
        LabelStore.open(tmp_path / "s")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be kept"):
        LabelStore.create(tmp_path / "file" / "s", SHAPE, default_classes(2))


def painted(*strokes):
    labels = np.zeros(SHAPE, np.uint8)
    for value, box in strokes:
        labels[box] = value
    return labelled_voxels(labels)


A, B = np.s_[2, 5:15, 5:15], np.s_[4, 30:40, 5:15]


def test_preflight_says_what_is_unwise():
    texts = check_labels(painted((1, A), (2, B)), STACK, default_classes(3))
    assert any("'class 3' has no paint" in text for text in texts)
    assert any("'background' is painted on one slice only" in text for text in texts)
    few = check_labels(
        painted((1, A), (2, np.s_[1, 1, 1:4])), STACK, default_classes(2)
    )
    assert any("only 3 painted voxels" in text for text in few)


@pytest.mark.parametrize(
    ("labelled", "shape", "said"),
    [
        (painted(), SHAPE, "Nothing is labelled"),
        (painted((1, A)), SHAPE, "Only 'background'"),
        (painted((1, A), (2, B)), (9, 80, 71), r"\(9, 80, 71\)"),
        (painted((1, A), (7, B)), SHAPE, "Label 7 belongs to no class"),
    ],
)
def test_labels_that_teach_nothing_are_refused(labelled, shape, said):
    with pytest.raises(LabelError, match=said):
        check_labels(labelled, Stacking(shape), default_classes(2))


TIME = Time(2.0, "s")


@pytest.mark.parametrize(
    ("stack", "shape", "told"),
    [
        (Stacking((8, 32, 30), 4, time=TIME), (12, 32, 30), ("3, 4, 32", "2, 4, 32")),
        (Stacking((8, 32, 30), 4, time=TIME), (9, 32, 30), ("9, 32", "2, 4, 32")),
        (Stacking((8, 32, 30), 1, flat=True, time=TIME), (6, 32, 30), ("6, ", "8, ")),
        (Stacking((1, 32, 30), flat=True), (1, 32, 31), ("32, 31", "32, 30")),
        (Stacking((8, 32, 30)), (8, 30, 32), ("8, 30, 32", "8, 32, 30")),
    ],
)
def test_shapes_are_told_by_the_axes_of_the_image(stack, shape, told):
    with pytest.raises(LabelError, match=rf"\({told[0]}.*image has \({told[1]}"):
        check_shape(shape, stack)
    check_shape(stack.shape, stack)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3, 3), np.float32), "dtype float32"),
        (np.full((3, 3), -1), "-1"),
        (np.full((3, 3), 256), "256"),
        (np.zeros((2, 2, 2, 2), np.uint8), "shape"),
    ],
)
def test_arrays_that_are_no_labels_are_refused(array, said):
    with pytest.raises(LabelError, match=said):
        labelled_voxels(array)


def test_strokes_of_one_class_that_touch_are_one():
    labelled = painted(
        (1, A), (1, np.s_[3, 15:17, 15:17]), (2, np.s_[2, 15, 5:15]), (1, B)
    )
    names = stroke_components(labelled)
    z, y = labelled.coords[:, 0], labelled.coords[:, 1]
    first = set(names[(labelled.values == 1) & (y < 20)].tolist())
    assert len(first) == 1  # corners touch
    assert len(set(names.tolist())) == 3
    assert names[z == 4][0] not in first
