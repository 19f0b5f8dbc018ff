"""Step 1 of the dock: paint, with named classes and counts, saved as one goes."""

import time
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.errors import LabelError
from napari_sashiko.gui.adopting import classes_of, foreign_labels, spatial_labels
from napari_sashiko.gui.between_row import BetweenRow
from napari_sashiko.gui.class_list import ClassList
from napari_sashiko.gui.digit_keys import DigitKeys
from napari_sashiko.gui.label_layer import (
    add_label_layer,
    disown_copies,
    find_label_layer,
    left_over_paint,
    project_layers,
    show_classes,
)
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.places_row import PlacesRow
from napari_sashiko.labels import PALETTE, LabelClass
from napari_sashiko.session import Paint, Session

KIND = "adopt"  # the job that opens labels, or takes over those of a layer
LARGEST_ID = 255
TIPS = {
    "Start labelling": "Make a label layer over the image and paint a few strokes of "
    "each class",
    "Continue labelling": "Show the labels that were painted on this image before",
    "Show labels": "Show the labels of this image again",
    "Paint": "Go on painting: select the label layer and take the brush",
}


class LabelStep(QGroupBox):
    """Start or adopt labels, edit the classes, see how much is painted.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Where the label layer is added.
    """

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__("1  Label")
        self.session = session
        self.viewer = viewer
        self.layer: Any = None
        self._adopting: tuple[Any, Any] = None, None  # project, and layer of others
        self._picked: Any = None  # of the labels that may be adopted
        self._build()
        self.keys = DigitKeys(self, self.pick_number)
        session.volume_changed.connect(self.refresh)
        session.labels_changed.connect(self.refresh)
        session.paint_changed.connect(self._show_counts)
        session.paint_saved.connect(self._show_saved)
        session.job_changed.connect(self._on_job)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._show_saved)
        self._clock.start()
        self.refresh()

    # ---- what the user does -----------------------------------------------------

    def start(self) -> None:
        """Make, reopen or activate the label layer of the volume."""
        with telling(self.session):
            self._let_go_of_shown()
            if self.session.labels.paint is None:
                left = left_over_paint(self.viewer, self.session.folder)
                if left is not None:
                    self.session.labels.attach(left)
                elif self.session.labels.is_saved():
                    self.session.labels.go_on()  # shown when all is counted
                    return
                else:
                    self.session.labels.start()
            self._show_layer()

    def _let_go_of_shown(self) -> None:
        """Open anew what was opened for reading, when the other window has closed."""
        session = self.session
        shown = session.labels.paint or left_over_paint(self.viewer, session.folder)
        if shown is None or not shown.readonly or session.busy():
            return
        for layer in project_layers(self.viewer, session.folder):
            self.viewer.layers.remove(layer)
        session.labels.let_go()

    def restore(self, paint: Paint | None) -> None:
        """Show the paint of an earlier session, or of this one if its layer is gone."""
        if self.session.is_running(KIND):
            return  # the labels that it brings are shown then
        labels = self.session.labels
        if labels.paint is None:
            # A layer that outlived its dock has the same files open.
            paint = left_over_paint(self.viewer, self.session.folder) or paint
            if paint is not None:
                labels.attach(paint)
        if labels.paint is not None and self.layer is None:
            self._show_layer()

    def adopt(self) -> None:
        """Copy the chosen Labels layer into the store of the volume."""
        with telling(self.session):
            layer = self.adoptable.currentData()
            if layer is None:
                raise LabelError("There is no labels layer to adopt.")
            volume = self.session.need_volume()
            array = spatial_labels(layer, volume.stacking)
            if not np.allclose(layer.scale[-2:], self.session.source.scale[-2:]):
                self.session.message.emit(
                    f"{layer.name} has another scale than the image; "
                    "it was taken voxel by voxel.",
                    "warning",
                )
            folder = self.session.folder
            self.session.labels.adopt(array)
            self._adopting = folder, layer
            for empty in project_layers(self.viewer, folder):
                # Nobody is to paint into what is being filled.
                self.viewer.layers.remove(empty)

    def add_class(self) -> None:
        """Add a class; the numbers of the others stay."""
        with telling(self.session):
            classes = self.session.labels.need().classes
            new_id = max((c.id for c in classes), default=0) + 1
            if new_id > LARGEST_ID:
                raise LabelError(f"There can be {LARGEST_ID} classes at most.")
            taken = {c.color for c in classes}
            free = [c for c in PALETTE if c not in taken] or list(PALETTE)
            added = LabelClass(id=new_id, name=f"class {new_id}", color=free[0])
            self.session.labels.set_classes((*classes, added))
            self.pick(new_id)

    def pick(self, class_id: int) -> None:
        """Paint with this class from now on."""
        if self.layer is not None:
            self.layer.selected_label = class_id
            if self.layer.mode not in ("paint", "fill", "polygon"):
                self.layer.mode = "paint"
            self.viewer.layers.selection.active = self.layer
        self.classes.show_picked(class_id)

    def pick_number(self, number: int) -> None:
        """Paint with the class in this row, counted from 1."""
        classes = self.session.labels.classes
        if 1 <= number <= len(classes):
            self.pick(classes[number - 1].id)

    def _rename(self, class_id: int, name: str) -> None:
        with telling(self.session):
            classes = self.session.labels.classes
            if any(c.name == name and c.id != class_id for c in classes):
                raise LabelError(
                    f"There is a class named {name!r} already.", "Take another name."
                )
            self._change(class_id, name=name)

    def _recolour(self, class_id: int, color: str) -> None:
        with telling(self.session):
            self._change(class_id, color=color)

    def _change(self, class_id: int, **values: Any) -> None:
        changed = tuple(
            c.model_copy(update=values) if c.id == class_id else c
            for c in self.session.labels.classes
        )
        self.session.labels.set_classes(changed)

    # ---- what is shown ----------------------------------------------------------

    def refresh(self) -> None:
        """Open the step when there is a volume, and say what it offers."""
        session = self.session
        paint = session.labels.paint
        self._find_layer()
        self.setEnabled(session.volume is not None)
        self.start_button.setText(self._start_text())
        self.start_button.setToolTip(TIPS[self.start_button.text()])
        busy = session.is_running(KIND)
        self.start_button.setEnabled(not busy)
        self.adopt_button.setEnabled(not busy)
        self.hint.setText(self._hint())
        self.hint.setVisible(bool(self.hint.text()))
        self.classes.setVisible(paint is not None)
        self.add_button.setVisible(paint is not None)
        self.classes.show_classes(session.labels.classes)
        if self.layer is not None:
            show_classes(self.layer, session.labels.classes)
            self.classes.show_picked(self.layer.selected_label)
        self.keys.follow(self.layer)
        self.between.follow(self.layer)
        self.reset_choices()
        self._show_counts()
        self._show_saved()

    def reset_choices(self) -> None:
        """Follow added, removed and renamed layers."""
        for copy in disown_copies(self.viewer):
            self.session.message.emit(
                f"{copy.name} is a copy: what is painted there is not kept, and "
                "nothing is learned from it.",
                "warning",
            )
        gone = self.layer is not None and self.layer not in self.viewer.layers
        if gone:
            self.refresh()
            return
        layers = foreign_labels(self.viewer)[::-1] if self.session.volume else []
        # What lies on top is meant, not a truth that is hidden.
        layers.sort(key=lambda layer: not layer.visible)
        self.adoptable.clear()
        for layer in layers:
            self.adoptable.addItem(layer.name, layer)
        if self._picked in layers:
            self.adoptable.setCurrentIndex(layers.index(self._picked))
        self.adopt_row.setVisible(bool(layers))

    def shutdown(self) -> None:
        """Let nobody paint while nobody saves; the next dock goes on with the layer."""
        self._clock.stop()
        self.between.shutdown()
        self.keys.follow(None)
        if self.layer is not None:
            self.layer.events.selected_label.disconnect(self._on_selected)
            self.layer.editable = False
            self.layer = None

    def _show_layer(self) -> None:
        paint = self.session.labels.need()
        if find_label_layer(self.viewer, paint) is None:
            add_label_layer(
                self.viewer,
                self.session.source,
                paint,
                self.session.folder,
                self.session.need_volume().stacking,
            )
        self.refresh()
        self.layer.visible = True
        self.layer.editable = not paint.readonly
        if paint.readonly:
            self.layer.mode = "pan_zoom"
        else:
            self.pick(self.layer.selected_label)

    def _find_layer(self) -> None:
        paint = self.session.labels.paint
        layer = find_label_layer(self.viewer, paint) if paint else None
        if layer is self.layer:
            return
        if self.layer is not None:
            self.layer.events.selected_label.disconnect(self._on_selected)
        if layer is not None:
            layer.events.selected_label.connect(self._on_selected)
        self.layer = layer

    def _on_selected(self, _event: Any = None) -> None:
        if self.layer is not None:
            self.classes.show_picked(self.layer.selected_label)

    def _on_job(self, kind: str) -> None:
        if kind != KIND:
            return
        if self.session.is_running(kind):
            self.refresh()
            return
        (folder, layer), self._adopting = self._adopting, (None, None)
        job = self.session.job(kind)
        labels = self.session.labels
        if job is None or job.status.state != "done" or labels.paint is None:
            self.refresh()
            return
        with telling(self.session):
            if layer is not None and folder == self.session.folder:
                labels.set_classes(classes_of(layer, labels.classes))
                layer.visible = False
            self._show_layer()

    def _start_text(self) -> str:
        if self.session.labels.paint is not None:
            return "Paint" if self.layer is not None else "Show labels"
        saved = self.session.volume is not None and self.session.labels.is_saved()
        return "Continue labelling" if saved else "Start labelling"

    def _hint(self) -> str:
        session = self.session
        if session.volume is None:
            return "Open an image first."
        if session.is_running(KIND):
            return "Reading labels ..."
        if session.labels.paint is None and session.labels.is_saved():
            return "This image was painted on before; its labels are kept."
        return ""

    def _on_picked(self, index: int) -> None:
        self._picked = self.adoptable.itemData(index)

    def _show_counts(self) -> None:
        paint, volume = self.session.labels.paint, self.session.volume
        if paint is not None and volume is not None:
            self.classes.show_counts(paint.counts(), paint.slices(), flat=volume.flat)
        self._show_saved()

    def _show_saved(self) -> None:
        paint = self.session.labels.paint
        self.saved.setText("" if paint is None else _saved_text(paint))

    # ---- widgets ----------------------------------------------------------------

    def _build(self) -> None:
        self.start_button = QPushButton("Start labelling")
        self.start_button.setObjectName("start_labelling")
        self.start_button.clicked.connect(self.start)
        self.saved = QLabel()
        self.saved.setObjectName("saved")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.classes = ClassList()
        self.classes.picked.connect(self.pick)
        self.classes.renamed.connect(self._rename)
        self.classes.recoloured.connect(self._recolour)
        self.add_button = QPushButton("+ class")
        self.add_button.setObjectName("add_class")
        self.add_button.setToolTip("Add a class; the others keep their numbers")
        self.add_button.clicked.connect(self.add_class)
        self.adoptable = QComboBox()
        self.adoptable.setObjectName("adoptable")
        self.adoptable.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )
        self.adoptable.activated.connect(self._on_picked)
        self.adopt_button = QPushButton("Adopt")
        self.adopt_button.setObjectName("adopt_labels")
        self.adopt_button.setToolTip(
            "Copy this labels layer into the labels of the image; 0 is not labelled"
        )
        self.adopt_button.clicked.connect(self.adopt)
        self.between = BetweenRow(self.session, self.viewer)
        self.places = PlacesRow(self.session, self.viewer, self)
        self._arrange()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.start_button)
        top.addStretch(1)
        top.addWidget(self.saved)
        below = QHBoxLayout()
        below.addWidget(self.add_button)
        below.addStretch(1)
        below.addWidget(self.places.buttons)
        self.adopt_row = QWidget()
        row = QHBoxLayout(self.adopt_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.adoptable, 1)
        row.addWidget(self.adopt_button)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.hint)
        layout.addWidget(self.classes)
        layout.addLayout(below)
        layout.addWidget(self.places)
        layout.addWidget(self.between)
        layout.addWidget(self.adopt_row)


def _saved_text(paint: Any) -> str:
    if paint.dirty:
        return "saving ..."
    seconds = time.monotonic() - paint.saved_at
    if seconds < 60:
        return f"saved {seconds:.0f} s ago"
    if seconds < 3600:
        return f"saved {seconds / 60:.0f} min ago"
    return f"saved {seconds / 3600:.0f} h ago"
