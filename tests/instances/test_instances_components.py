"""Laws of objects: blocks and their order must not show."""

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from instances_predictions import write_prediction
from scipy import ndimage

from napari_sashiko.instances import InstanceSettings, segment_instances
from napari_sashiko.instances import components as components_room
from napari_sashiko.instances._blocks import block_shape, blocks
from napari_sashiko.instances._source import open_source
from napari_sashiko.instances.components import (
    exhaust,
    find_components,
    label_mask,
)
from napari_sashiko.runners import open_runner


def components_of(source, block):
    with open_runner("serial") as run:
        return exhaust(find_components(source, run, block))


def labels_of(source, components):
    """Objects as one array, by the laws of the second pass."""
    whole = np.zeros(source.shape, np.int64)
    offset = 0
    for _, _, region in blocks(source.shape, components.block):
        local, count = label_mask(source.mask(region), source.settings.connectivity)
        final = np.concatenate([[0], components.roots[offset : offset + count] + 1])
        whole[region] = final[local]
        offset += count
    return whole


def whole_labels(mask, connectivity):
    """Objects of an array in memory, by another library."""
    reach = {6: 1, 18: 2, 26: 3}[connectivity]
    return ndimage.label(mask, ndimage.generate_binary_structure(3, reach))


def same_up_to_names(a, b):
    """Whether two labelled arrays have the same objects."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 11)] * 3),
    block=st.tuples(*[st.integers(1, 6)] * 3),
    density=st.sampled_from([0.1, 0.3, 0.6, 0.95]),
    connectivity=st.sampled_from([6, 18, 26]),
    seed=st.integers(0, 2**16),
)
def test_blocks_give_the_objects_of_the_whole(
    shape, block, density, connectivity, seed
):
    mask = np.random.default_rng(seed).random(shape) < density
    with tempfile.TemporaryDirectory() as folder:
        path = write_prediction(Path(folder) / "p.zarr", mask)
        source = open_source(
            path, InstanceSettings(label_class=2, connectivity=connectivity)
        )
        components = components_of(source, block)
        found = labels_of(source, components)
    truth, count = whole_labels(mask, connectivity)
    assert len(components.sizes) == count
    assert same_up_to_names(found, truth)
    expected = np.sort(np.bincount(truth.ravel(), minlength=count + 1)[1:])
    assert np.array_equal(np.sort(components.sizes), expected)


@pytest.mark.parametrize(
    ("step", "touching"),
    [
        ((0, 0, 1), {6, 18, 26}),
        ((0, 1, -1), {18, 26}),
        ((1, 0, -1), {18, 26}),
        ((1, -1, 0), {18, 26}),
        ((1, 1, 1), {26}),
        ((1, -1, 1), {26}),
        ((1, 1, -1), {26}),
        ((1, -1, -1), {26}),
    ],
)
@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_ties_cross_faces_edges_and_corners_of_blocks(
    tmp_path, step, touching, connectivity
):
    mask = np.zeros((8, 8, 8), bool)
    first = np.where(np.array(step) < 0, 4, 3)
    mask[tuple(first)] = True
    mask[tuple(first + np.array(step))] = True
    path = write_prediction(tmp_path / "p.zarr", mask)
    source = open_source(
        path, InstanceSettings(label_class=2, connectivity=connectivity)
    )
    count = len(components_of(source, (4, 4, 4)).sizes)
    assert count == (1 if connectivity in touching else 2)


def test_a_snake_through_all_blocks_is_one_object(tmp_path):
    mask = np.zeros((3, 41, 41), bool)
    mask[1, ::2] = True
    mask[1, 1::4, -1] = True
    mask[1, 3::4, 0] = True
    path = write_prediction(tmp_path / "p.zarr", mask)
    source = open_source(path, InstanceSettings(label_class=2, connectivity=6))
    assert len(components_of(source, (1, 7, 7)).sizes) == 1


@given(
    shape=st.tuples(*[st.integers(1, 5000)] * 3),
    chunk=st.tuples(*[st.integers(1, 128)] * 3),
)
def test_blocks_are_whole_chunks_of_bounded_size(shape, chunk):
    chunk = tuple(min(c, n) for c, n in zip(chunk, shape, strict=True))
    block = block_shape(shape, chunk, 1 << 22)
    assert all(b % c == 0 for b, c in zip(block, chunk, strict=True))
    assert np.prod(block) <= 1 << 22


@pytest.mark.parametrize("split", ["no", "distance"])
def test_memory_does_not_grow_with_the_volume(tmp_path, monkeypatch, split):
    monkeypatch.setattr(
        components_room, "block_shape", lambda shape, chunk: (16, 64, 64)
    )

    def peak(depth):
        plane = np.random.default_rng(0).random((1, 64, 64)) < 0.02
        mask = np.repeat(plane, depth, axis=0)
        path = write_prediction(tmp_path / f"{depth}.zarr", mask, chunks=(16, 64, 64))
        tracemalloc.start()
        try:
            for _ in segment_instances(
                path,
                tmp_path / f"{depth}-labels.zarr",
                InstanceSettings(label_class=2, split=split),
                tmp_path / "table.csv",
            ):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(32)
    assert peak(512) < 2.5 * peak(64)


def test_labels_on_disk_are_the_objects_of_the_mask(prediction, tmp_path):
    mask = np.random.default_rng(3).random((20, 21, 22)) < 0.25
    path = prediction(mask)
    out = tmp_path / "labels.zarr"
    list(segment_instances(path, out, InstanceSettings(label_class="fibre")))
    labels = zarr.open_array(str(out / "labels" / "0"), mode="r")[...]
    assert labels.dtype == np.uint32
    assert same_up_to_names(labels, whole_labels(mask, 26)[0])
    sizes = np.bincount(labels.ravel())[1:]
    assert (np.diff(sizes) <= 0).all()
