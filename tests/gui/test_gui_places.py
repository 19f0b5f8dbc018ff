"""Next place: jumps there, paints nothing, searches anew when there is a reason."""

import os

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QTreeWidget

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.place_words import describe_found, describe_place

pytestmark = pytest.mark.gui
WAIT = 20000


@pytest.fixture
def trained(dock, click, stroke, qtbot):
    """A dock with two strokes and a model."""
    click(dock, "start_labelling")
    dock.train.stay_box.setChecked(False)
    layer = dock.label.layer
    stroke(layer, (0, 25, 10), (0, 25, 20))
    layer.selected_label = 2
    stroke(layer, (0, 35, 10), (0, 35, 20))
    train(dock, click, qtbot)
    return dock


def train(dock, click, qtbot):
    dock.train.stay_box.setChecked(False)
    click(dock, "train")
    qtbot.waitUntil(lambda: not dock.session.is_running("train"), timeout=WAIT)
    qtbot.waitUntil(button(dock, "next_place").isEnabled, timeout=WAIT)


def button(dock, name):
    return dock.findChild(QPushButton, name)


def said(dock):
    return dock.findChild(QLabel, "place").text()


def tree(dock):
    return dock.findChild(QTreeWidget, "places")


def go(dock, click, qtbot):
    """Press Next place and wait until any search has ended."""
    click(dock, "next_place")
    qtbot.waitUntil(button(dock, "next_place").isEnabled, timeout=WAIT)


def seen(dock):
    """Voxel (z, y, x) in the middle of the view."""
    viewer, image = dock.viewer, dock.session.source
    world = np.array(viewer.dims.point, float)
    shown = list(viewer.dims.displayed)
    world[shown] = np.array(viewer.scene.camera.center)[-len(shown) :]
    return tuple(np.round(image.world_to_data(world), 3))


def test_without_a_model_the_button_says_what_to_do(dock, click):
    assert not button(dock, "next_place").isVisibleTo(dock.label)
    click(dock, "start_labelling")
    assert button(dock, "next_place").isVisibleTo(dock.label)
    assert not button(dock, "next_place").isEnabled()
    assert "Train first" in button(dock, "next_place").toolTip()


def test_the_button_shares_a_row_and_takes_no_room_else(trained, click, qtbot):
    label, places = trained.label, trained.label.places
    assert not places.isVisibleTo(label)
    go(trained, click, qtbot)
    assert places.isVisibleTo(label)
    assert button(trained, "list_places").isVisibleTo(label)
    rows = {
        name: button(trained, name).mapTo(label, button(trained, name).rect().center())
        for name in ("add_class", "list_places", "previous_place", "next_place")
    }
    assert len({place.y() for place in rows.values()}) == 1
    across = [place.x() for place in rows.values()]
    assert across == sorted(across)


def test_the_first_click_searches_and_jumps_to_the_most_unsure(trained, click, qtbot):
    go(trained, click, qtbot)
    assert seen(trained) == (1, 10, 20)
    assert said(trained) == "1 of 2: background or foreground? std 0.31"
    go(trained, click, qtbot)
    assert seen(trained) == (4, 30, 40)
    assert said(trained) == "2 of 2: foreground (0.60) or background?"
    click(trained, "previous_place")
    assert seen(trained) == (1, 10, 20)


def test_jumping_leaves_paint_tool_and_zoom_as_they_are(trained, click, qtbot, engine):
    layer, viewer = trained.label.layer, trained.viewer
    viewer.scene.camera.zoom = 3.5
    before = np.array(layer.data)
    go(trained, click, qtbot)
    np.testing.assert_array_equal(layer.data, before)
    assert viewer.layers.selection.active is layer
    assert layer.mode == "paint"
    assert viewer.scene.camera.zoom == 3.5
    assert len(engine.searched) == 1


def test_a_place_with_paint_is_passed_over(trained, click, qtbot, engine):
    go(trained, click, qtbot)
    trained.session.labels.paint.store.array[4, 30, 38] = 1
    go(trained, click, qtbot)
    # None was left, and blocks remain where nobody has looked: those come next.
    assert engine.seeds == [0, 1]
    assert seen(trained) == (1, 10, 20)


