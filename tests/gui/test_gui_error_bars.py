"""Error bars by the real button: a line of numbers, tables, Cancel and going on."""

import csv
import json
import shutil
import time

import pytest
from gui_trained import VOXEL_SIZE, SlowEngine, balls
from napari.layers import Image
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_sashiko import pipeline
from napari_sashiko.runners import Tick

LONG = 120_000


class MeasuredSlowly(SlowEngine):
    """Rests after each event of measuring, so that there is time to press Cancel."""

    def measure_steps(self, *arguments):
        """Measure, with rests."""
        steps = pipeline.measure_steps(*arguments)
        try:
            for event in steps:
                yield event
                time.sleep(self.rest)
        finally:
            steps.close()


@pytest.fixture
def engine():
    return MeasuredSlowly()


@pytest.fixture(scope="module")
def pair(trained_model, tmp_path_factory):
    """The model with weights of one half each, and a prediction by it."""
    from gui_trained import predict_balls  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("pair")
    model = folder / trained_model.name
    shutil.copytree(trained_model, model)
    card = model / "model.json"
    record = json.loads(card.read_text())
    for member in record["members"]:
        member["weight"] = 1 / len(record["members"])
    card.write_text(json.dumps(record))
    return model, predict_balls(model, folder)


@pytest.fixture
def without_model(open_dock, pair, qtbot):
    """A dock that knows the prediction."""
    scale = {"scale": VOXEL_SIZE, "units": ("um",) * 3}
    dock = open_dock(Image(balls()[0], name="balls", **scale))
    dock.instances.use(pair[1])
    dock.instances.form.dust.setValue(20)
    qtbot.waitUntil(lambda: dock.instances.sizes is not None, timeout=LONG)
    return dock


@pytest.fixture
def ready(without_model, pair):
    """A dock that knows the prediction and its model."""
    without_model.session.open_model(pair[0])
    return without_model


def said(dock):
    return dock.findChild(QLabel, "error_bars_state").text()


def measure(dock, click, qtbot):
    click(dock, "error_bars")
    qtbot.waitUntil(lambda: bool(said(dock)), timeout=LONG)


def test_without_a_prediction_there_is_no_button(open_dock):
    dock = open_dock(Image(balls()[0], name="balls"))
    assert dock.findChild(QPushButton, "error_bars").isHidden()


def test_the_line_says_count_length_and_fraction_with_their_spread(ready, click, qtbot):
    measure(ready, click, qtbot)
    line = said(ready)
    assert "objects, median length" in line
    assert "µm; ball" in line
    assert line.endswith("%")
    assert line.count("±") == 3
    folder = ready.session.folder / "measurements"
    (table,) = folder.glob("*ball*/measurements.csv")
    with table.open(newline="", encoding="utf-8") as file:
        _, std, *members = csv.DictReader(file)
    assert len(members) == 2
    assert float(std["ball fraction [%]"]) > 0
    found = pipeline.read_measurements(table.parent)
    assert line == pipeline.line_of(found, sign="±", unit="µm")
    assert str(table.parent) in ready.status.text()


def test_a_table_says_the_fraction_of_every_class(ready, click, qtbot):
    table = ready.findChild(QWidget, "fraction_table")
    assert table.isHidden()
    measure(ready, click, qtbot)
    assert not table.isHidden()
    grid = table.layout()
    said = [
        tuple(grid.itemAtPosition(row, column).widget().text() for column in (0, 1))
        for row in range(grid.rowCount())
    ]
    (folder,) = (ready.session.folder / "measurements").iterdir()
    found = pipeline.read_measurements(folder)
    assert said == [
        ("class", "of the volume"),
        *pipeline.fractions_of(found, sign="±"),
    ]
    assert [name for name, _ in said[1:]] == ["background", "ball"]
    assert all("±" in fraction for _, fraction in said[1:])


def test_another_setting_takes_the_numbers_away(ready, click, qtbot):
    measure(ready, click, qtbot)
    line, table = said(ready), ready.findChild(QWidget, "fraction_table")
    ready.instances.form.dust.setValue(30)
    assert said(ready) == ""
    assert table.isHidden()
    qtbot.waitUntil(lambda: not ready.instances.bars._soon.isActive(), timeout=LONG)
    qtbot.waitUntil(lambda: not ready.instances.bars.reading.open, timeout=LONG)
    assert said(ready) == ""
    # What was measured already need not be measured again.
    ready.instances.form.dust.setValue(20)
    qtbot.waitUntil(lambda: said(ready) == line, timeout=LONG)
    assert not table.isHidden()


def test_a_setting_changed_meanwhile_leaves_the_line_out(ready, engine, click, qtbot):
    engine.rest = 0.05
    click(ready, "error_bars")
    ready.instances.form.threshold.setValue(0.7)
    qtbot.waitUntil(lambda: not ready.instances.bars.running, timeout=LONG)
    qtbot.waitUntil(lambda: "Tables saved" in ready.status.text(), timeout=LONG)
    assert said(ready) == ""


def test_a_stopped_measurement_goes_on(ready, engine, click, qtbot):
    engine.rest = 0.1
    click(ready, "error_bars")
    left = ready.findChild(QLabel, "error_bars_left")
    qtbot.waitUntil(lambda: "member 2 of 2" in left.text(), timeout=LONG)
    click(ready, "cancel_error_bars")
    qtbot.waitUntil(lambda: said(ready).startswith("Stopped"), timeout=LONG)
    assert not list((ready.session.folder / "measurements").glob("*/*.csv"))
    engine.rest = 0.0
    ready.instances.bars.say("")
    measure(ready, click, qtbot)
    assert "±" in said(ready)


def test_training_that_stays_on_does_not_lock_the_button(ready, qtbot):
    def work():
        while True:
            time.sleep(0.01)
            yield Tick()

    job = ready.session.start("train", work)
    qtbot.wait(200)
    assert ready.findChild(QPushButton, "error_bars").isEnabled()
    ready.session.stop("train")
    assert job.wait(30)


def test_a_model_that_is_gone_is_said(without_model, click, qtbot):
    click(without_model, "error_bars")
    qtbot.waitUntil(lambda: "is not there" in without_model.status.text(), timeout=LONG)
    assert without_model.findChild(QPushButton, "error_bars").isEnabled()


def test_another_volume_takes_the_row_away(ready, click, qtbot):
    measure(ready, click, qtbot)
    ready.viewer.add_image(balls()[0][:10], name="other", units=("um",) * 3)
    ready.volumes.setCurrentIndex(ready.volumes.findText("other"))
    assert said(ready) == ""
    assert ready.findChild(QPushButton, "error_bars").isHidden()
