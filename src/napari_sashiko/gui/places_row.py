"""Where to look next: a button that jumps to places, and their list."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QProgressBar,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import boxed, in_a_row, make_button, make_line, say
from napari_sashiko.gui.place_words import (
    TIPS,
    describe_found,
    describe_list,
    describe_place,
)
from napari_sashiko.gui.view_center import look_at
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.session import Session

KIND = "places"
KINDS = ("unsure", "disagrees")
STEPS = 1000
TREE_HEIGHT = 170
PAINTED = "There is paint at all of these places: train again."
NO_MODEL = "Train first: then this jumps to where the model is unsure"
NEXT = "Jump to the next place where the newest model is unsure; searches when needed"
ROLE = Qt.ItemDataRole.UserRole


class PlacesRow(QWidget):
    """Jump to places where the model is unsure, or disagrees with the paint.

    Its buttons stand in a row of the step, which puts them there; what is said of the
    places, progress and the list are here.

    Parameters
    ----------
    session : Session
        Searches in the background.
    viewer : napari.Viewer
        Is moved to the places.
    parent : QWidget
        The step that it is part of.

    Attributes
    ----------
    buttons : QWidget
        Next place, the one before, and the list.
    """

    def __init__(self, session: Session, viewer: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self.found: Any = None  # PlacesFound
        self.kind, self.index = KINDS[0], -1  # where the user is; -1 before the first
        self._listed: tuple[Any, dict[int, str]] = (None, {})
        self._searching = False  # until what was found has arrived
        self._waiting = False  # to jump to what will be found
        self._latest: Any = None
        self._volume: Any = None  # that is or was searched
        self._asked: tuple[Path, Any] | None = None  # the model, as it was then
        self._seed = 0
        self._build()
        session.volume_changed.connect(self._on_volume)
        session.labels_changed.connect(self.refresh)
        session.models_changed.connect(self.refresh)
        session.job_changed.connect(self._on_job)
        session.event.connect(self._on_event)
        self.refresh()

    # ---- what the user does -----------------------------------------------------

    def next_place(self) -> None:
        """Go to the next place; a newer model is asked meanwhile, or when none is left.

        Who goes through a list is not kept waiting: what a newer model says takes its
        place when it is known.
        """
        with telling(self.session):
            model = self.session.last_model
            # While it learns there is a newer one all the time, and nothing to spare.
            early = self.session.steps.is_learning and bool(self._list(self.kind))
            if not (self._searching or early) and self._is_newer(model):
                self._search(model)
            if not self._step(1):
                self._at_the_end(model)

    def previous_place(self) -> None:
        """Go back to the place before."""
        with telling(self.session):
            self._step(-1)

    def stop(self) -> None:
        """Stop searching; what was found until now is shown."""
        self.stop_button.setEnabled(False)
        self.session.stop(KIND)

    # ---- what is shown ----------------------------------------------------------

    def refresh(self) -> None:
        """Offer what can be done now."""
        running = self._searching
        waiting = running and self._waiting
        model = None if self.session.volume is None else self.session.last_model
        self.buttons.setVisible(self.session.labels.paint is not None)
        self.next_button.setEnabled(model is not None and not waiting)
        self.next_button.setToolTip(NO_MODEL if model is None else NEXT)
        listed = self.found is not None and bool(self.found.places)
        for button in (self.previous_button, self.list_button):
            button.setVisible(listed)
        self.previous_button.setEnabled(not waiting)
        self.tree.setVisible(listed and self.list_button.isChecked())
        self.working.setVisible(running)
        self._show_line()
        self._show_list()

    def _show_line(self) -> None:
        text = ""
        if self.found is not None and self.index < 0:
            text = describe_found(self.found)
        elif self.index >= 0:
            places = self._list(self.kind)
            place = describe_place(places[self.index], self._names())
            text = f"{self.index + 1} of {len(places)}: {place}"
        self._say(text)

    def _show_list(self) -> None:
        names = self._names()
        if self._listed == (self.found, names):
            return  # whoever reads it is not scrolled away
        self._listed = (self.found, names)
        self.tree.clear()
        if self.found is None:
            return
        for kind in KINDS:
            places = self._list(kind)
            top = QTreeWidgetItem([describe_list(kind, len(places))])
            top.setToolTip(0, TIPS[kind])
            for number, place in enumerate(places):
                item = QTreeWidgetItem([describe_place(place, names)])
                item.setData(0, ROLE, (kind, number))
                top.addChild(item)
            self.tree.addTopLevelItem(top)
            top.setExpanded(True)
        self._mark()

    def _mark(self) -> None:
        """Select the row of the place that is shown."""
        top = self.tree.topLevelItem(KINDS.index(self.kind))
        if top is not None and 0 <= self.index < top.childCount():
            self.tree.setCurrentItem(top.child(self.index))

    def _say(self, text: str) -> None:
        say(self.line, text)
        self._show_room()

    def _show_room(self) -> None:
        """Take room only where there is something to see."""
        parts = (self.working, self.line, self.tree)
        there = self.session.labels.paint is not None
        self.setVisible(there and not all(each.isHidden() for each in parts))

    # ---- going there ------------------------------------------------------------

    def _go(self, kind: str, index: int) -> None:
        self.kind, self.index = kind, index
        source, volume = self.session.source, self.session.need_volume()
        if source is not None and source in self.viewer.layers:
            coords = self._list(kind)[index].coords
            look_at(self.viewer, source, volume.stacking.point(coords))
        self._show_line()
        self._mark()

    def _step(self, by: int) -> bool:
        """Go on in the list; False where it ends. Places with paint are left out."""
        places, index = self._list(self.kind), self.index + by
        while 0 <= index < len(places):
            if not self._is_done(places[index]):
                self._go(self.kind, index)
                return True
            index += by
        return False

    def _at_the_end(self, model: Path | None) -> None:
        """Wait for other places; begin again where everything was looked at."""
        if not self._searching:
            if self._is_whole() and not self._is_newer(model):
                self.index = -1
                if not self._step(1):
                    self._say(PAINTED)
                return
            self._search(model)
        self._waiting = True
        self.refresh()

    def _is_whole(self) -> bool:
        """Whether another search would find the same."""
        found = self.found
        return bool(found and found.places and found.blocks >= found.total)

    def _is_done(self, place: Any) -> bool:
        paint = self.session.labels.paint
        if place.kind != "unsure" or paint is None:
            return False
        return paint.is_near(place.coords, self.found.reach)

    def _list(self, kind: str) -> tuple[Any, ...]:
        return () if self.found is None else getattr(self.found, kind)

    def _names(self) -> dict[int, str]:
        return {each.id: each.name for each in self.session.labels.classes}

    def _on_clicked(self, item: Any) -> None:
        where = item.data(0, ROLE)
        if where is not None:
            with telling(self.session):
                self._go(*where)

    # ---- searching --------------------------------------------------------------

    def _is_newer(self, model: Path | None) -> bool:
        """Whether there is a model that was not asked, or was written since."""
        if model is None or self._asked is None:
            return True
        path, card = self._asked
        # The shelf keeps a card until its file is written anew.
        return path != model or self.session.shelf.card(model) is not card

    def _search(self, model: Path | None) -> None:
        # The same model is asked about other blocks.
        self._seed = 0 if self._is_newer(model) else self._seed + 1
        settings = self.session.engine.PlacesSettings(seed=self._seed)
        self.session.steps.find_places(model, settings)
        self._searching, self._latest = True, None
        self._volume = self.session.volume
        self._asked = None if model is None else (model, self.session.shelf.card(model))
        self.progress.setRange(0, 0)
        self.stop_button.setEnabled(True)
        self.refresh()

    def _on_event(self, kind: str, event: Event) -> None:
        if kind != KIND:
            return
        if isinstance(event, Progress):
            self.progress.setRange(0, STEPS)
            self.progress.setValue(STEPS * event.done // max(1, event.total))
        elif isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
        elif hasattr(event, "places"):
            self._latest = event

    def _on_job(self, kind: str) -> None:
        if kind != KIND or self.session.is_running(kind) or not self._searching:
            return
        job = self.session.job(kind)
        state = "failed" if job is None else job.status.state
        waited, latest = self._waiting, self._latest
        self._searching = self._waiting = False
        self._latest = None
        if state == "failed":
            self._asked = None
        # What was stopped does not take the place of a list that is complete.
        wanted = state == "done" or (state == "cancelled" and waited)
        if wanted and latest is not None and self._volume is self.session.volume:
            self._take(latest, jump=waited)
        self.refresh()

    def _take(self, found: Any, *, jump: bool) -> None:
        self.found = found
        self.kind = KINDS[0] if found.unsure or not found.disagrees else KINDS[1]
        self.index = -1
        if jump:
            with telling(self.session):
                self._step(1)

    def _on_volume(self) -> None:
        if self._searching:
            self.session.stop(KIND)
        self.found = self._latest = self._volume = self._asked = None
        self.kind, self.index = KINDS[0], -1
        self._waiting = False
        self.refresh()

    # ---- widgets ----------------------------------------------------------------

    def _build(self) -> None:
        self.next_button = make_button("next_place", "Next place ›", NEXT)
        self.next_button.clicked.connect(self.next_place)
        self.previous_button = make_button(
            "previous_place", "‹", "Back to the one before"
        )
        self.previous_button.clicked.connect(self.previous_place)
        self.list_button = make_button("list_places", "list", "Show all places")
        self.list_button.setCheckable(True)
        self.list_button.toggled.connect(lambda _on: self.refresh())
        self.stop_button = make_button(
            "stop_places", "Stop", "Stop searching and show what was found"
        )
        self.stop_button.clicked.connect(self.stop)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.line = make_line("place")
        self.tree = QTreeWidget()
        self.tree.setObjectName("places")
        self.tree.setHeaderHidden(True)
        self.tree.setRootIsDecorated(False)
        self.tree.setMaximumHeight(TREE_HEIGHT)
        self.tree.itemClicked.connect(lambda item, _column: self._on_clicked(item))
        self.tree.itemActivated.connect(lambda item, _column: self._on_clicked(item))
        self._arrange()

    def _arrange(self) -> None:
        self.buttons = boxed(
            in_a_row(self.list_button, self.previous_button, self.next_button)
        )
        self.buttons.setParent(self)  # without one it would be a window of its own
        self.working = boxed(in_a_row(self.progress, self.stop_button, widest=1))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.working)
        layout.addWidget(self.line)
        layout.addWidget(self.tree)
