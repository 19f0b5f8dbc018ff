"""Segment volume on a Dask scheduler, by the real buttons, with a real model."""

import numpy as np
import pytest
from gui_trained import VOXEL_SIZE, SlowEngine, balls
from napari.layers import Image
from qtpy.QtWidgets import QComboBox, QLineEdit

distributed = pytest.importorskip("distributed")
LONG = 60_000


@pytest.fixture
def engine():
    return SlowEngine()


@pytest.fixture
def ready(open_dock, trained_model, qtbot):
    """A dock that knows what segmenting will cost."""
    dock = open_dock(
        Image(balls()[0], name="balls", scale=VOXEL_SIZE, units=("um",) * 3)
    )
    dock.session.open_model(trained_model)
    qtbot.waitUntil(lambda: dock.segment.cost.estimate is not None, timeout=LONG)
    return dock


def ended(dock):
    job = dock.session.job("predict")
    return job is not None and job.status.ended and dock.segment.form.working.isHidden()


def give_address(dock, address, click):
    place = dock.segment.form.place
    if place.isHidden():
        click(dock, "more_segment")
    line = place.findChild(QLineEdit, "scheduler")
    line.setText(address)
    line.editingFinished.emit()


def classes(dock):
    return np.asarray(dock.viewer.layers["balls - classes"].data)


def test_the_settings_are_hidden_until_asked_for(ready, click):
    assert ready.segment.form.place.form is None
    click(ready, "more_segment")
    place = ready.segment.form.place
    assert not place.isHidden()
    assert place.findChild(QComboBox, "runner").currentData() == "threads"
    assert place.values()["scheduler"] is None


@pytest.mark.slow
def test_a_volume_is_segmented_on_a_scheduler_as_in_threads(ready, click, qtbot):
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    threads = classes(ready)
    assert (threads > 0).all()
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        before = cluster.scheduler.transition_counter
        give_address(ready, cluster.scheduler_address, click)
        ready.segment.overwrite()
        qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
        assert cluster.scheduler.transition_counter > before + 10
    assert ready.session.job("predict").status.state == "done"
    assert np.array_equal(classes(ready), threads)
    left = [path.name for path in ready.session.place("predictions").iterdir()]
    assert not any("image-" in name for name in left)


def test_a_scheduler_that_cannot_be_reached_is_said(ready, click, qtbot):
    give_address(ready, "tcp://127.0.0.1:1", click)
    click(ready, "segment_volume")
    qtbot.waitUntil(lambda: ended(ready), timeout=LONG)
    assert "No Dask scheduler answers at 'tcp://127.0.0.1:1'" in ready.status.text()
    assert list(ready.session.place("predictions").iterdir()) == []
    assert ready.segment.form.start_button.isEnabled()
