"""The dock of plots follows the desk, draws in jobs, saves, and writes the report."""

import io
import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Image
from PIL import Image as Picture
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_sashiko.errors import PlotError
from napari_sashiko.gui.plots_dock import NO_DESK, PlotsDock
from napari_sashiko.gui.plots_form import DESK, NO_DOCK
from napari_sashiko.pipeline import Sources, write_whole
from napari_sashiko.runners import Event, Progress, Tick
from napari_sashiko.session import Session

pytestmark = pytest.mark.gui
WAIT = 20_000


@dataclass(frozen=True)
class ReportDone(Event):
    path: str


class FakePlots:
    """What the dock asks of the pipeline, without drawing anything real.

    `hold` is waited for while data are collected; `pace` is a rest between two events.
    """

    Sources = Sources
    PlotSettings = SimpleNamespace
    PlotStyle = SimpleNamespace
    write_whole = staticmethod(write_whole)

    def __init__(self, engine):
        self.base = engine
        self.collected = []
        self.styles = []
        self.hold = threading.Event()
        self.hold.set()
        self.pace = 0.0
        self.closed = 0

    def __getattr__(self, name):
        return getattr(self.base, name)

    def figure_titles(self):
        return {
            "curves": "Training curves",
            "lengths": "Lengths of the objects",
            "slices": "One slice",
        }

    def find_sources(self, path, **given):
        return Sources(path.name, project=path, **given)

    def Evidence(self, sources):  # noqa: N802 - the class of this name
        return sources

    def figure_data(self, name, evidence, settings):
        self.collected.append((name, evidence))
        while not self.hold.wait(0.01):
            yield Tick()
        if name == "curves":
            raise PlotError("There is no model.", "Train one first.")
        yield Tick()
        return SimpleNamespace(note=f"From {evidence.name}.")

    def draw_figure(self, name, data, style, kind="png"):
        self.styles.append(style)
        if kind == "pdf":
            return b"%PDF fake"
        width = getattr(style, "width", 6.4)
        out = io.BytesIO()
        colour = getattr(style, "background", "#ffffff")
        Picture.new("RGB", (round(width * style.dpi), 90), colour).save(out, "PNG")
        return out.getvalue()

    def report_steps(self, sources, out):
        try:
            for done in range(6):
                time.sleep(self.pace)
                yield Progress(done, 5, "figures")
            out.write_text(f"report on {sources.name}")
            yield ReportDone(str(out))
        finally:
            self.closed += 1


@pytest.fixture
def engine(engine):
    return FakePlots(engine)


@pytest.fixture
def open_plots(engine):
    """Open the dock of plots in a viewer."""
    there = []

    def make(viewer):
        plots = PlotsDock(viewer, Session(engine))
        there.append(plots)
        viewer.window.add_dock_widget(plots, name="Sashiko plots")
        QApplication.processEvents()
        return plots

    yield make
    engine.hold.set()
    for plots in there:
        plots.shutdown()


@pytest.fixture
def plots(dock, open_plots, qtbot):
    """The dock of plots beside the main dock; its first figure has been asked for."""
    plots = open_plots(dock.viewer)
    qtbot.waitUntil(lambda: plots.form.figures.count() == 3, timeout=WAIT)
    qtbot.waitUntil(lambda: settled(plots), timeout=WAIT)
    return plots


def settled(plots):
    """Whether nothing is drawn, and nothing will be."""
    quiet = not plots._soon.isActive() and not plots.form.view._timer.isActive()
    return quiet and not plots._question("plot").open


def show(plots, name, qtbot):
    """Choose a figure and wait for it."""
    plots.form.figures.setCurrentIndex(plots.form.figures.findData(name))
    qtbot.waitUntil(lambda: plots.drawn is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: settled(plots), timeout=WAIT)


def answer_dialog(monkeypatch, name, *answer):
    monkeypatch.setattr(
        QFileDialog, name, lambda *_: answer if answer[1:] else answer[0]
    )


