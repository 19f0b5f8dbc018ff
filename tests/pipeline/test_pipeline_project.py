"""The project folder: found again, moved, never half written, never overwritten."""

import json
import shutil

import numpy as np
import pytest

from napari_sashiko.errors import OutputError
from napari_sashiko.pipeline import (
    PredictionSettings,
    Project,
    default_classes,
    describe,
    train,
)
from napari_sashiko.pipeline import project as project_file


def test_what_is_noted_is_found_again(tmp_path):
    image = tmp_path / "scan.tif"
    project = Project.create(tmp_path / "scan.sashiko", image)
    project.note(classes=default_classes(3), predict=PredictionSettings(workers=3))
    again = Project.open(tmp_path / "scan.sashiko")
    assert again.record == project.record
    assert again.image == image
    assert [each.id for each in again.record.classes] == [1, 2, 3]
    assert again.record.settings["predict"]["workers"] == 3


def test_a_project_moves_together_with_its_image(tmp_path):
    (tmp_path / "here").mkdir()
    Project.create(tmp_path / "here" / "a.sashiko", tmp_path / "here" / "a.tif")
    record = (tmp_path / "here" / "a.sashiko" / "project.json").read_text()
    assert str(tmp_path) not in record
    shutil.move(tmp_path / "here", tmp_path / "there")
    moved = Project.open(tmp_path / "there" / "a.sashiko")
    assert moved.image == tmp_path / "there" / "a.tif"


def test_a_project_is_never_made_over_another(tmp_path):
    Project.create(tmp_path / "a.sashiko")
    with pytest.raises(OutputError, match="Open it"):
        Project.create(tmp_path / "a.sashiko")


def test_a_failed_write_leaves_the_old_record(tmp_path, monkeypatch):
    project = Project.create(tmp_path / "a.sashiko")
    before = (project.folder / "project.json").read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(project_file.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        project.note(classes=default_classes(2))
    assert (project.folder / "project.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format_version": 1, "classes": 3}', "classes"),
        ('{"format_version": 7}', "Update"),
    ],
)
def test_a_bad_record_is_refused_in_one_sentence(tmp_path, content, words):
    (tmp_path / "project.json").write_text(content)
    with pytest.raises(OutputError, match=words):
        Project.open(tmp_path)


def test_a_folder_without_record_is_not_a_project(tmp_path):
    with pytest.raises(OutputError, match="not a project"):
        Project.open(tmp_path)


def test_models_come_newest_first(tmp_path):
    project = Project.create(tmp_path / "a.sashiko")
    for age, name in enumerate(("old", "older", "oldest")):
        card = project.place("models") / name / "model.json"
        card.parent.mkdir()
        card.write_text("{}")
        stamp = 1_700_000_000 - 100 * age
        project_file.os.utime(card, (stamp, stamp))
    assert [path.name for path in project.models()] == ["old", "older", "oldest"]


def test_a_run_inside_a_project_is_remembered_there(tmp_path, arrays, fast):
    image, labels, _ = arrays
    np.save(tmp_path / "scan.npy", image)
    folder = tmp_path / "scan.sashiko"
    out = folder / "models" / "first.sashiko-model"
    train(tmp_path / "scan.npy", labels, out, classes=["resin", "fibre"], **fast)
    record = json.loads((folder / "project.json").read_text())
    assert record["image"] == "../scan.npy"
    assert record["settings"]["train"]["trees"] == 4
    assert [each["name"] for each in record["classes"]] == ["resin", "fibre"]
    said = describe(folder)
    assert said.kind == "project"
    assert said.facts["models"] == ["first.sashiko-model"]


def test_a_run_outside_a_project_makes_none(tmp_path, arrays, fast):
    image, labels, _ = arrays
    train(image, labels, tmp_path / "m.sashiko-model", **fast)
    assert [path.name for path in tmp_path.iterdir()] == ["m.sashiko-model"]
