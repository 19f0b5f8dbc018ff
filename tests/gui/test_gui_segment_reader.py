"""Results dropped into napari become layers; other folders are left to others."""

import numpy as np
from gui_trained import VOXEL_SIZE, balls

from napari_sashiko import pipeline
from napari_sashiko.gui.reader import get_reader


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


def test_instances_become_a_labels_layer(make_napari_viewer, predicted, tmp_path):
    out = tmp_path / "found.zarr"
    for _ in pipeline.instance_steps(predicted, out):
        pass
    viewer = make_napari_viewer()
    viewer.open(str(out), plugin="napari-sashiko")
    assert [layer.name for layer in viewer.layers] == ["found - instances"]
    assert tuple(viewer.layers[0].scale) == VOXEL_SIZE
    assert np.asarray(viewer.layers[0].data).max() > 0


def test_other_folders_are_left_to_other_readers(tmp_path):
    other = tmp_path / "other.zarr"
    other.mkdir()
    assert get_reader(str(other)) is None
    (other / "zarr.json").write_text('{"attributes": {"ome": {}}}')
    assert get_reader(str(other)) is None
    (other / "zarr.json").write_text("not json")
    assert get_reader(str(other)) is None
    assert get_reader([str(other)]) is None