def test_without_a_desk_it_says_what_to_do(make_napari_viewer, open_plots, qtbot):
    plots = open_plots(make_napari_viewer())
    qtbot.waitUntil(lambda: plots.form.state.text() == NO_DESK, timeout=WAIT)
    assert plots.form.about.itemText(0) == NO_DOCK
    assert not plots.form.save_button.isEnabled()


def test_figures_of_a_folder_need_no_desk(
    make_napari_viewer, open_plots, qtbot, click, tmp_path, monkeypatch, engine
):
    plots = open_plots(make_napari_viewer())
    qtbot.waitUntil(lambda: plots.form.figures.count() == 3, timeout=WAIT)
    answer_dialog(monkeypatch, "getExistingDirectory", str(tmp_path))
    click(plots, "figures_folder")
    show(plots, "lengths", qtbot)
    assert engine.collected[-1][1].project == tmp_path
    assert plots.form.note.text() == f"From {tmp_path.name}."
    click(plots, "figures_folder")
    assert plots.form.about.count() == 2  # not listed twice


def test_it_draws_what_is_on_the_desk(plots, dock, qtbot, engine):
    show(plots, "lengths", qtbot)
    name, evidence = engine.collected[-1]
    assert name == "lengths"
    assert evidence.name == "blobs"
    assert evidence.image is dock.session.volume
    assert plots.form.about.itemText(0) == f"{DESK}: blobs"
    assert not plots.form.view.image.isNull()
    assert plots.form.save_button.isEnabled()


def test_what_cannot_be_drawn_is_a_sentence_and_no_alarm(plots, dock, qtbot):
    said = []
    dock.session.message.connect(lambda text, level: said.append(text))
    show(plots, "lengths", qtbot)
    plots.form.figures.setCurrentIndex(plots.form.figures.findData("curves"))
    qtbot.waitUntil(lambda: "no model" in plots.form.state.text(), timeout=WAIT)
    assert plots.form.state.text() == "There is no model. Train one first."
    assert plots.form.view.image is None
    assert not plots.form.save_button.isEnabled()
    assert said == []


def test_the_window_answers_while_data_are_collected(plots, dock, qtbot, engine):
    engine.hold.clear()
    plots.form.figures.setCurrentIndex(plots.form.figures.findData("lengths"))
    qtbot.waitUntil(lambda: engine.collected[-1][0] == "lengths", timeout=WAIT)
    beats = []
    qtbot.waitUntil(lambda: beats.append(1) or len(beats) > 5, timeout=WAIT)
    assert plots.form.state.text() == "drawing ..."
    assert dock.session.is_running("plot")
    # Another wish does not wait for the one before.
    plots.form.figures.setCurrentIndex(plots.form.figures.findData("slices"))
    engine.hold.set()
    qtbot.waitUntil(lambda: plots.drawn is not None, timeout=WAIT)
    assert plots.drawn.name == "slices"


def ended(session, kind):
    session.start(kind, lambda: iter([Tick()]))


def test_figures_follow_what_changes_them_and_nothing_else(plots, dock, qtbot, engine):
    show(plots, "lengths", qtbot)
    count = len(engine.collected)
    dock.session.paint_saved.emit()
    dock.session.models_changed.emit()
    assert settled(plots)
    ended(dock.session, "instances")
    qtbot.waitUntil(lambda: len(engine.collected) == count + 1, timeout=WAIT)
    qtbot.waitUntil(lambda: plots.drawn is not None, timeout=WAIT)
    show(plots, "slices", qtbot)
    count = len(engine.collected)
    dock.session.paint_saved.emit()
    qtbot.waitUntil(lambda: len(engine.collected) == count + 1, timeout=WAIT)


def test_live_paint_is_read_where_the_figure_is_collected(
    plots, dock, qtbot, engine, click, stroke
):
    click(dock, "start_labelling")
    stroke(dock.label.layer, (2, 10, 10), (2, 10, 30))
    engine.PaintedLabels = SimpleNamespace
    seen = []
    engine.PaintedLabels = lambda labelled, classes: seen.append((labelled, classes))
    show(plots, "slices", qtbot)
    engine.collected[-1][1].labels()
    ((labelled, classes),) = seen
    assert len(labelled) > 0
    assert classes == dock.session.labels.classes