def test_where_all_was_looked_at_the_list_begins_again(trained, click, qtbot, engine):
    go(trained, click, qtbot)
    found = trained.label.places.found
    object.__setattr__(found, "total", found.blocks)
    go(trained, click, qtbot)
    go(trained, click, qtbot)
    assert engine.seeds == [0]
    assert said(trained).startswith("1 of 2")
    for place in found.unsure:
        trained.session.labels.paint.store.array[place.coords] = 1
    go(trained, click, qtbot)
    assert "train again" in said(trained)


def test_a_newer_model_is_asked_while_one_goes_on(trained, click, qtbot, engine):
    places = trained.label.places
    go(trained, click, qtbot)
    before = places.found
    train(trained, click, qtbot)
    assert len(engine.searched) == 1
    engine.seconds = 0.1
    click(trained, "next_place")
    # Nobody waits: the list of the older model goes on until the newer one is known.
    assert seen(trained) == (4, 30, 40)
    assert places.found is before
    assert places.working.isVisibleTo(places)
    qtbot.waitUntil(lambda: places.found is not before, timeout=WAIT)
    first, second = (model for model, *_ in engine.searched)
    assert first != second == trained.session.last_model
    assert engine.seeds == [0, 0]
    # The view stays where the user is painting.
    assert seen(trained) == (4, 30, 40)
    assert said(trained) == "3 places by the newest model."
    go(trained, click, qtbot)
    assert said(trained).startswith("1 of 2")
    assert len(engine.searched) == 2


def test_at_the_end_of_a_list_a_newer_model_is_waited_for(
    trained, click, qtbot, engine
):
    go(trained, click, qtbot)
    go(trained, click, qtbot)
    train(trained, click, qtbot)
    go(trained, click, qtbot)
    assert len(engine.searched) == 2
    assert seen(trained) == (1, 10, 20)


def test_a_model_that_was_written_anew_is_a_newer_one(trained, click, qtbot, engine):
    go(trained, click, qtbot)
    file = trained.session.last_model / "model.json"
    os.utime(file, (1e9, 1e9))
    go(trained, click, qtbot)
    assert len(engine.searched) == 2


def test_while_it_learns_a_list_is_gone_through_to_its_end(
    trained, click, qtbot, engine
):
    go(trained, click, qtbot)
    engine.seconds, engine.epochs = 0.05, 1000
    click(trained, "train")
    qtbot.waitUntil(lambda: trained.session.steps.is_learning, timeout=WAIT)
    os.utime(trained.session.last_model / "model.json", (1e9, 1e9))
    click(trained, "next_place")
    assert seen(trained) == (4, 30, 40)
    assert len(engine.searched) == 1
    go(trained, click, qtbot)
    assert len(engine.searched) == 2
    click(trained, "stop_training")
    qtbot.waitUntil(lambda: not trained.session.is_running("train"), timeout=WAIT)


def test_a_search_behind_that_is_stopped_leaves_the_list(trained, click, qtbot, engine):
    places = trained.label.places
    go(trained, click, qtbot)
    before = places.found
    train(trained, click, qtbot)
    engine.seconds = 0.05
    engine.places = engine.places * 200
    click(trained, "next_place")
    qtbot.waitUntil(lambda: places._latest is not None, timeout=WAIT)
    click(trained, "stop_places")
    qtbot.waitUntil(lambda: not places.working.isVisibleTo(places), timeout=WAIT)
    assert places.found is before
    assert said(trained).startswith("2 of 2")


def test_the_list_folds_out_and_a_click_jumps(trained, click, qtbot):
    go(trained, click, qtbot)
    assert not tree(trained).isVisibleTo(trained)
    click(trained, "list_places")
    assert tree(trained).isVisibleTo(trained)
    unsure, disagrees = (tree(trained).topLevelItem(i) for i in range(2))
    assert unsure.text(0) == "Unsure (2)"
    assert disagrees.text(0) == "Disagrees with your paint (1)"
    item = disagrees.child(0)
    assert item.text(0) == "painted background, called foreground (0.90)"
    tree(trained).scrollToItem(item)
    place = tree(trained).visualItemRect(item).center()
    viewport = tree(trained).viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    assert seen(trained) == (2, 10, 12)
    assert said(trained).startswith("1 of 1: painted background")
    click(trained, "previous_place")
    assert seen(trained) == (2, 10, 12)


