"""The steps: nothing lost when stopped, the same result by every way in."""

import subprocess
import sys

import numpy as np
import pytest
import zarr
from safetensors.numpy import load_file

import napari_sashiko as ns
from napari_sashiko.errors import ModelError, OutputError, SettingsError
from napari_sashiko.labels import default_classes, labelled_voxels
from napari_sashiko.pipeline import (
    CellDone,
    MemberSaved,
    Message,
    TrainingRested,
    TrainingWaits,
    as_volume,
    check_prediction,
    estimate,
    list_models,
    live_steps,
    load_card,
    open_model,
    open_prediction,
    predict_steps,
    preview,
    read_paint,
    train_steps,
    training_settings,
)


@pytest.fixture(scope="module")
def model(arrays, fast, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "m.sashiko-model"
    ns.train(arrays[0], arrays[1], out, classes=["resin", "fibre"], **fast)
    return out


def _mean(path):
    return np.asarray(zarr.open_group(str(path), mode="r")["mean/0"])


def test_importing_the_door_loads_no_torch():
    code = "import sys, napari_sashiko.pipeline; print('torch' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def test_every_public_name_is_there():
    door = ns.pipeline
    assert [name for name in door.__all__ if not hasattr(door, name)] == []


def test_a_stopped_training_leaves_a_model_that_predicts(tmp_path, arrays):
    settings = training_settings(members=2, epochs=1000, trees=4, device="cpu")
    out = tmp_path / "m.sashiko-model"
    steps = train_steps(arrays[0], arrays[1], None, settings, out)
    for event in steps:
        if isinstance(event, MemberSaved):
            break
    steps.close()
    ns.predict(out, arrays[0], tmp_path / "o.zarr", device="cpu")
    mean = _mean(tmp_path / "o.zarr").astype(float)
    np.testing.assert_allclose(mean.sum(axis=0), 1, atol=2e-3)


def test_a_stopped_prediction_goes_on_and_equals_an_uninterrupted_one(
    tmp_path, arrays, model
):
    options = {"window": (10, 24, 24), "border": (0, 4, 4), "device": "cpu"}
    whole, halves = tmp_path / "whole.zarr", tmp_path / "halves.zarr"
    ns.predict(model, arrays[0], whole, **options)
    settings = ns.pipeline.PredictionSettings(**options, runner="serial")
    steps = predict_steps(model, arrays[0], halves, settings)
    next(event for event in steps if isinstance(event, CellDone))
    steps.close()
    volume = as_volume(arrays[0])
    done, total = check_prediction(model, volume, halves)
    assert 0 < done < total
    assert open_prediction(halves).done == done
    again = []
    ns.predict(model, arrays[0], halves, report=again.append, **options)
    assert sum(isinstance(event, CellDone) for event in again) == total - done
    np.testing.assert_array_equal(_mean(whole), _mean(halves))


def test_the_preview_of_a_region_equals_the_prediction(tmp_path, arrays, model):
    ns.predict(model, arrays[0], tmp_path / "o.zarr", device="cpu")
    region = (slice(4, 5), slice(0, 40), slice(0, 40))
    found = preview(model, as_volume(arrays[0]), region, device="cpu")
    np.testing.assert_allclose(
        found.mean, _mean(tmp_path / "o.zarr")[:, 4:5].astype(np.float32), atol=1e-3
    )
    assert found.mean.shape == found.std.shape == (2, 1, 40, 40)
    assert set(np.unique(found.classes)) <= {1, 2}
    assert set(found.voices) <= {"forest", "network"}


def test_an_open_model_is_kept_until_it_is_written_anew(arrays, fast, tmp_path):
    out = tmp_path / "m.sashiko-model"
    ns.train(arrays[0], arrays[1], out, **fast)
    first = open_model(out, "cpu")
    assert open_model(out, "cpu") is first
    ns.train(arrays[0], arrays[1], out, **fast | {"trees": 6})
    assert open_model(out, "cpu") is not first


def test_models_are_listed_newest_first(model):
    assert list_models(model.parent) == [model]
    assert [each.name for each in load_card(model).classes] == ["resin", "fibre"]


def test_an_estimate_knows_the_size_of_the_output(arrays, model):
    said = estimate(model, as_volume(arrays[0]))
    voxels = arrays[0].size
    assert said.disk_bytes == voxels * (2 * 2 * 2 + 1)  # mean, std float16; classes
    assert said.seconds is None
    measured = estimate(model, as_volume(arrays[0]), measure=True)
    assert measured.seconds > 0


def test_a_prediction_of_another_image_is_not_gone_on_with(tmp_path, arrays, model):
    ns.predict(model, arrays[0], tmp_path / "o.zarr", device="cpu")
    other = as_volume(arrays[0][::-1].copy())
    with pytest.raises(OutputError, match="another image"):
        check_prediction(model, other, tmp_path / "o.zarr")
    assert check_prediction(model, other, tmp_path / "none.zarr") is None


def test_a_model_that_cannot_be_written_is_refused_before_training(
    tmp_path, arrays, fast
):
    (tmp_path / "taken").write_text("x")
    said = []
    with pytest.raises(OutputError, match="is a file"):
        ns.train(*arrays[:2], tmp_path / "taken" / "m", report=said.append, **fast)
    assert said == []


def test_epochs_without_minutes_means_no_limit_in_minutes():
    assert training_settings(epochs=3).minutes is None
    assert training_settings(epochs=3, minutes=1).minutes == 1
    assert training_settings().minutes is not None


def test_an_unknown_setting_is_answered_with_those_that_there_are(arrays, tmp_path):
    with pytest.raises(SettingsError, match="members"):
        ns.train(*arrays[:2], tmp_path / "m.sashiko-model", colour=3)


def test_odd_paint_from_outside_is_remarked_on_and_checked_paint_is_not(
    arrays, fast, tmp_path
):
    labels = arrays[1].copy()
    labels[4:] = 0  # one slice only
    settings = training_settings(**fast)
    said = []
    for form in (labels, read_paint(labels).labelled):
        steps = train_steps(
            arrays[0], form, None, settings, tmp_path / "m.sashiko-model"
        )
        said.append(
            [e for e in steps if isinstance(e, Message) and e.level == "warning"]
        )
    assert any("slice" in event.text for event in said[0])
    assert said[1] == []


def test_a_flat_image_gives_flat_results(arrays, fast, tmp_path):
    image, labels = arrays[0][3], arrays[1][3]
    ns.train(image, labels, tmp_path / "m.sashiko-model", **fast)
    ns.predict(tmp_path / "m.sashiko-model", image, tmp_path / "o.zarr", device="cpu")
    found = open_prediction(tmp_path / "o.zarr")
    assert found.mean.shape == (2, 40, 40)
    assert found.class_ids.shape == (40, 40)
    done = ns.segment_instances(tmp_path / "o.zarr", tmp_path / "i.zarr", label_class=2)
    assert done.count == 2
    scores = ns.evaluate(tmp_path / "o.zarr", arrays[2][3])
    assert scores.voxels == 1600


@pytest.fixture(scope="module")
def networked(arrays, fast, tmp_path_factory):
    """Settings with one small network, and a model that was made with them."""
    small = {
        "members": 1,
        "network": "tunet",
        "network_settings": {"depth": 2, "base_channels": 4},
        "epochs": 1,
        "minutes": None,
        "patch": 16,
        "batch": 2,
        "dims": "2",
    }
    out = tmp_path_factory.mktemp("models") / "n.sashiko-model"
    ns.train(arrays[0], arrays[1], out, classes=["resin", "fibre"], **fast | small)
    return out, fast | small


def test_training_goes_on_from_a_model_by_the_names_of_its_classes(
    networked, arrays, tmp_path
):
    """Classes in another order, and one that is new."""
    image, labels = arrays[:2]
    start, settings = networked
    other = np.select([labels == 1, labels == 2], [3, 1], 0).astype(np.uint8)
    other[-1, -1, -6:] = 2
    out = tmp_path / "more.sashiko-model"
    said = []
    names = ["Fibre ", "void", "resin"]
    asked = settings | {"dims": "auto", "network": "auto", "network_settings": {}}
    ns.train(image, other, out, classes=names, start=start, report=said.append, **asked)
    texts = [event.text for event in said if isinstance(event, Message)]
    assert any("learned from this image before" in text for text in texts)
    before, after = load_card(start), load_card(out)
    assert [c.id for c in after.classes] == [1, 2, 3]
    assert after.members[-1].spec["settings"] == before.members[-1].spec["settings"]
    assert "earlier model" in " ".join(after.training["reasons"])


class Pad:
    """Paint that begins with one class, and with names that change."""

    def __init__(self, labels, names):
        self.labels = np.where(labels == 1, labels, 0)
        self.version = 0
        self.call(*names)

    def call(self, *names):
        self.classes = tuple(
            each.model_copy(update={"name": name})
            for each, name in zip(default_classes(2), names, strict=True)
        )
        self.version += 1

    def read(self):
        return labelled_voxels(self.labels), self.classes


def head(path):
    """The output layer's weights, a row for each class."""
    found = load_file(path / load_card(path).members[-1].file)
    return {name: each for name, each in found.items() if name.startswith("head")}


def test_classes_that_are_named_after_the_start_are_known(networked, arrays, tmp_path):
    start, settings = networked
    out = tmp_path / "live.sashiko-model"
    pad = Pad(arrays[1], ("background", "foreground"))
    asked = training_settings(
        **settings | {"network": "auto", "network_settings": {}, "learning_rate": 1e-9}
    )
    steps = live_steps(arrays[0], pad, asked, out, start=start)
    for event in steps:
        if isinstance(event, TrainingWaits):
            pad.call("fibre", "resin")  # the other way round
            pad.labels = arrays[1]
            pad.version += 1
        if isinstance(event, TrainingRested):
            break
    steps.close()
    before, after = head(start), head(out)
    assert before
    for name, rows in before.items():
        np.testing.assert_allclose(after[name], rows[::-1], atol=1e-4)


def test_another_network_than_the_models_is_refused(networked, arrays, tmp_path):
    start, settings = networked
    asked = settings | {"network": "smsnet", "network_settings": {}}
    out = tmp_path / "m.sashiko-model"
    with pytest.raises(SettingsError, match="of the kind tunet, asked for is smsnet"):
        ns.train(arrays[0], arrays[1], out, start=start, **asked)
    assert not out.exists()


def test_a_forest_has_no_networks_to_go_on_with(model, networked, arrays, tmp_path):
    out = tmp_path / "m.sashiko-model"
    with pytest.raises(ModelError, match="no networks"):
        ns.train(arrays[0], arrays[1], out, start=model, **networked[1])
