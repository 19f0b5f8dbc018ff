"""What is made of an image never stands in the way of what is made of another one."""

import numpy as np
import pytest

from napari_sashiko.errors import SettingsError
from napari_sashiko.session import Exploration, Reconstruction, Restoration
from napari_sashiko.session.image_task import result_name
from napari_sashiko.volumes import as_volume

IMAGE = np.arange(2 * 8 * 9, dtype=np.float32).reshape(2, 8, 9)


def volume(size=1.0):
    return as_volume(IMAGE, voxel_size=(size, 1.0, 1.0), unit="um")


def test_another_voxel_size_or_way_is_another_result():
    name = result_name("net", volume(), {"filter": "ramp"})
    assert name.startswith("net ")
    assert name.endswith(".zarr")
    assert name == result_name("net", volume(), {"filter": "ramp"})
    others = {
        result_name("net", volume(2.0), {"filter": "ramp"}),
        result_name("net", volume(), {"filter": "hann"}),
        result_name("net", volume()),
    }
    assert name not in others
    assert len(others) == 3


class Asked:
    """An engine that notes where results go."""

    open_restored = open_reconstructed = None

    def __init__(self):
        self.places = []

    def model_digest(self, model):
        return model.name

    def PredictionSettings(self, **_values):  # noqa: N802 - its name there
        return None

    def predict_steps(self, _model, _volume, out, _settings):
        self.places.append(out)
        return (event for event in ())

    def reconstruct_steps(self, _volume, out, _making, **_options):
        self.places.append(out)
        return (event for event in ())


class Making:
    order = "slices"

    def model_dump(self, **_options):
        return {"filter": "ramp"}


@pytest.mark.parametrize("task", [Restoration, Reconstruction])
def test_tasks_name_their_results_so(tmp_path, task):
    engine = Asked()
    for size in (1.0, 1.0, 2.0):
        extra = {"making": Making()} if task is Reconstruction else {}
        made = task(volume(size), "image", None, model=tmp_path / "net", **extra)
        list(made.make(engine, tmp_path / "net", tmp_path))
    first, again, other = engine.places
    assert first == again != other
    assert first.parent == tmp_path


def test_nothing_is_learned_that_cannot_be_shown(tmp_path):
    class Engine:
        def check_method(self, method):
            raise SettingsError(f"{method} is not installed.")

    class Looking:
        method = "umap"

    task = Exploration(volume(), "image", None, settings=object(), looking=Looking())
    with pytest.raises(SettingsError, match="umap"):
        task.learn(Engine(), tmp_path / "m")
