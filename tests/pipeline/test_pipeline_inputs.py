"""Images and labels from outside: any form, names of classes, one clear sentence."""

import json

import numpy as np
import pytest
import tifffile

from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.pipeline import (
    LabelStore,
    as_volume,
    default_classes,
    labelled_voxels,
    open_image,
    read_paint,
)
from napari_sashiko.pipeline.inputs import open_beside, size_warning
from napari_sashiko.volumes import full_region


def test_a_volume_is_handed_through_and_an_array_wrapped():
    array = np.zeros((3, 4, 5), ">i2")[:, ::-1]
    volume = as_volume(array)
    assert open_image(volume) is volume
    wrapped = open_image(array)
    assert wrapped.shape == (3, 4, 5)
    assert wrapped.read((slice(0, 1), slice(0, 2), slice(0, 2))).dtype == np.int16


def test_labels_of_any_form_give_the_same_voxels(tmp_path, arrays):
    labels = arrays[1]
    np.save(tmp_path / "labels.npy", labels)
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    store = LabelStore.adopt(tmp_path / "store", labels, default_classes(2))
    store.close()
    wanted = labelled_voxels(labels)
    forms = [
        labels,
        labels.astype(np.int64),
        tmp_path / "labels.npy",
        str(tmp_path / "labels.tif"),
        tmp_path / "store",
        wanted,
    ]
    for form in forms:
        found = read_paint(form).labelled
        np.testing.assert_array_equal(found.coords, wanted.coords)
        np.testing.assert_array_equal(found.values, wanted.values)
        assert tuple(found.shape) == labels.shape


def test_names_given_win_over_names_beside_the_file(tmp_path, arrays):
    np.save(tmp_path / "labels.npy", arrays[1])
    rows = [each.model_dump() for each in default_classes(2)]
    rows[1]["name"] = "fibre"
    (tmp_path / "labels.classes.json").write_text(json.dumps(rows))
    path = tmp_path / "labels.npy"
    assert [c.name for c in read_paint(path).classes] == ["background", "fibre"]
    given = read_paint(path, ["resin", " void"]).classes
    assert [(c.id, c.name) for c in given] == [(1, "resin"), (2, "void")]


def test_an_unpainted_class_does_not_renumber_the_others():
    labels = np.zeros((2, 8, 8), np.uint8)
    labels[0, 0], labels[1, 1] = 1, 4
    assert [c.id for c in read_paint(labels).classes] == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["[{]", '[{"id": 0}]', "3"])
def test_damaged_names_are_refused_with_the_path(tmp_path, arrays, text):
    np.save(tmp_path / "labels.npy", arrays[1])
    (tmp_path / "labels.classes.json").write_text(text)
    with pytest.raises(LabelError, match=r"labels\.classes\.json"):
        read_paint(tmp_path / "labels.npy")


def test_labels_in_colour_are_refused():
    volume = as_volume(np.ones((3, 2, 8, 8), np.uint8), axes="czyx")
    with pytest.raises(LabelError, match="3 channels"):
        read_paint(volume)


def test_four_axes_without_names_are_refused_and_with_names_read():
    array = np.zeros((2, 3, 8, 8), np.uint8)
    with pytest.raises(VolumeError, match=r"\(2, 3, 8, 8\)"):
        open_image(array)
    assert open_image(array, axes="czyx").channels == 2


def test_labels_of_another_scale_are_remarked_on():
    image = as_volume(np.ones((2, 8, 8)), voxel_size=(1, 1, 1), unit="um")
    labels = np.ones((2, 8, 8), np.uint8)
    same = as_volume(labels, voxel_size=(1, 1, 1.001), unit="um")
    other = as_volume(labels, voxel_size=(2, 1, 1), unit="um")
    unknown = as_volume(labels)
    assert size_warning(read_paint(same), image) == ""
    assert size_warning(read_paint(unknown), image) == ""
    assert "2 x 1 x 1" in size_warning(read_paint(other), image)


def write_pyramid(path, levels):
    """A TIFF with coarser levels of its slices."""
    with tifffile.TiffWriter(path) as file:
        for number, plane in enumerate(levels[0]):
            file.write(plane, subifds=len(levels) - 1, metadata=None)
            for each in levels[1:]:
                file.write(each[number], subfiletype=1, metadata=None)


def test_what_lies_beside_an_image_is_read_at_the_level_that_fits(tmp_path):
    truth = np.random.default_rng(0).integers(1, 3, (4, 32, 48), np.uint8)
    path = tmp_path / "truth.tif"
    write_pyramid(path, [truth, truth[:, ::2, ::2], truth[:, ::4, ::4]])
    for step in (1, 2, 4):
        wanted = truth[:, ::step, ::step]
        found = open_beside(path, as_volume(np.zeros(wanted.shape)).stacking)
        np.testing.assert_array_equal(found.read(full_region(found.shape))[0], wanted)
    none = open_beside(path, as_volume(np.zeros((4, 30, 40))).stacking)
    assert none.shape == truth.shape  # whoever compares says so
    paint = read_paint(path, image=as_volume(np.zeros((4, 16, 24))))
    assert paint.labelled.shape == (4, 16, 24)
