"""The slice in view by the newest model: its classes, and how unsure it is."""

import sys
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.preview_faces import ClassesFace, DoubtFace
from napari_sashiko.gui.preview_words import describe_cut, describe_preview
from napari_sashiko.gui.view_region import view_region
from napari_sashiko.session import PreviewReady, Session
from napari_sashiko.volumes import Region

MILLISECONDS = 150
LONGEST_SIDE = 1024  # of the region that is segmented at once


class PreviewLayer(QObject):
    """Ask for the slice in view when it or the model changes, and show the answer.

    Strategy: a model folder is written again and again under the same name. Each time
    that is heard of, the model gets a number, which goes with the question and comes
    back with the answer. All regions that are shown are of one number, and only those
    of the newest one need not be asked for again.

    Parameters
    ----------
    session : Session
        Segments in the background; drops stale answers.
    viewer : napari.Viewer
        Where the layers are added.
    """

    changed = Signal(str)  # what it is made of, in words

    def __init__(self, session: Session, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self.model: Path | None = None
        self.classes = ClassesFace(session, viewer, on=True)
        self.doubt = DoubtFace(session, viewer, on=False)
        self._faces = (self.classes, self.doubt)
        self._number = 0  # of the newest model
        self._what = ""
        self._said = ""  # of what is shown
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._ask_if_needed)
        viewer.dims.events.current_step.connect(self._on_view)
        viewer.dims.events.order.connect(self._on_view)
        viewer.camera.events.connect(self._on_view)
        viewer.layers.events.removed.connect(self._on_removed)
        session.volume_changed.connect(self._on_volume)
        session.labels_changed.connect(self._on_classes)
        session.previews.changed.connect(self._show)

    @property
    def enabled(self) -> bool:
        """Whether anything is to be shown."""
        return any(face.on for face in self._faces)

    def use(self, model: Path, what: str = "") -> None:
        """Show this model from now on; call it again when a member was saved.

        Parameters
        ----------
        model : Path
            Model folder.
        what : str, optional
            What was added to it last, in words.
        """
        self.model = model
        self._what = what
        self._number += 1
        self._ask()

    def make_room(self) -> None:
        """Add the layers, empty, before all cores compute: that takes a while."""
        for face in self._faces:
            face.make_room()

    def switch(self, *, on: bool) -> None:
        """Show or hide the classes."""
        self._switch(self.classes, on=on)

    def switch_doubt(self, *, on: bool) -> None:
        """Show or hide how unsure it is."""
        self._switch(self.doubt, on=on)

    def shutdown(self) -> None:
        """Stop following the viewer; the layers stay."""
        self._timer.stop()
        self.viewer.dims.events.current_step.disconnect(self._on_view)
        self.viewer.dims.events.order.disconnect(self._on_view)
        self.viewer.camera.events.disconnect(self._on_view)
        self.viewer.layers.events.removed.disconnect(self._on_removed)

    # ---- asking -----------------------------------------------------------------

    def region_in_view(self) -> Region | None:
        """Part of the slice in view that is segmented, (Z, Y, X); None in 3D."""
        return self._view(LONGEST_SIDE)

    def _view(self, longest: int) -> Region | None:
        image, volume = self.session.source, self.session.volume
        if image is None or volume is None:
            return None
        return view_region(self.viewer, image, volume, longest)

    def _switch(self, face: Any, *, on: bool) -> None:
        """Ask for what a face lacks, or for nothing where none is left."""
        face.switch(on=on)
        if on:
            self._ask_if_needed()
        elif not self.enabled:
            self.session.previews.forget()

    def _ask(self) -> None:
        region = self.region_in_view() if self.enabled else None
        if region is None or self.model is None:
            return
        with telling(self.session):
            self.session.previews.ask(
                region, self.model, number=self._number, what=self._what
            )

    def _ask_if_needed(self) -> None:
        self._tell()
        region = self.region_in_view()
        if region is None:
            return
        if not all(face.covers(region, self._number) for face in self._faces):
            self._ask()

    def _on_view(self, _event: Any = None) -> None:
        if self.enabled and self.model is not None:
            self._timer.start()

    # ---- showing ----------------------------------------------------------------

    def _show(self, ready: PreviewReady) -> None:
        if ready.volume is not self.session.volume or not self.enabled:
            return
        for face in self._faces:
            face.put(ready)
        self._said = describe_preview(ready.model, ready.voices, ready.what)
        self._tell()

    def _tell(self) -> None:
        """Say what the regions shown are made of, and whether the view has more."""
        if not self._said:
            return
        cut = self.region_in_view() != self._view(sys.maxsize)
        self.changed.emit(self._said + (describe_cut(LONGEST_SIDE) if cut else ""))

    def _on_classes(self) -> None:
        for face in self._faces:
            face.recolour()

    def _on_volume(self) -> None:
        self.model, self._said = None, ""
        for face in self._faces:
            face.forget()

    def _on_removed(self, event: Any) -> None:
        for face in self._faces:
            if face.layer is not None and event.value is face.layer:
                face.forget()
