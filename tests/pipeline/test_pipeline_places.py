"""Places through the one door: by a model or by a prediction, as rows of a table."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import napari_sashiko as ns
from napari_sashiko.errors import LabelError, ModelError, SettingsError
from napari_sashiko.pipeline import PlacesFound, Progress


@pytest.fixture(scope="module")
def made(arrays, fast, tmp_path_factory):
    """A forest alone, and its prediction of the image that it was trained on."""
    folder = tmp_path_factory.mktemp("places")
    model, prediction = folder / "m.sashiko-model", folder / "p.zarr"
    ns.train(arrays[0], arrays[1], model, classes=["resin", "fibre"], **fast)
    ns.predict(model, arrays[0], prediction, device="cpu")
    return SimpleNamespace(model=model, prediction=prediction)


@pytest.mark.parametrize("source", ["model", "prediction"])
def test_a_stroke_painted_wrong_is_listed_and_the_right_ones_are_not(
    made, arrays, source
):
    labels = arrays[1].copy()
    labels[5, 20, 6:30] = 2  # between the bars
    labels[5, 21, 6:30] = 0
    labels[5, 19, 6:30] = 0
    said = []
    found = ns.find_places(
        getattr(made, source), arrays[0], labels, report=said.append, apart=8
    )
    assert isinstance(found, PlacesFound)
    assert [p.classes for p in found.disagrees] == [(2, 1)]
    z, y, x = found.disagrees[0].coords
    assert labels[z, y, x] == 2
    assert (z, y) == (5, 20)
    assert any(isinstance(event, Progress) for event in said)
    assert found.unsure
    assert all(p.std > 0 for p in found.unsure)  # of the forest's trees


def test_places_make_a_table(made, arrays):
    found = ns.find_places(made.model, arrays[0], count=5, apart=4)
    table = pd.DataFrame(list(found.places))
    assert len(table) == 5
    assert list(table["score"]) == sorted(table["score"], reverse=True)
    assert (table["kind"] == "unsure").all()


def test_what_is_neither_model_nor_prediction_is_refused(arrays, tmp_path):
    with pytest.raises(ModelError):
        ns.find_places(tmp_path / "none", arrays[0])


def test_labels_of_another_image_and_unknown_settings_are_refused(made, arrays):
    with pytest.raises(LabelError, match="shape"):
        ns.find_places(made.model, arrays[0], arrays[1][:, ::2])
    with pytest.raises(LabelError, match="Nothing is labelled"):
        ns.find_places(made.model, arrays[0], np.zeros_like(arrays[1]))
    with pytest.raises(SettingsError, match="count"):
        ns.find_places(made.model, arrays[0], number=3)
