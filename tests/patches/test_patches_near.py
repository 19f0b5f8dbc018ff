"""Voxels near held-out ones: the same by trees, by maps and by all distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from napari_sashiko.labels import labelled_voxels
from napari_sashiko.patches import _near, fold_labelled


@given(
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.02, 0.3, 1.0]),
    spacing=st.tuples(*[st.sampled_from([1.0, 1.5, 4.0])] * 3),
    guard=st.sampled_from([0.5, 1.0, 2.5, 6.0]),
    dense=st.sampled_from([0.0, 2.0]),
    slab=st.sampled_from([1, 500, 1 << 20]),
)
@settings(max_examples=80, deadline=None)
def test_near_is_what_all_distances_say(seed, share, spacing, guard, dense, slab):
    rng = np.random.default_rng(seed)
    coords = labelled_voxels((rng.random((9, 12, 11)) < share).astype("u1")).coords
    held = rng.random(len(coords)) < 0.05
    if not held.any():
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_near, "DENSE", dense)  # 0: always maps, 2: always trees
        patch.setattr(_near, "SLAB", slab)
        found = _near.near_held(coords, held, spacing, guard)
    places = coords * np.asarray(spacing)
    gaps = np.linalg.norm(places[:, None] - places[held][None], axis=2).min(axis=1)
    np.testing.assert_array_equal(found, gaps < guard)


def test_labels_of_every_voxel_are_dealt_in_seconds():
    labels = np.ones((60, 128, 128), np.uint8)
    labels[:, 64:] = 2
    labelled = labelled_voxels(labels)
    folds = fold_labelled(labelled, 3, guard=4)
    for number in range(3):
        held = folds.fold == number
        assert set(labelled.values[held].tolist()) == {1, 2}
        assert folds.train[number].sum() > len(labelled) / 3
        assert not (folds.train[number] & held).any()


def test_maps_are_no_larger_than_what_is_painted(monkeypatch):
    """Of a single filled slice, none reaches into slices around it."""
    sizes = []

    def measured(free, **options):
        sizes.append(free.size)
        return distance_transform_edt(free, **options)

    monkeypatch.setattr(_near, "distance_transform_edt", measured)
    labels = np.zeros((50, 60, 70), np.uint8)
    labels[20] = 1
    labels[20, :30] = 2
    fold_labelled(labelled_voxels(labels), 3, guard=20)
    assert sizes
    assert max(sizes) == 60 * 70


@given(
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.02, 0.3, 1.0]),
    reach=st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 6)),
    dense=st.sampled_from([0.0, 2.0]),
    slab=st.sampled_from([1, 500, 1 << 20]),
)
@settings(max_examples=80, deadline=None)
def test_within_reach_is_what_boxes_around_all_voxels_say(
    seed, share, reach, dense, slab
):
    rng = np.random.default_rng(seed)
    coords = labelled_voxels((rng.random((9, 12, 11)) < share).astype("u1")).coords
    drawn = rng.random(len(coords))
    seen, asked = drawn < 0.05, drawn > 0.6
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_near, "DENSE", dense)
        patch.setattr(_near, "SLAB", slab)
        found = _near.within_reach(coords, seen, asked, reach)
    gaps = np.abs(coords[:, None] - coords[seen][None])
    expected = asked & (gaps <= reach).all(axis=2).any(axis=1)
    np.testing.assert_array_equal(found, expected)