def test_the_row_that_is_shown_is_marked(trained, click, qtbot):
    go(trained, click, qtbot)
    go(trained, click, qtbot)
    assert "0.60" in tree(trained).currentItem().text(0)


def test_a_renamed_class_is_called_by_its_name(trained, click, qtbot):
    go(trained, click, qtbot)
    first, second = trained.session.labels.classes
    trained.session.labels.set_classes(
        (first.model_copy(update={"name": "resin"}), second)
    )
    assert said(trained) == "1 of 2: resin or foreground? std 0.31"
    assert "resin" in tree(trained).topLevelItem(1).child(0).text(0)


def test_with_nothing_unsure_the_disagreements_come_first(
    trained, click, qtbot, engine
):
    engine.places = engine.places[2:]
    go(trained, click, qtbot)
    assert seen(trained) == (2, 10, 12)


def test_nothing_found_is_said_and_the_next_click_looks_elsewhere(
    trained, click, qtbot, engine
):
    engine.places = ()
    go(trained, click, qtbot)
    assert said(trained) == "Nowhere is it unsure."
    go(trained, click, qtbot)
    assert engine.seeds == [0, 1]


def test_a_search_can_be_stopped_and_shows_what_it_has(trained, click, qtbot, engine):
    engine.seconds = 0.05
    engine.places = engine.places[:2] * 300
    click(trained, "next_place")
    places = trained.label.places
    assert not button(trained, "next_place").isEnabled()
    qtbot.waitUntil(lambda: places._latest is not None, timeout=WAIT)
    click(trained, "stop_places")
    qtbot.waitUntil(lambda: places.found is not None, timeout=WAIT)
    assert 0 < len(places.found.unsure) < 600
    assert said(trained).startswith("1 of ")
    assert not places.working.isVisibleTo(places)


def test_another_volume_drops_the_places_and_their_search(
    trained, click, qtbot, engine, blobs
):
    go(trained, click, qtbot)
    engine.seconds = 0.05
    train(trained, click, qtbot)
    engine.places = engine.places * 100
    click(trained, "next_place")
    trained.viewer.add_layer(Image(blobs[:, ::2], name="other"))
    trained.volumes.setCurrentIndex(trained.volumes.findText("other"))
    qtbot.waitUntil(lambda: not trained.session.is_running("places"), timeout=WAIT)
    qtbot.wait(200)
    assert trained.label.places.found is None
    assert said(trained) == ""


def test_a_failed_search_is_one_sentence_and_can_be_repeated(
    trained, click, qtbot, engine
):
    engine.fail = SashikoError("The model has gone.", "Train again.")
    click(trained, "next_place")
    qtbot.waitUntil(lambda: trained.status.level == "error", timeout=WAIT)
    assert trained.status.text() == "The model has gone. Train again."
    engine.fail = None
    qtbot.waitUntil(button(trained, "next_place").isEnabled, timeout=WAIT)
    go(trained, click, qtbot)
    assert said(trained).startswith("1 of 2")


def test_a_flat_image_is_jumped_in_too(open_dock, click, stroke, blobs, qtbot, engine):
    engine.places = tuple(
        type(each)((0, *each.coords[1:]), *list(vars(each).values())[1:])
        for each in engine.places
    )
    dock = open_dock(Image(blobs[0], name="flat", scale=(0.5, 0.5)))
    click(dock, "start_labelling")
    dock.train.stay_box.setChecked(False)
    stroke(dock.label.layer, (25, 10), (25, 20))
    dock.label.layer.selected_label = 2
    stroke(dock.label.layer, (35, 10), (35, 20))
    train(dock, click, qtbot)
    go(dock, click, qtbot)
    assert seen(dock) == (10, 20)


def test_words_for_classes_that_are_not_named(engine):
    unsure, alone, disagrees = engine.places
    assert describe_place(unsure, {1: "resin"}) == "resin or class 2? std 0.31"
    assert describe_place(alone, {}) == "class 2 (0.60) or class 1?"
    assert "painted class 1, called class 2" in describe_place(disagrees, {})
    part = type("Found", (), {"blocks": 3, "total": 9, "places": ()})
    assert describe_found(part) == "Nothing found in 3 of 9 blocks."