def test_another_volume_is_followed(plots, dock, qtbot, engine, blobs):
    show(plots, "lengths", qtbot)
    dock.viewer.add_image(blobs[:4], name="second")
    dock.volumes.setCurrentIndex(1)
    qtbot.waitUntil(lambda: engine.collected[-1][1].name == "second", timeout=WAIT)
    assert engine.collected[-1][1].image.shape == (4, 40, 50)
    assert plots.form.about.itemText(0) == f"{DESK}: second"


def test_a_folder_that_was_chosen_stays_when_the_desk_changes(
    plots, dock, qtbot, engine, tmp_path
):
    plots.form.add_folder(tmp_path)
    show(plots, "lengths", qtbot)
    count = len(engine.collected)
    dock.session.volume_changed.emit()
    assert settled(plots)
    assert len(engine.collected) == count


def test_a_dock_that_is_closed_and_opened_again_is_followed_again(
    plots, dock, qtbot, engine, blobs
):
    viewer = dock.viewer
    viewer.window.remove_dock_widget(dock)
    plots.refresh()
    qtbot.waitUntil(lambda: plots.form.state.text() == NO_DESK, timeout=WAIT)
    assert plots.form.about.itemText(0) == NO_DOCK
    from napari_sashiko.gui import SashikoDock  # noqa: PLC0415

    again = SashikoDock(viewer, Session(engine))
    viewer.window.add_dock_widget(again, name="Sashiko again")
    QApplication.processEvents()
    show(plots, "lengths", qtbot)
    assert plots.session is again.session
    assert engine.collected[-1][1].image is again.session.volume
    again.shutdown()


def test_another_theme_and_another_width_draw_the_same_data_again(
    plots, dock, qtbot, engine, monkeypatch
):
    show(plots, "lengths", qtbot)
    count = len(engine.collected)
    dock.viewer.theme = "light"
    qtbot.waitUntil(lambda: engine.styles[-1].background > "#a", timeout=WAIT)
    assert engine.styles[-1].text < "#6"
    qtbot.waitUntil(lambda: settled(plots), timeout=WAIT)
    # Hidden windows have no layout: the view tells by hand that it is wider now.
    monkeypatch.setattr(plots.form.view, "width", lambda: 777)
    plots.form.view.resized.emit()
    qtbot.waitUntil(lambda: engine.styles[-1].width == 777 / 96, timeout=WAIT)
    assert len(engine.collected) == count


@pytest.mark.parametrize(
    ("name", "kind", "start"),
    [
        ("a.png", "PNG (*.png)", b"\x89PNG"),
        ("a.pdf", "PDF (*.pdf)", b"%PDF"),
        ("a", "PDF (*.pdf)", b"%PDF"),
        ("a.b", "PNG (*.png)", b"\x89PNG"),
    ],
)
def test_a_figure_is_saved_for_paper(
    plots, qtbot, click, tmp_path, monkeypatch, engine, name, kind, start
):
    show(plots, "lengths", qtbot)
    answer_dialog(monkeypatch, "getSaveFileName", str(tmp_path / name), kind)
    click(plots, "save_figure")
    qtbot.waitUntil(lambda: "Figure" in plots.form.status.text(), timeout=WAIT)
    (path,) = [path for path in tmp_path.iterdir() if path.is_file()]
    assert path.read_bytes().startswith(start)
    assert path.name in plots.form.status.text()
    assert engine.styles[-1].dpi == 300
    assert not hasattr(engine.styles[-1], "background")  # on white


def test_a_figure_that_cannot_be_saved_is_said(
    plots, qtbot, click, tmp_path, monkeypatch
):
    show(plots, "lengths", qtbot)
    (tmp_path / "file").write_text("")
    answer_dialog(
        monkeypatch, "getSaveFileName", str(tmp_path / "file" / "a.png"), "PNG"
    )
    click(plots, "save_figure")
    qtbot.waitUntil(lambda: "cannot be written" in plots.form.status.text())
    assert plots.form.status.level == "error"


