"""A cluster writes the bytes of a single thread."""

import numpy as np
import pytest
from prediction_fakes import Blur, image_of

from napari_sashiko.errors import VolumeError
from napari_sashiko.prediction import PredictionSettings, predict
from napari_sashiko.volumes import as_volume, open_volume

pytest.importorskip("distributed")
SHAPE = (13, 14, 15)
SMALL = {"window": (10, 10, 10), "border": (2, 2, 2)}


def files(path):
    return {
        str(p.relative_to(path)): p.read_bytes()
        for p in path.rglob("*")
        if p.is_file() and p.name != "zarr.json"
    }


def test_a_cluster_writes_the_bytes_of_serial(tmp_path):
    np.save(tmp_path / "image.npy", image_of(SHAPE))
    volume = open_volume(tmp_path / "image.npy")
    for runner in ("serial", "dask"):
        settings = PredictionSettings(**SMALL, runner=runner, workers=1)
        list(predict(Blur(), volume, tmp_path / f"{runner}.zarr", settings))
    found = files(tmp_path / "dask.zarr")
    assert len(found) > 20
    assert found == files(tmp_path / "serial.zarr")


def test_an_image_in_memory_cannot_go_to_a_cluster(tmp_path):
    settings = PredictionSettings(**SMALL, runner="dask")
    volume = as_volume(image_of(SHAPE), name="painting")
    with pytest.raises(VolumeError, match=r"'painting'.*threads"):
        list(predict(Blur(), volume, tmp_path / "p.zarr", settings))
