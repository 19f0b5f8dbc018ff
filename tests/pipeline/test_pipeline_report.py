"""A report holds what there is, says what is missing, and changes nothing."""

import json
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

import napari_sashiko as ns
from napari_sashiko.errors import OutputError, SashikoError, SettingsError
from napari_sashiko.pipeline import (
    PaintedLabels,
    Progress,
    Sources,
    as_volume,
    find_sources,
    load_card,
    read_paint,
    report_steps,
)

SECTIONS = ["data", "model", "how-good-it-is", "segmented-volume", "objects", "origin"]
# A forest alone has neither curves nor a graph.
OF_A_FOREST = {"confusion", "directions", "intensities", "lengths", "reliability"}


class Page(HTMLParser):
    """Figures, sections and sentences on what is missing, of a nested page."""

    def __init__(self, path):
        super().__init__()
        self.open, self.figures, self.sections, self.missing = [], [], [], []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        if tag not in ("meta", "img", "source"):
            self.open.append((tag, known.get("class")))
        if tag == "figure":
            self.figures.append(known["id"].removeprefix("figure-"))
        if tag == "section":
            self.sections.append(known["id"])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == ("p", "missing"):
            self.missing.append(data)


@pytest.fixture(scope="module")
def project(arrays, fast, tmp_path_factory):
    """An image, a forest, its prediction and objects; not to be changed."""
    folder = tmp_path_factory.mktemp("work")
    image, labels, truth = arrays
    for name, array in (("image", image), ("labels", labels), ("truth", truth)):
        np.save(folder / f"{name}.npy", array)
    place = folder / "image.npy.sashiko"
    model = place / "models" / "forest.sashiko-model"
    out = place / "predictions" / "forest.zarr"
    path = folder / "image.npy"
    ns.train(path, folder / "labels.npy", model, classes=["resin", "fibre"], **fast)
    ns.predict(model, path, out, device="cpu")
    ns.segment_instances(
        out,
        place / "instances" / "forest.zarr",
        table=place / "instances" / "forest.csv",
        label_class="fibre",
    )
    return place


@pytest.fixture
def copy(project, tmp_path):
    """The project, to be changed."""
    return shutil.copytree(project.parent, tmp_path / "copy") / project.name


def test_a_project_becomes_a_page_with_all_that_there_is(project, tmp_path):
    out = tmp_path / "r.html"
    labels, truth = (project.parent / f"{name}.npy" for name in ("labels", "truth"))
    done = ns.report(project, out, labels=labels, truth=truth)
    page = Page(out)
    assert page.sections == SECTIONS
    assert set(page.figures) == set(done.figures) == OF_A_FOREST | {"slices"}
    assert {name for name, _ in done.missing} == {"curves", "graph"}
    assert "only a forest" in " ".join(page.missing)
    card = load_card(project / "models" / "forest.sashiko-model")
    facts = [
        *(each.name for each in card.classes),
        *(each.color for each in card.classes),
        card.training["image"]["digest"],
        card.training["versions"]["torch"],
        f"{card.training['held_out']['macro_f1']:.3f}",
        "Against the truth",
        "Last settings of predict",
        "Settings of the training",
        "10 x 40 x 40",
    ]
    for fact in facts:
        assert fact in page.text, fact


def test_a_page_without_truth_shows_the_held_out_strokes(project, tmp_path):
    ns.report(project, tmp_path / "r.html", figures=["reliability", "confusion"])
    page = Page(tmp_path / "r.html")
    assert page.figures == ["reliability", "confusion"]
    assert "On held-out strokes" in page.text
    assert "Against the truth" not in page.text


def test_a_model_from_before_curves_were_kept_says_so(copy, tmp_path):
    path = copy / "models" / "forest.sashiko-model" / "model.json"
    card = json.loads(path.read_text())
    del card["training"]["held_out_curves"]
    path.write_text(json.dumps(card))
    done = ns.report(copy, tmp_path / "r.html", figures=["reliability", "lengths"])
    assert done.figures == ("lengths",)
    (said,) = [text for text in Page(tmp_path / "r.html").missing if "reliab" in text]
    assert "before such curves were kept" in said
    assert "give a truth" in said


def test_a_model_alone_and_a_prediction_alone_have_a_page(project, tmp_path):
    alone = tmp_path / "alone"
    for place in ("models/forest.sashiko-model", "predictions/forest.zarr"):
        path = shutil.copytree(project / place, alone / place.partition("/")[2])
        out = tmp_path / f"{path.stem}.html"
        done = ns.report(path, out)
        page = Page(out)
        assert {"model", "data", "origin"} <= set(page.sections)
        assert done.figures
        assert any("image" in text for text in page.missing)


