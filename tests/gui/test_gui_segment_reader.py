"""Results dropped into napari become layers; other folders are left to others."""

import numpy as np
import pytest
import zarr
from gui_trained import VOXEL_SIZE, balls

from napari_sashiko import pipeline
from napari_sashiko.gui.reader import get_reader
from napari_sashiko.runners import open_runner
from napari_sashiko.volumes import create_ome_image, open_levels, pyramid, write_levels


def test_a_prediction_becomes_layers_with_its_voxel_size(make_napari_viewer, predicted):
    viewer = make_napari_viewer()
    viewer.open(str(predicted), plugin="napari-sashiko")
    names = [layer.name for layer in viewer.layers]
    assert names == ["balls - mean ball", "balls - std", "balls - classes"]
    for layer in viewer.layers:
        assert tuple(layer.scale) == VOXEL_SIZE
        assert str(layer.units[0]) == "micrometer"
    classes = np.asarray(viewer.layers[2].data)
    assert ((classes == 2) == balls()[1]).mean() > 0.97
    assert not viewer.layers[2].editable  # nothing is painted on what is on the disk


def test_instances_become_a_labels_layer(make_napari_viewer, predicted, tmp_path):
    out = tmp_path / "found.zarr"
    for _ in pipeline.instance_steps(predicted, out):
        pass
    viewer = make_napari_viewer()
    viewer.open(str(out), plugin="napari-sashiko")
    assert [layer.name for layer in viewer.layers] == ["found - instances"]
    assert tuple(viewer.layers[0].scale) == VOXEL_SIZE
    assert np.asarray(viewer.layers[0].data).max() > 0
    assert not viewer.layers[0].editable
    own = viewer.add_labels(np.zeros((4, 8, 8), np.uint8))
    assert own.editable


def test_prediction_sets_become_a_labels_layer(make_napari_viewer, tmp_path):
    out = tmp_path / "sets.zarr"
    group = zarr.create_group(str(out))
    sizes = np.random.default_rng(0).integers(0, 3, (4, 8, 9), np.uint8)
    create_ome_image(
        group, "sizes", shape=sizes.shape, chunks=sizes.shape, dtype="uint8",
        axes="zyx", voxel_size=VOXEL_SIZE, unit="micrometer",
    )[...] = sizes  # fmt: skip
    classes = [{"name": "background"}, {"name": "ball"}]
    group.attrs["sashiko"] = {"kind": "sets", "classes": classes, "coverage": 0.9}
    viewer = make_napari_viewer()
    viewer.open(str(out), plugin="napari-sashiko")
    (layer,) = viewer.layers
    assert layer.name == "sets - set sizes"
    assert not layer.multiscale
    assert tuple(layer.scale) == VOXEL_SIZE
    np.testing.assert_array_equal(np.asarray(layer.data), sizes)
    assert list(layer.features["set"]) == ["like no class", "1 class", "2 classes"]


def test_a_reconstruction_becomes_a_layer_of_each_way(make_napari_viewer, tmp_path):
    angles = np.linspace(0, 180, 12, endpoint=False)
    sinograms = np.random.default_rng(0).random((3, len(angles), 16), np.float32)
    for _ in pipeline.reconstruct_steps(sinograms, tmp_path / "r.zarr"):
        pass
    viewer = make_napari_viewer()
    viewer.open(str(tmp_path / "r.zarr"), plugin="napari-sashiko")
    assert [layer.name for layer in viewer.layers] == ["r - back-projection"]
    found = pipeline.open_reconstructed(tmp_path / "r.zarr")
    shown = np.asarray(viewer.layers[0].data)
    np.testing.assert_array_equal(shown, found.images["fbp"][0])


@pytest.mark.parametrize("kind", ["sets", "reconstruction"])
def test_large_results_bring_their_levels(
    make_napari_viewer, tmp_path, monkeypatch, kind
):
    monkeypatch.setattr(pyramid, "MOST", 8)
    monkeypatch.setattr(pyramid, "LEAST", 4)
    out = tmp_path / "large.zarr"
    if kind == "reconstruction":
        sinograms = np.random.default_rng(0).random((3, 12, 32), np.float32)
        for _ in pipeline.reconstruct_steps(sinograms, out):
            pass
        image, found = "fbp", pipeline.open_reconstructed
    else:
        group = zarr.create_group(str(out))
        sizes = np.random.default_rng(0).integers(0, 3, (4, 30, 40), np.uint8)
        create_ome_image(
            group, "sizes", shape=sizes.shape, chunks=sizes.shape, dtype="uint8",
            axes="zyx", voxel_size=VOXEL_SIZE, unit="micrometer",
        )[...] = sizes  # fmt: skip
        classes = [{"name": "background"}, {"name": "ball"}]
        record = {"kind": "sets", "classes": classes, "coverage": 0.9}
        group.attrs["sashiko"] = record
        with open_runner() as run:
            list(write_levels(out / "sizes", "commonest", run))
        image, found = "sizes", pipeline.open_sets
    assert found(out).coarser
    viewer = make_napari_viewer()
    viewer.open(str(out), plugin="napari-sashiko")
    (layer,) = viewer.layers
    assert layer.multiscale
    levels = open_levels(out / image)
    assert len(layer.data) == len(levels) > 1
    coarsest = np.asarray(levels[-1])
    shown = np.asarray(layer.data[-1])
    np.testing.assert_array_equal(shown, coarsest.reshape(shown.shape))


def test_other_folders_are_left_to_other_readers(tmp_path):
    other = tmp_path / "other.zarr"
    other.mkdir()
    assert get_reader(str(other)) is None
    (other / "zarr.json").write_text('{"attributes": {"ome": {}}}')
    assert get_reader(str(other)) is None
    (other / "zarr.json").write_text("not json")
    assert get_reader(str(other)) is None
    assert get_reader([str(other)]) is None