def test_a_report_is_written_and_leads_to_its_file(
    plots, qtbot, click, tmp_path, monkeypatch
):
    answer_dialog(monkeypatch, "getSaveFileName", str(tmp_path / "r"), "")
    click(plots, "write_report")
    assert not plots.form.working.isHidden()
    assert not plots.form.report_button.isEnabled()
    qtbot.waitUntil(lambda: "Report" in plots.form.status.text(), timeout=WAIT)
    assert (tmp_path / "r.html").read_text() == "report on blobs"
    assert "r.html</a>" in plots.form.status.text()
    qtbot.waitUntil(plots.form.working.isHidden, timeout=WAIT)
    assert plots.form.report_button.isEnabled()


def test_a_report_can_be_stopped(plots, qtbot, click, tmp_path, monkeypatch, engine):
    engine.pace = 0.3
    answer_dialog(monkeypatch, "getSaveFileName", str(tmp_path / "r.html"), "")
    click(plots, "write_report")
    qtbot.waitUntil(lambda: plots.form.progress.value() > 0, timeout=WAIT)
    click(plots, "stop_report")
    qtbot.waitUntil(lambda: "Stopped" in plots.form.status.text(), timeout=WAIT)
    assert engine.closed == 1
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("way", ["viewer", "dock", "main"])
def test_closing_in_the_middle_ends_cleanly(
    plots, dock, qtbot, click, tmp_path, monkeypatch, engine, way
):
    engine.pace = 0.1
    engine.hold.clear()
    plots.form.figures.setCurrentIndex(plots.form.figures.findData("lengths"))
    answer_dialog(monkeypatch, "getSaveFileName", str(tmp_path / "r.html"), "")
    click(plots, "write_report")
    viewer = dock.viewer
    if way == "viewer":
        viewer.close()
    elif way == "dock":
        viewer.window.remove_dock_widget(plots)
        assert plots._shut
        qtbot.waitUntil(lambda: not dock.session.is_running("plot"), timeout=WAIT)
    else:
        viewer.window.remove_dock_widget(dock)
        plots.refresh()
        assert plots.session is not dock.session


def test_the_real_engine_draws_a_real_model(
    make_napari_viewer, trained_model, qtbot, tmp_path, click, monkeypatch
):
    viewer = make_napari_viewer()
    plots = PlotsDock(viewer, Session())
    viewer.window.add_dock_widget(plots, name="Sashiko plots")
    QApplication.processEvents()
    try:
        plots.form.add_folder(trained_model)
        qtbot.waitUntil(lambda: plots.form.figures.count() > 5, timeout=60_000)
        for name in ("graph", "reliability", "curves"):
            show(plots, name, qtbot)
            assert plots.form.view.image.width() > 250
        answer_dialog(monkeypatch, "getSaveFileName", str(tmp_path / "r.html"), "")
        click(plots, "write_report")
        qtbot.waitUntil((tmp_path / "r.html").exists, timeout=60_000)
        qtbot.waitUntil(lambda: "Report" in plots.form.status.text(), timeout=WAIT)
    finally:
        plots.shutdown()


def test_a_picture_keeps_its_proportions(qtbot):
    from qtpy.QtGui import QImage  # noqa: PLC0415

    from napari_sashiko.gui.plots_view import FigureView  # noqa: PLC0415

    view = FigureView()
    qtbot.addWidget(view)
    view.show()  # hidden ones are told of their size later
    view.resize(400, 300)
    image = QImage(800, 500, QImage.Format.Format_RGB32)
    image.fill(0xFF0000)
    view.show_image(image)
    assert view.minimumHeight() == view.maximumHeight() == 250
    with qtbot.waitSignal(view.resized, timeout=WAIT):
        view.resize(200, 250)
    assert view.minimumHeight() == 125
    assert view.grab().toImage().pixelColor(100, 60).red() == 255
    view.show_image(None)
    view.shutdown()


def test_both_docks_may_be_opened_from_the_manifest(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    _, plots = viewer.window.add_plugin_dock_widget("napari-sashiko", "Sashiko plots")
    assert isinstance(plots, PlotsDock)
    viewer.add_layer(Image(np.eye(4), name="small"))
    plots.shutdown()