def test_figures_go_into_the_folder_of_the_project(copy):
    done = ns.report(copy, format="pdf", figures=["lengths", "curves"])
    assert done.path == str(copy / "plots")
    assert [path.name for path in (copy / "plots").iterdir()] == ["lengths.pdf"]
    assert (copy / "plots" / "lengths.pdf").read_bytes().startswith(b"%PDF")
    page = ns.report(copy, figures=["lengths"])
    assert page.path == str(copy / "plots" / "report.html")
    # A report takes the place of the one before.
    assert ns.report(copy, figures=["lengths"]).path == page.path


def _garble(pattern, content=b"\x00garbled"):
    def spoil(project):
        found = [path for path in project.glob(pattern) if path.is_file()]
        assert found
        for path in found:
            path.write_bytes(content)

    return spoil


def _remove(name):
    return lambda project: shutil.rmtree(project / name)


DAMAGE = {
    "card": _garble("models/*/model.json"),
    "card of another shape": _garble("models/*/model.json", b'{"classes": 3}'),
    "weights": _garble("models/*/*.safetensors"),
    "chunks of classes": _garble("predictions/*.zarr/classes/0/c/**/*"),
    "no std": _remove("predictions/forest.zarr/std"),
    "no classes": _remove("predictions/forest.zarr/classes"),
    "no mean": _remove("predictions/forest.zarr/mean"),
    "objects": _garble("instances/*.zarr/labels/0/c/**/*"),
    "record of objects": _garble("instances/*.zarr/zarr.json", b"{}"),
    "table": _garble("instances/*.csv"),
    "empty table": _garble("instances/*.csv", b""),
    "image": _garble("../image.npy"),
    "no image": lambda project: (project.parent / "image.npy").unlink(),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_what_is_damaged_is_said_and_the_rest_is_shown(copy, tmp_path, case):
    DAMAGE[case](copy)
    out = tmp_path / "r.html"
    done = ns.report(copy, out, labels=copy.parent / "labels.npy")
    page = Page(out)
    assert page.missing
    assert "origin" in page.sections
    assert done.figures
    if case != "weights":  # nothing is drawn from these
        assert len(done.figures) < len(OF_A_FOREST) + 1
    for _, reason in done.missing:
        assert reason.endswith(".")
        assert "Traceback" not in reason


def test_a_damaged_record_is_said_wherever_it_is_odd(copy, tmp_path):
    path = copy / "models" / "forest.sashiko-model" / "model.json"
    card = json.loads(path.read_text())
    card["training"] = {
        "held_out": 3,
        "held_out_curves": {"calibration": [], "confusion": {"classes": [9]}},
        "history": [[[1]]],
        "settings": [1],
        "versions": None,
        "reasons": "none",
    }
    path.write_text(json.dumps(card))
    done = ns.report(copy, tmp_path / "r.html")
    assert {"reliability", "confusion", "curves"} <= dict(done.missing).keys()
    assert "damaged" in dict(done.missing)["curves"]
    assert Page(tmp_path / "r.html").missing


def test_paint_of_another_image_is_not_shown_on_this_one(project, tmp_path, arrays):
    np.save(tmp_path / "other.npy", arrays[1][:5])
    done = ns.report(project, tmp_path / "r.html", labels=tmp_path / "other.npy")
    for name in ("slices", "intensities"):
        assert "(5, 40, 40)" in dict(done.missing)[name]


def test_progress_only_rises_and_ends(project, tmp_path):
    steps = list(report_steps(project, tmp_path / "r.html"))
    progress = [event for event in steps if isinstance(event, Progress)]
    assert {event.what for event in progress} == {"figures"}
    done = [event.done for event in progress]
    assert done == sorted(done)
    assert done[-1] == progress[-1].total


def test_a_stopped_report_leaves_what_was_there(project, tmp_path):
    out = tmp_path / "r.html"
    ns.report(project, out, figures=["lengths"])
    before = out.read_bytes()
    count = sum(1 for _ in report_steps(project, tmp_path / "other.html"))
    for stop in (1, count // 2, count - 2):
        steps = report_steps(project, out)
        for _ in range(stop):
            next(steps)
        steps.close()
        assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if "html" in path.name) == [
        "other.html",
        "r.html",
    ]


def test_a_report_can_be_stopped_between_any_two_figures(project, tmp_path):
    # Between two events lies the work that a stop has to wait for: never all of it.
    steps = report_steps(project, tmp_path / "r.html")
    names = [type(event).__name__ for event in steps]
    assert names.count("Tick") > 3 * names.count("FigureDone")


@pytest.mark.parametrize(
    ("out", "options", "said"),
    [
        ("notes.txt", {}, "left as it is"),
        ("folder", {}, "is a folder"),
        ("notes.txt", {"format": "png"}, "is a file"),
        ("notes.txt/r.html", {}, "is a file"),
    ],
)
def test_nothing_else_is_written_over(project, tmp_path, out, options, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("years of work")
    with pytest.raises(OutputError, match=said):
        ns.report(project, tmp_path / out, figures=["lengths"], **options)
    assert (tmp_path / "notes.txt").read_text() == "years of work"


def test_a_figure_replaces_nothing_but_a_figure(project, tmp_path):
    (tmp_path / "lengths.png").write_text("years of work")
    options = {"format": "png", "figures": ["lengths"]}
    with pytest.raises(OutputError, match="left as it is"):
        ns.report(project, tmp_path, **options)
    assert (tmp_path / "lengths.png").read_text() == "years of work"
    (tmp_path / "lengths.png").unlink()
    for _ in range(2):
        ns.report(project, tmp_path, **options)


def test_bad_requests_are_refused_before_any_work(project, tmp_path):
    with pytest.raises(SettingsError, match="Known: confusion"):
        ns.report(project, tmp_path / "r.html", figures=["pie"])
    with pytest.raises(SettingsError, match="format"):
        ns.report(project, tmp_path / "r.html", format="gif")
    with pytest.raises(SettingsError, match="colour"):
        ns.report(project, tmp_path / "r.html", colour=3)
    with pytest.raises(OutputError, match="no image at"):
        ns.report(project, tmp_path / "r.html", image=tmp_path / "none.tif")
    with pytest.raises(OutputError, match="nothing at"):
        ns.report(tmp_path / "none", tmp_path / "r.html")
    with pytest.raises(OutputError, match="neither a project"):
        ns.report(project.parent / "image.npy", tmp_path / "r.html")
    with pytest.raises(OutputError, match="Say where"):
        ns.report(Sources("cement"), figures=["lengths"])
    assert not (tmp_path / "r.html").exists()


def test_a_class_may_be_asked_for(project, tmp_path):
    def reasons(label_class):
        done = ns.report(
            project,
            tmp_path / "r.html",
            figures=["directions"],
            label_class=label_class,
        )
        return dict(done.missing), (tmp_path / "r.html").read_text()

    for name in ("resin", "1", 1):
        missing, text = reasons(name)
        assert missing == {}
        assert "Voxels of the class in 1 block" in text
    missing, text = reasons("fibre")
    assert "Objects of 1 block" in text
    missing, _ = reasons("glass")
    assert "1 (resin), 2 (fibre)" in missing["directions"]


def test_a_slice_beyond_the_volume_is_said(project, tmp_path):
    done = ns.report(project, tmp_path / "r.html", figures=["slices"], plane=10)
    assert "slices 0 to 9" in dict(done.missing)["slices"]


def test_live_paint_and_arrays_are_taken_as_they_are(project, arrays, tmp_path):
    def live():
        return PaintedLabels(read_paint(arrays[1]).labelled, classes)

    classes = load_card(project / "models" / "forest.sashiko-model").classes
    sources = Sources("cement", image=arrays[0], labels=live)
    done = ns.report(sources, tmp_path / "r.html", figures=["slices", "intensities"])
    assert done.figures == ("slices", "intensities")
    assert "resin" in Page(tmp_path / "r.html").text


def test_a_flat_image_has_all_but_directions(arrays, fast, tmp_path):
    image, labels = arrays[0][3], arrays[1][3]
    place = tmp_path / "flat.sashiko"
    model, out = place / "models/m.sashiko-model", place / "predictions/m.zarr"
    ns.train(image, labels, model, **fast)
    ns.predict(model, image, out, device="cpu")
    done = ns.report(place, tmp_path / "r.html", image=image, labels=labels)
    assert {"slices", "intensities", "reliability"} <= set(done.figures)
    assert "no directions" in dict(done.missing)["directions"]


def test_a_movie_has_no_directions_in_space(tmp_path):
    labels = np.zeros((12, 40, 40), np.uint8)
    labels[::4, 5:35, 5] = 1
    labels[::4, 5:35, 30] = 2
    image = as_volume(labels.cumsum(axis=0).astype(np.float32), axes="tyx")
    model, out = tmp_path / "m.sashiko-model", tmp_path / "p.zarr"
    ns.train(image, as_volume(labels, axes="tyx"), model, members=0, device="cpu")
    ns.predict(model, image, out, device="cpu")
    done = ns.report(out, tmp_path / "r.html", figures=["directions"])
    assert "Time points" in dict(done.missing)["directions"]
    ns.segment_instances(out, tmp_path / "i.zarr", label_class=1)
    done = ns.report(tmp_path / "i.zarr", tmp_path / "r.html", figures=["directions"])
    assert "Time points" in dict(done.missing)["directions"]


# ---- what belongs together ------------------------------------------------------


def test_a_model_and_a_prediction_know_their_project(project):
    for place in ("models/forest.sashiko-model", "predictions/forest.zarr"):
        found = find_sources(project / place)
        assert found.project == project
        assert found.image == project.parent / "image.npy"
    assert found.model == project / "models" / "forest.sashiko-model"
    assert found.instances == project / "instances" / "forest.zarr"
    assert found.table == project / "instances" / "forest.csv"


def test_objects_lead_to_their_prediction_and_its_model(project):
    found = find_sources(project / "instances" / "forest.zarr")
    assert found.prediction == project / "predictions" / "forest.zarr"
    assert found.model == project / "models" / "forest.sashiko-model"


def test_a_prediction_is_told_by_the_model_that_made_it(copy, arrays, fast):
    image, labels = copy.parent / "image.npy", copy.parent / "labels.npy"
    other = copy / "models" / "newer.sashiko-model"
    ns.train(image, labels, other, **fast | {"trees": 6})
    found = find_sources(copy)
    assert found.model == copy / "models" / "forest.sashiko-model"
    assert found.remarks == ()
    shutil.rmtree(copy / "models" / "forest.sashiko-model")
    found = find_sources(copy)
    assert found.model == other
    assert "another model" in found.remarks[0]


def test_objects_of_an_earlier_prediction_are_told_of(copy):
    index = copy / "predictions" / "forest.zarr" / "zarr.json"
    record = json.loads(index.read_text())
    record["attributes"]["sashiko"]["created"] = "later"
    assert find_sources(copy).remarks == ()
    index.write_text(json.dumps(record))
    (remark,) = find_sources(copy).remarks
    assert "forest.zarr were found in an earlier prediction" in remark


def test_a_table_of_other_objects_is_not_taken(copy, tmp_path):
    objects = copy / "instances" / "forest.zarr"
    assert find_sources(copy).table == objects.with_suffix(".csv")
    ns.segment_instances(
        copy / "predictions" / "forest.zarr", objects, label_class="fibre", dust="1000"
    )
    assert find_sources(copy).table is None
    done = ns.report(objects, tmp_path / "r.html", figures=["lengths"])
    assert "lengths" in dict(done.missing)


def test_what_lies_beside_a_prediction_belongs_to_it(project, tmp_path):
    for place in ("models/forest.sashiko-model", "predictions/forest.zarr"):
        shutil.copytree(project / place, tmp_path / place.partition("/")[2])
    shutil.copytree(project / "instances" / "forest.zarr", tmp_path / "objects.zarr")
    shutil.copyfile(project / "instances" / "forest.csv", tmp_path / "objects.csv")
    found = find_sources(tmp_path / "forest.zarr")
    assert found.model == tmp_path / "forest.sashiko-model"
    assert found.instances == tmp_path / "objects.zarr"
    assert found.table == tmp_path / "objects.csv"
    assert found.project is None


def test_a_project_that_was_moved_with_its_image_finds_it(copy, tmp_path):
    moved = (copy.parent).rename(tmp_path / "moved") / copy.name
    assert find_sources(moved).image == moved.parent / "image.npy"
    (moved.parent / "image.npy").unlink()
    found = find_sources(moved)
    assert found.image is None
    assert "not at" in found.remarks[0]


def test_a_damaged_project_is_one_sentence(copy, tmp_path):
    (copy / "project.json").write_text("{")
    with pytest.raises(SashikoError, match="damaged"):
        ns.report(copy, tmp_path / "r.html")
