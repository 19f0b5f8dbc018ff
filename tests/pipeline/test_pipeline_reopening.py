"""A project opens again with what is whole, and says what is not; nothing is lost."""

import json
import os
import shutil

import numpy as np
import pytest

from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelClass, LabelStore
from napari_sashiko.pipeline import (
    Project,
    check_prediction,
    mend_steps,
    model_scores,
    note_image,
    open_image,
    predict,
    project_image,
    reopen_project,
    segment_instances,
    train,
)
from napari_sashiko.volumes import FolderLock, as_volume

CLASSES = (
    LabelClass(id=1, name="resin", color="#112233"),
    LabelClass(id=2, name="fibre", color="#445566"),
)
NETWORK = {
    "members": 1,
    "epochs": 2,
    "minutes": None,
    "trees": 4,
    "batch": 2,
    "patch": 16,
    "dims": "2",
    "device": "cpu",
    "network": "smsnet",
}
WINDOW = {"window": (10, 24, 24), "border": (0, 4, 4), "device": "cpu"}


def finish(steps):
    """Return what a generator of events returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="session")
def worked_on(tmp_path_factory, arrays):
    """A folder with an image and its project: paint, a model, results."""
    image, labels, _ = arrays
    folder = tmp_path_factory.mktemp("worked")
    np.save(folder / "scan.npy", image)
    project = folder / "scan.npy.sashiko"
    store = LabelStore.adopt(project / "labels", labels, CLASSES)
    store.close()
    volume = open_image(folder / "scan.npy")
    note_image(project, volume, folder / "scan.npy", CLASSES)
    model = project / "models" / "net.sashiko-model"
    train(folder / "scan.npy", project / "labels", model, **NETWORK)
    out = project / "predictions" / "net.zarr"
    predict(model, folder / "scan.npy", out, **WINDOW)
    objects = project / "instances" / "net.zarr"
    segment_instances(
        out, objects, table=project / "instances" / "net.csv", label_class="fibre"
    )
    return folder


@pytest.fixture
def folder(worked_on, tmp_path):
    """A copy of it, to be harmed."""
    return shutil.copytree(worked_on, tmp_path / "moved") / "scan.npy.sashiko"


def reopen(folder, **more):
    volume = open_image(folder.with_suffix(""))
    return finish(reopen_project(folder, volume, **more))


def contents(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_project_that_was_moved_comes_back_with_all(folder):
    found = reopen(folder)
    assert found.findings == ()
    assert found.trained.path == folder / "models" / "net.sashiko-model"
    assert [(e.member, e.epoch) for e in found.trained.epochs] == [(0, 1), (0, 2)]
    assert all(np.isfinite(e.loss) for e in found.trained.epochs)
    assert 0 <= dict(found.trained.metrics)["macro_f1"] <= 1
    scores = model_scores(found.trained.path)
    assert tuple(scores.metrics.items()) == found.trained.metrics
    assert scores.fairness == found.trained.fairness != ""
    assert found.prediction.path == folder / "predictions" / "net.zarr"
    assert found.prediction.done == found.prediction.total > 1
    assert found.instances.path == folder / "instances" / "net.zarr"
    assert found.instances.table == folder / "instances" / "net.csv"
    assert found.settings["train"]["trees"] == 4
    assert found.settings["predict"]["window"] == (10, 24, 24)
    assert found.settings["instances"]["label_class"] == "fibre"
    assert [c.name for c in found.record.classes] == ["resin", "fibre"]


def test_objects_of_an_earlier_prediction_are_not_shown(folder):
    index = folder / "predictions" / "net.zarr" / "zarr.json"
    record = json.loads(index.read_text())
    record["attributes"]["sashiko"]["created"] = "later"
    index.write_text(json.dumps(record))
    found = reopen(folder)
    assert found.instances is None
    assert any("earlier prediction" in text for text in found.findings)


def test_a_whole_project_is_not_written_to(folder):
    before = contents(folder)
    reopen(folder)
    assert contents(folder) == before


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def nonsense(path):
    path.write_bytes(b"\xff\xfe[{")


def lose(path):
    path.unlink()


def member(folder):
    return max((folder / "models").rglob("member-01-*"))


def chunk(folder):
    return max((folder / "predictions/net.zarr/mean/0/c").rglob("0"))


def at(name):
    return lambda folder: folder / name


# file, what is no longer there, what is done to it, whether it is kept beside
FILES = {
    "project.json": (at("project.json"), (), (cut, empty, nonsense), True),
    "model.json": (
        at("models/net.sashiko-model/model.json"),
        ("trained",),
        (cut, empty, nonsense, lose),
        False,
    ),
    "member": (member, (), (cut, empty, nonsense), True),
    "lost member": (member, (), (lose,), False),
    "chunk": (chunk, (), (cut, empty, nonsense), True),
    "lost chunk": (chunk, (), (lose,), False),
    "ledger": (
        at("predictions/net.zarr/ledger/c/0/0/0"),
        (),
        (cut, empty, nonsense),
        True,
    ),
    "lost ledger": (at("predictions/net.zarr/ledger/c/0/0/0"), (), (lose,), False),
    "prediction": (
        at("predictions/net.zarr/zarr.json"),
        ("prediction",),
        (cut, empty, nonsense),
        False,
    ),
    "mean": (
        at("predictions/net.zarr/mean/0/zarr.json"),
        ("prediction",),
        (cut, empty, nonsense, lose),
        False,
    ),
    "instances": (
        at("instances/net.zarr/zarr.json"),
        ("instances",),
        (cut, empty, nonsense),
        False,
    ),
    "labels of instances": (
        at("instances/net.zarr/labels/0/zarr.json"),
        ("instances",),
        (cut, empty, nonsense, lose),
        False,
    ),
    "table": (at("instances/net.csv"), ("table",), (cut, empty, nonsense, lose), False),
}
CASES = [(name, harm) for name, row in FILES.items() for harm in row[2]]


@pytest.mark.parametrize(
    ("name", "harm"), CASES, ids=[f"{n}-{h.__name__}" for n, h in CASES]
)
def test_one_damaged_file_costs_no_more_than_it_held(name, harm, folder):
    find, lost, _, kept = FILES[name]
    path = find(folder)
    before = contents(folder)
    harm(path)
    damaged = path.read_bytes() if path.exists() else None
    found = reopen(folder)
    said = " ".join(found.findings)
    # Named: the file, or what it belongs to, within the project.
    assert path.name in said or path.parent.name in said or "net.zarr" in said, said
    assert "Traceback" not in said
    assert "\n" not in said
    parts = {
        "trained": found.trained is None,
        "prediction": found.prediction is None,
        "instances": found.instances is None,
        "table": found.instances is None or found.instances.table is None,
    }
    gone = {part for part, is_gone in parts.items() if is_gone}
    assert gone - {"table"} == set(lost) - {"table"}
    if "table" in lost:
        assert "table" in gone
    if kept:
        assert path.with_name(f"{path.name}.damaged").read_bytes() == damaged
    elif damaged is not None:
        assert path.read_bytes() == damaged  # left as it is
    after = contents(folder)
    for each, content in before.items():
        if each != path and each.name not in ("model.json", "project.json", "0"):
            assert after[each] == content, each
    assert reopen(folder).trained == found.trained  # and again


def test_all_damaged_at_once_opens_with_nothing_and_says_all(folder):
    for find, _, _, _ in FILES.values():
        nonsense(find(folder))
    found = reopen(folder)
    said = " ".join(found.findings)
    assert (found.trained, found.prediction, found.instances) == (None, None, None)
    for word in ("project.json", "net.sashiko-model", "predictions/net.zarr"):
        assert word in said


@pytest.mark.parametrize("harm", [cut, empty, nonsense])
def test_measurements_that_cannot_be_read_are_said(folder, harm):
    path = folder / "measurements" / "net fibre" / "measurements.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"format_version": 1, "members": []}')
    harm(path)
    damaged = path.read_bytes()
    (words,) = reopen(folder).findings
    assert "net fibre" in words
    assert path.read_bytes() == damaged


def test_a_damaged_newest_model_gives_way_to_the_one_before(folder):
    old = folder / "models" / "net.sashiko-model"
    new = shutil.copytree(old, old.with_name("newer.sashiko-model"))
    os.utime(new / "model.json")
    Project.open(folder).note(last={"train": new})
    assert reopen(folder).trained.path == new
    nonsense(new / "model.json")
    found = reopen(folder)
    assert found.trained.path == old
    assert "newer.sashiko-model" in found.findings[0]


def test_the_last_run_counts_not_the_time_of_the_file(folder):
    old = folder / "models" / "net.sashiko-model"
    other = shutil.copytree(old, old.with_name("other.sashiko-model"))
    os.utime(other / "model.json")  # newer, e.g. because it was copied
    assert reopen(folder).trained.path == old


def test_an_image_that_changed_gets_no_results_of_the_one_before(folder, arrays):
    np.save(folder.with_suffix(""), 255 - arrays[0])
    found = reopen(folder)
    assert found.trained is not None
    assert (found.prediction, found.instances) == (None, None)
    assert "has changed" in found.findings[0]


def test_another_voxel_size_does_not_make_it_another_image(folder, arrays):
    volume = as_volume(arrays[0], voxel_size=(3, 2, 2), unit="um")
    found = finish(reopen_project(folder, volume))
    assert found.findings == ()
    assert found.prediction is not None


def test_settings_of_another_version_are_said_and_left_out(folder):
    record = json.loads((folder / "project.json").read_text())
    record["settings"]["train"]["colour"] = "blue"
    (folder / "project.json").write_text(json.dumps(record))
    found = reopen(folder)
    assert "train" not in found.settings
    assert "last train" in found.findings[0]


def test_a_project_of_the_first_format_is_read(folder):
    record = json.loads((folder / "project.json").read_text())
    first = {key: record[key] for key in ("created", "image", "classes", "settings")}
    (folder / "project.json").write_text(json.dumps({"format_version": 1, **first}))
    found = reopen(folder)
    assert found.findings == ()
    assert found.trained is not None
    assert found.record.last == {}
    note_image(folder, open_image(folder.with_suffix("")), None, CLASSES)
    assert Project.open(folder).record.format_version == 2
    assert Project.open(folder).record.settings == found.record.settings


def test_a_newer_project_is_refused_and_left(folder):
    (folder / "project.json").write_text('{"format_version": 99}')
    with pytest.raises(OutputError, match="Update"):
        reopen(folder)
    assert (folder / "project.json").read_text() == '{"format_version": 99}'


def test_a_project_that_another_window_works_in_is_only_looked_at(folder):
    for name in ("project.json", "model.json"):
        (path,) = folder.rglob(name)
        cut(path)
    nonsense(chunk(folder))
    before = contents(folder)
    found = reopen(folder, readonly=True)
    assert contents(folder) == before
    assert any("project.json" in each for each in found.findings)
    assert found.trained is None
    assert found.instances is not None


def test_what_killed_processes_left_is_removed(folder):
    from napari_sashiko.volumes.temporary import _host  # noqa: PLC0415

    mark = f"{_host()}-999999999-0123abcd.partial"
    torn = [
        folder / f".project.json.{mark}",
        folder / "labels" / f".labels.json.{mark}",
        folder / "models" / "net.sashiko-model" / f".model.json.{mark}",
    ]
    for path in torn:
        path.write_text("half")
    half = folder / "predictions" / f".net.zarr.{mark}"
    (half / "mean").mkdir(parents=True)
    moved = folder / "instances" / "net.zarr"
    moved.rename(moved.with_name(".net.zarr.old"))
    found = reopen(folder)
    assert not any(path.exists() for path in (*torn, half))
    assert found.instances.path == moved
    assert found.findings == ()


@pytest.mark.parametrize("harm", [cut, empty, nonsense, lose])
def test_a_damaged_ledger_is_no_reason_to_begin_anew(folder, harm):
    harm(folder / "predictions/net.zarr/ledger/c/0/0/0")
    volume, model = open_image(folder.with_suffix("")), "models/net.sashiko-model"
    out = folder / "predictions" / "net.zarr"
    done, total = check_prediction(folder / model, volume, out)
    assert (done, total) == (0, 4)


# The image


def test_the_image_of_a_project_is_opened_with_the_size_it_was_worked_on_with(folder):
    volume = open_image(folder.with_suffix(""))
    volume.voxel_size, volume.unit = (3.0, 2.0, 2.0), "um"
    note_image(folder, volume, folder.with_suffix(""), CLASSES)
    found = project_image(folder)
    assert (found.volume.voxel_size, found.volume.unit) == ((3.0, 2.0, 2.0), "um")
    assert found.odd == ""


def test_a_missing_image_is_said_with_its_place(folder):
    folder.with_suffix("").unlink()
    found = project_image(folder)
    assert found.volume is None
    assert str(folder.with_suffix("")) in found.odd


def test_a_damaged_image_is_said(folder):
    folder.with_suffix("").write_bytes(b"")
    found = project_image(folder)
    assert found.volume is None
    assert "scan.npy" in found.odd


def test_a_project_whose_index_is_gone_finds_the_image_beside_it(folder):
    (folder / "project.json").unlink()
    found = project_image(folder)
    assert found.volume.shape == (10, 40, 40)


def test_any_other_folder_is_no_project(tmp_path):
    with pytest.raises(OutputError, match="not a project"):
        project_image(tmp_path)
    assert list(tmp_path.iterdir()) == []


# Mending by hand


def test_mending_a_project_mends_all_of_it_once(folder):
    cut(folder / "labels" / "labels.json")
    cut(member(folder))
    lose(chunk(folder))
    said = " ".join(finish(mend_steps(folder)))
    for word in ("labels.json", "member-01", "net.zarr"):
        assert word in said
    assert finish(mend_steps(folder)) == ()


def test_each_part_can_be_mended_alone(folder):
    for path in ("labels", "models/net.sashiko-model", "predictions/net.zarr"):
        assert finish(mend_steps(folder / path)) == ()
    cut(folder / "labels" / "labels.json")
    assert "labels.json" in finish(mend_steps(folder / "labels"))[0]


def test_a_project_in_a_window_is_not_mended_under_its_feet(folder):
    lock = FolderLock(folder)
    lock.take()
    with pytest.raises(OutputError, match="open in a window"):
        finish(mend_steps(folder))
    lock.release()


@pytest.mark.parametrize("name", ["nowhere", "file", "folder"])
def test_what_is_none_of_ours_is_not_touched(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        finish(mend_steps(tmp_path / name))
    assert (tmp_path / "file").read_text() == "mine"
