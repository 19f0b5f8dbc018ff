"""Labels of others: taken over whole or not at all; strokes are told apart."""

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from scipy import ndimage

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import (
    LabelStore,
    default_classes,
    labelled_voxels,
    stroke_components,
)

SHAPE = (6, 70, 130)


def sparse(dtype=np.uint8):
    rng = np.random.default_rng(1)
    return (rng.integers(1, 4, SHAPE) * (rng.random(SHAPE) > 0.99)).astype(dtype)


KINDS = {
    "numpy": np.asarray,
    "strided": lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
    "zarr": lambda a: zarr.array(a, chunks=(1, 40, 130)),
    "dask": lambda a: da.from_array(a, chunks=(4, 30, 50)),
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_labels_of_any_kind_are_taken_over(tmp_path, make):
    store = LabelStore.adopt(tmp_path / "s", make(sparse()), default_classes(3))
    np.testing.assert_array_equal(np.asarray(store.array), sparse())
    assert len(LabelStore.open(tmp_path / "s").labelled()) == np.count_nonzero(sparse())


@pytest.mark.parametrize("most", [100, 10**7])
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_labelled_voxels_are_the_same_however_they_are_read(make, most):
    found = labelled_voxels(make(sparse(np.int64)), most=most)
    np.testing.assert_array_equal(found.coords, np.argwhere(sparse()))
    np.testing.assert_array_equal(found.values, sparse()[sparse() > 0])


def test_labels_of_an_image_are_one_slice(tmp_path):
    store = LabelStore.adopt(tmp_path / "s", sparse()[0], default_classes(3))
    assert store.shape == (1, *SHAPE[1:])
    np.testing.assert_array_equal(np.asarray(store.array)[0], sparse()[0])


def test_labels_that_are_refused_leave_nothing_behind(tmp_path):
    labels = sparse(np.int32)
    labels[-1, -1, -1] = 256
    with pytest.raises(LabelError, match="256"):
        LabelStore.adopt(tmp_path / "s", labels, default_classes(3))
    store = LabelStore.adopt(tmp_path / "s", sparse(), default_classes(3))
    np.testing.assert_array_equal(np.asarray(store.array), sparse())


def test_labels_that_are_refused_leave_an_empty_store_empty(tmp_path):
    LabelStore.create(tmp_path / "s", SHAPE, default_classes(2)).close()
    with pytest.raises(LabelError, match="Label 3 belongs to no class"):
        LabelStore.adopt(tmp_path / "s", sparse(), default_classes(2))
    store = LabelStore.open(tmp_path / "s")
    assert store.counts() == {1: 0, 2: 0}
    assert not np.asarray(store.array).any()


def test_labels_of_another_shape_are_refused(tmp_path):
    LabelStore.create(tmp_path / "s", (6, 70, 131), default_classes(3)).close()
    with pytest.raises(LabelError, match=r"\(6, 70, 130\).*\(6, 70, 131\)"):
        LabelStore.adopt(tmp_path / "s", sparse(), default_classes(3))


def test_paint_is_never_lost_to_other_labels(tmp_path):
    store = LabelStore.create(tmp_path / "s", SHAPE, default_classes(3))
    store.array[0, 0, :5] = 1
    store.close()
    with pytest.raises(LabelError, match="would be lost"):
        LabelStore.adopt(tmp_path / "s", sparse(), default_classes(3))
    assert LabelStore.open(tmp_path / "s").counts() == {1: 5, 2: 0, 3: 0}


@given(
    hn.arrays(
        np.uint8,
        st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7)),
        elements=st.sampled_from([0, 0, 0, 1, 2]),
    )
)
@settings(max_examples=100, deadline=None)
def test_strokes_are_the_connected_components_of_each_class(labels):
    found = labelled_voxels(labels)
    names = stroke_components(found)
    for value in (1, 2):
        wanted, count = ndimage.label(labels == value, np.ones((3, 3, 3)))
        mine = names[found.values == value]
        theirs = wanted[labels == value]
        pairs = set(zip(mine.tolist(), theirs.tolist(), strict=True))
        assert len(pairs) == count == len(set(mine.tolist()))
    first, second = (set(names[found.values == v].tolist()) for v in (1, 2))
    assert not first & second
