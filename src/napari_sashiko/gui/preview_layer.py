"""The slice in view by the newest model: its classes, and how unsure it is."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.preview_faces import ClassesFace, DoubtFace
from napari_sashiko.gui.result_words import describe_model
from napari_sashiko.gui.view_region import view_region
from napari_sashiko.session import PreviewReady, Session
from napari_sashiko.volumes import Region

MILLISECONDS = 150
LONGEST_SIDE = 1024  # of the region that is segmented at once


class PreviewLayer(QObject):
    """Ask for the slice in view when it or the model changes, and show the answer.

    Parameters
    ----------
    session : Session
        Segments in the background; drops stale answers.
    viewer : napari.Viewer
        Where the layers are added.
    """

    changed = Signal(str)  # which model it comes from, in words

    def __init__(self, session: Session, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.viewer = viewer
        self.model: Path | None = None
        self.classes = ClassesFace(session, viewer, on=True)
        self.doubt = DoubtFace(session, viewer, on=False)
        self._faces = (self.classes, self.doubt)
        self._stale = False  # whether what is shown is of an older model
        self._what = ""
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
        self._stale = True
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
        image, volume = self.session.source, self.session.volume
        if image is None or volume is None:
            return None
        return view_region(self.viewer, image, volume, LONGEST_SIDE)

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
            self.session.previews.ask(region, self.model)

    def _ask_if_needed(self) -> None:
        region = self.region_in_view()
        if region is None or all(face.covers(region) for face in self._faces):
            return
        self._ask()

    def _on_view(self, _event: Any = None) -> None:
        if self.enabled and self.model is not None:
            self._timer.start()

    # ---- showing ----------------------------------------------------------------

    def _show(self, ready: PreviewReady) -> None:
        if ready.volume is not self.session.volume or not self.enabled:
            return
        if self._stale:
            # Other slices would say what the newest model does not.
            for face in self._faces:
                face.clear()
            self._stale = False
        for face in self._faces:
            face.put(ready)
        self.changed.emit(_describe(ready, self._what))

    def _on_classes(self) -> None:
        for face in self._faces:
            face.recolour()

    def _on_volume(self) -> None:
        self.model = None
        for face in self._faces:
            face.forget()

    def _on_removed(self, event: Any) -> None:
        for face in self._faces:
            if face.layer is not None and event.value is face.layer:
                face.forget()


def _describe(ready: PreviewReady, what: str) -> str:
    members = f"{ready.members} member{'s' if ready.members != 1 else ''}"
    newest = f" ({what})" if what else ""
    return f"Preview by {describe_model(ready.model)}: {members}{newest}"
