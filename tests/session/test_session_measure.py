"""The desk finds the model of a prediction and measures with its members."""

import shutil
import time

import numpy as np
import pytest

import napari_sashiko as ns
from napari_sashiko import pipeline
from napari_sashiko.checkpoints import model_digest
from napari_sashiko.pipeline.kept_models import kept_models
from napari_sashiko.session import Session
from napari_sashiko.volumes import as_volume


@pytest.fixture(scope="module")
def bars():
    """An image of two bars, and a few strokes."""
    rng = np.random.default_rng(0)
    truth = np.ones((8, 36, 36), np.uint8)
    truth[:, 6:14, 4:30] = 2
    truth[:, 22:30, 4:30] = 2
    image = np.where(truth == 2, 130, 60) + rng.normal(0, 12, truth.shape)
    labels = np.where(rng.random(truth.shape) < 0.05, truth, 0).astype(np.uint8)
    return image.astype(np.float32), labels


@pytest.fixture
def desk(bars, tmp_path):
    """A desk with the image, a model of it and its prediction."""
    desk = Session(pipeline)
    desk.set_volume(as_volume(bars[0], voxel_size=(2, 1, 1), unit="um"), name="bars")
    for name, seed in (("other", 1), ("mine", 0)):
        out = desk.place("models") / f"{name}.sashiko-model"
        forest = {"members": 0, "trees": 4, "device": "cpu", "seed": seed}
        ns.train(desk.volume, bars[1], out, classes=["resin", "fi/bre"], **forest)
    cut = {"window": (8, 20, 20), "border": (0, 2, 2), "device": "cpu", "workers": 1}
    ns.predict(out, desk.volume, desk.place("predictions") / "p.zarr", **cut)
    yield desk
    desk.shutdown()


def measure(desk, prediction="p.zarr", **settings):
    """Measure, and pump until it is over; returns messages."""
    chosen = pipeline.InstanceSettings(label_class=2, **settings)
    return finish(
        desk,
        "measure",
        lambda: desk.steps.measure(desk.folder / "predictions" / prediction, chosen),
    )


def finish(desk, kind, start):
    """Start a job and pump until it is over; returns messages."""
    said = []
    desk.message.connect(lambda text, level: said.append((level, text)))
    start()
    deadline = time.monotonic() + 60
    while desk.is_running(kind):
        assert time.monotonic() < deadline
        desk.pump()
        time.sleep(0.01)
    desk.pump()
    return said


def test_it_measures_with_the_model_of_the_prediction_and_cuts_alike(desk):
    assert [level for level, _ in measure(desk, dust="20") if level == "error"] == []
    (folder,) = (desk.folder / "measurements").glob("p_fi_bre")
    found = pipeline.read_measurements(folder)
    assert found.model == "mine.sashiko-model"
    assert found.count.mean == 2
    assert found.settings["cut"]["window"] == [8, 20, 20]
    record = pipeline.Project.open(desk.folder).record.settings["measure"]
    assert record["dust"] == "20"
    assert (record["workers"], record["device"]) == (1, "cpu")


def test_what_segmented_is_kept_when_training_goes_on(desk, bars):
    model = desk.folder / "models" / "mine.sashiko-model"
    out = desk.place("predictions") / "mine.zarr"

    def segment(**more):
        cut = {"window": (8, 20, 20), "border": (0, 2, 2), "workers": 1}
        settings = pipeline.PredictionSettings(device="cpu", **cut, **more)
        said = finish(desk, "predict", lambda: desk.steps.predict(model, settings))
        return [text for level, text in said if level == "error"]

    assert segment() == []
    (kept,) = kept_models(out)
    before = model_digest(model)
    assert model_digest(kept) == before == pipeline.open_prediction(out).model_digest
    # As training does that stays on: the same folder, after the next stroke.
    forest = {"members": 0, "trees": 5, "device": "cpu", "seed": 3}
    ns.train(desk.volume, bars[1], model, classes=["resin", "fi/bre"], **forest)
    assert [
        text for level, text in measure(desk, "mine.zarr") if level == "error"
    ] == []
    (folder,) = (desk.folder / "measurements").glob("mine_fi_bre")
    assert pipeline.read_measurements(folder).model == "mine.sashiko-model"
    (refusal,) = segment()
    assert "made with another model" in refusal
    assert model_digest(kept) == before
    assert segment(overwrite=True) == []
    (newer,) = kept_models(out)
    assert kept.exists()  # the other prediction is of it
    assert model_digest(newer) == model_digest(model) != before
    # Nothing is lost where it never starts.
    (refusal,) = segment(overwrite=True, runner="dask", scheduler="tcp://127.0.0.1:1")
    assert pipeline.open_prediction(out).model_digest == model_digest(newer)
    shutil.rmtree(out.with_name("p.zarr"))
    assert segment() == []
    assert not kept.exists()
    assert model in desk.models()
    assert newer not in desk.models()


def test_a_model_that_was_trained_again_is_missed(desk, bars):
    out = desk.place("models") / "mine.sashiko-model"
    forest = {"members": 0, "trees": 5, "device": "cpu", "seed": 3}
    ns.train(desk.volume, bars[1], out, classes=["resin", "fi/bre"], **forest)
    said = measure(desk)
    assert [text for level, text in said if level == "error" and "p.zarr" in text]
