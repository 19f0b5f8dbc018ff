"""The image of a project is opened at the level that was worked on."""

import numpy as np
import pytest
import tifffile

from napari_sashiko.labels import default_classes
from napari_sashiko.pipeline import Evidence, note_image, open_image, project_image
from napari_sashiko.pipeline.sources import Sources

SHAPE = (4, 32, 48)


@pytest.fixture
def pyramid(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
    size = {f"PhysicalSize{axis}": 1.5 for axis in "XYZ"}
    path = tmp_path / "scan.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(image, subifds=1, tile=(16, 16), metadata={"axes": "ZYX", **size})
        file.write(image[:, ::2, ::2], subfiletype=1, tile=(16, 16))
    return path


@pytest.mark.parametrize("level", [0, 1])
def test_a_project_opens_its_level(pyramid, level):
    volume = open_image(pyramid, level=level)
    folder = pyramid.with_name(f"scan level {level}.sashiko")
    note_image(folder, volume, pyramid, default_classes(2))
    found = project_image(folder)
    assert found.odd == ""
    assert found.volume.shape == volume.shape
    assert found.volume.voxel_size == volume.voxel_size


def test_a_report_looks_at_the_level_and_the_size_that_were_worked_on(pyramid):
    volume = open_image(pyramid, level=1)
    volume.voxel_size, volume.unit = (9.0, 3.0, 3.0), "nm"
    folder = pyramid.with_name("scan level 1.sashiko")
    note_image(folder, volume, pyramid, default_classes(2))
    seen = Evidence(Sources("scan", project=folder, image=pyramid)).volume
    assert seen.shape == volume.shape
    assert (seen.voxel_size, seen.unit) == ((9.0, 3.0, 3.0), "nm")
    given = pyramid.with_name("other.tif")
    tifffile.imwrite(given, np.zeros(SHAPE, np.uint8), photometric="minisblack")
    assert Evidence(Sources("", project=folder, image=given)).volume.shape == SHAPE


def test_an_image_that_was_never_like_that_is_opened_whole(pyramid):
    folder = pyramid.with_name("scan.sashiko")
    other = open_image(np.zeros((3, 5, 7), np.uint8))
    note_image(folder, other, pyramid, default_classes(2))
    assert project_image(folder).volume.shape == SHAPE


def test_one_channel_of_a_file_is_not_taken_for_all_of_them(tmp_path):
    both = np.random.default_rng(0).integers(0, 255, (2, *SHAPE), np.uint8)
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(path, both, metadata={"axes": "CZYX"})
    for seen, volume in (
        (1, open_image(both[1])),
        (2, open_image(path)),
    ):
        folder = tmp_path / f"{seen}.sashiko"
        note_image(folder, volume, path, default_classes(2))
        found = project_image(folder)
        if seen == 1:
            assert found.volume is None
            assert "one channel of" in found.odd
        else:
            assert found.volume.channels == 2
