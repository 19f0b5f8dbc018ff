"""The dock: a volume on top, below it the steps Label, Train, Segment, Instances."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_sashiko.errors import VolumeError
from napari_sashiko.gui.axes_button import AxesButton
from napari_sashiko.gui.file_parts import FileParts
from napari_sashiko.gui.instances_step import InstancesStep
from napari_sashiko.gui.job_bridge import HIDDEN, JobBridge
from napari_sashiko.gui.label_layer import warm_colours
from napari_sashiko.gui.label_step import LabelStep
from napari_sashiko.gui.layer_projects import LayerProjects
from napari_sashiko.gui.layer_volume import (
    describe_axes,
    source_path,
    volume_of,
)
from napari_sashiko.gui.level_layer import level_layer
from napari_sashiko.gui.level_row import LevelRow
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.open_button import OpenButton
from napari_sashiko.gui.parts import choose_data, fill_box, make_box, scrolling
from napari_sashiko.gui.restoring import RestoreRow, steps_of
from napari_sashiko.gui.result_layers import is_source, move_along
from napari_sashiko.gui.result_words import short
from napari_sashiko.gui.segment_step import SegmentStep
from napari_sashiko.gui.status_line import StatusLine
from napari_sashiko.gui.train_step import TrainStep
from napari_sashiko.gui.window_watch import WindowWatch
from napari_sashiko.session import Session
from napari_sashiko.volumes import Volume

WIDTH = 390
MILLISECONDS_TO_MOVE = 100
LOOKING = "Looking at the image ..."


class SashikoDock(QWidget):
    """Paint, train, segment, count: one dock for one viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer; napari passes it by this name.
    session : Session, optional
        A desk of one's own, for tests.
    """

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__()
        # A proxy hides what is not public and makes every read slow.
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.session = session or Session()
        # The last resort, when neither window nor dock said that they close.
        self.destroyed.connect(self.session.shutdown)
        self._named: Any = None  # the layer whose axes and voxel size are followed
        self._uncovers = False  # whether paint that was hidden is shown again
        self._waits = False  # for a file, or for its project
        self._then: Callable[[], None] | None = None  # what is done when they are known
        self._shut = False
        self._moved = QTimer(self)
        self._moved.setSingleShot(True)
        self._moved.setInterval(MILLISECONDS_TO_MOVE)
        self._moved.timeout.connect(self._take_along)
        self.projects = LayerProjects(self.session, self.viewer, self)
        self.projects.found.connect(self._on_found)
        self.parts = FileParts(self.session, self.viewer, self)
        self.parts.marked.connect(self._on_parts)
        self._watch = WindowWatch(self)
        self._watch.gone.connect(self.shutdown)
        self.label = LabelStep(self.session, self.viewer)
        self.train = TrainStep(self.session, self.viewer)
        self.segment = SegmentStep(self.session, self.viewer)
        self.instances = InstancesStep(self.session, self.viewer)
        self.instances.prediction_changed.connect(self.segment.rows.use)
        self.restoring = RestoreRow(self.session, partial(steps_of, self))
        self.status = StatusLine(self.viewer)
        self._build()
        self.session.message.connect(self.status.show_message)
        self.session.job_changed.connect(self._on_job)
        self.bridge = JobBridge(self.session, self)
        self._watch_layers()
        self.reset_choices()
        self.session.warm_up(warm_colours)

    # ---- volume -----------------------------------------------------------------

    def reset_choices(self, event: Any = None) -> None:  # noqa: ARG002 - napari's name
        """Follow added, removed and renamed layers."""
        images = [layer for layer in self.viewer.layers if is_source(layer)]
        fill_box(self.volumes, [(layer.name, layer) for layer in images])
        self._choose()
        self.label.reset_choices()
        self.segment.rows.follow()

    def choose_level(self, image: Any, level: int) -> None:
        """Work on a level of a multiscale image."""
        with telling(self.session):
            wanted = level_layer(self.viewer, image, level)
            choose_data(self.volumes, wanted)

    def _choose(self) -> None:
        layer = self.volumes.currentData()
        self.level.follow(layer)
        if layer is self.session.source:
            if layer is not None and self.session.volume is not None:
                self.session.name = layer.name
            return
        self._listen_to(layer)
        self._moved.stop()
        self._uncovers, self._then = False, None
        if layer is not None:
            self.projects.try_again(layer)
        self._work_on(layer)

    def _listen_to(self, layer: Any) -> None:
        """Follow what is said of the axes and the voxel size of the image."""
        for emitter in _emitters(self._named):
            emitter.disconnect(self._on_place)
        for emitter in _movers(self._named):
            emitter.disconnect(self._on_moved)
        self._named = layer
        for emitter in _emitters(layer):
            emitter.connect(self._on_place)
        for emitter in _movers(layer):
            emitter.connect(self._on_moved)

    def _on_parts(self, layers: list[Any]) -> None:
        """Take what is one of several images of a file for one with its own project."""
        if self.session.source in layers and self.session.labels.paint is None:
            self._work_on(self.session.source)

    def _on_moved(self, event: Any = None) -> None:  # noqa: ARG002 - napari's name
        """Take paint and results along soon; many events come while one drags."""
        if not self._moved.isActive():
            self._moved.start()

    def _take_along(self) -> None:
        if self.session.volume is not None and self._named is self.session.source:
            move_along(self.viewer, self._named, self.session.folder)

    def _on_place(self, event: Any = None) -> None:  # noqa: ARG002 - napari's name
        """Work on another image, or in other units, if the layer says so now."""
        now, paint = self.session.volume, self.label.layer
        with suppress(VolumeError):
            found = volume_of(self._named)
            if now is not None and (found.axes, found.time) == (now.axes, now.time):
                if (found.voxel_size, found.unit) != (now.voxel_size, now.unit):
                    self._work_on(self._named)
                    move_along(self.viewer, self._named, self.session.folder)
                return
        if paint is not None:
            paint.visible = False  # it lies on the same voxels
        self._uncovers = True
        self._work_on(self._named)
        if self.label.layer is not None:
            self.label.layer.visible = True  # its axes are those of before again

    def _work_on(self, layer: Any) -> None:
        """Take a layer for the volume of the session; none if it cannot be one."""
        self.status.clear()
        with telling(self.session):
            volume, folder, waits = None, None, False
            self.session.source = layer
            try:
                if layer is not None:
                    found = self.projects.volume_of(layer)
                    folder = self.projects.folder_of(layer, found)
                    volume, waits = found, folder is None
            finally:
                self._put(layer, volume, folder, waits=waits)

    def _put(
        self, layer: Any, volume: Volume | None, folder: Path | None, *, waits: bool
    ) -> None:
        """Put a volume on the desk; where its file is to be asked first, nothing."""
        self.session.set_volume(
            None if waits else volume,
            name="" if layer is None else layer.name,
            path=None if layer is None else source_path(layer),
            source=layer,
            folder=folder,
        )
        self._waits = waits
        known = "" if volume is None else describe_volume(volume)
        self.facts.setText(LOOKING if waits else known)
        self.facts.setVisible(waits or volume is not None)
        self.axes.follow(layer, "" if volume is None else volume.axes)
        # Last: showing the job lets events through, and so the answer may come at once.
        self.projects.look_for([(layer, volume)] if waits else [])

    def _on_found(self) -> None:
        """Go on with the image that was chosen last, if it waits for its project."""
        layer = self.session.source
        if layer is not None and self.session.volume is None:
            self._work_on(layer)
            if self._uncovers and self.label.layer is not None:
                self.label.layer.visible = True
        then, self._then = self._then, None
        if then is not None and self.session.volume is not None:
            then()

    def when_ready(self, action: Callable[[], None]) -> bool:
        """Do something with the image, at once or when its project is found.

        Returns
        -------
        bool
            Whether there is an image to do it with.
        """
        self._then = None
        if self.session.volume is not None:
            action()
        elif self._waits:
            self._then = action
        else:
            return False
        return True

    def show_project(self, layer: Any) -> None:
        """Work on this image, and restore all that its project holds."""
        choose_data(self.volumes, layer)
        if self.session.source is layer and self.session.volume is not None:
            self.restoring.restore()

    def _on_job(self, kind: str) -> None:
        # What could not be done before is over once it, or what comes next, works.
        started = kind not in HIDDEN and self.session.is_running(kind)
        if started and self.status.level == "error":
            self.status.clear()

    def _watch_layers(self) -> None:
        events = self.viewer.layers.events
        for emitter in (events.inserted, events.removed, events.renamed):
            emitter.connect(self.reset_choices)

    # ---- life -------------------------------------------------------------------

    def shutdown(self) -> None:
        """Stop and join all work, save the paint; may be called twice."""
        if self._shut:
            return
        self._shut = True
        events = self.viewer.layers.events
        for emitter in (events.inserted, events.removed, events.renamed):
            emitter.disconnect(self.reset_choices)
        self._listen_to(None)
        self.axes.follow(None, "")
        self.parts.stop()
        self._watch.stop()
        self._moved.stop()
        self.bridge.stop()
        self.session.shutdown()
        for step in (self.label, self.train, self.segment, self.instances):
            close = getattr(step, "shutdown", None)
            if close is not None:
                close()

    # ---- widgets ----------------------------------------------------------------

    def _build(self) -> None:
        self.volumes = make_box("volume", "The image to work on")
        self.volumes.currentIndexChanged.connect(lambda _index: self._choose())
        self.axes = AxesButton()
        self.open = OpenButton.beside(self.volumes, self.session, self.viewer)
        self.level = LevelRow(self.viewer)
        self.level.chosen.connect(self.choose_level)
        self.facts = QLabel()
        self.facts.setObjectName("volume_facts")
        self.facts.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("Volume"))
        row.addWidget(self.volumes, 1)
        row.addWidget(self.axes)
        row.addWidget(self.open)
        inner = QWidget()
        steps = QVBoxLayout(inner)
        steps.setContentsMargins(6, 6, 6, 6)
        steps.addLayout(row)
        steps.addWidget(self.level)
        steps.addWidget(self.facts)
        steps.addWidget(self.restoring)
        for step in (self.label, self.train, self.segment, self.instances):
            steps.addWidget(step)
        steps.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(inner), 1)
        layout.addWidget(self.status)
        self.setMinimumWidth(WIDTH)


def _emitters(layer: Any) -> tuple[Any, ...]:
    """What tells that a layer is read in other axes, or measured otherwise."""
    if layer is None:
        return ()
    return layer.events.axis_labels, layer.events.scale, layer.events.units


def _movers(layer: Any) -> tuple[Any, ...]:
    """What tells that a layer was moved or turned."""
    if layer is None:
        return ()
    events = layer.events
    return events.translate, events.rotate, events.shear, events.affine


def describe_volume(volume: Volume) -> str:
    """Size, voxel size and type in one line."""
    stack = volume.stacking
    shape = stack.on_disk if stack.time is None else stack.on_disk[1:]
    parts = [" × ".join(str(n) for n in shape), _size_text(volume)]
    if stack.time is not None:
        parts.insert(0, f"{stack.count} time points")
    if volume.channels > 1:
        parts.append(f"{volume.channels} channels")
    axes = describe_axes(volume)
    return ", ".join([*parts, str(volume.dtype)]) + (f"; {axes}" if axes else "")


def _size_text(volume: Volume) -> str:
    if volume.unit in ("", "pixel"):
        return "no voxel size"
    size = volume.voxel_size[1:] if volume.flat else volume.voxel_size
    unit = short(volume.unit)
    if len({f"{s:.4g}" for s in size}) == 1:
        return f"{size[0]:.4g} {unit}"
    return " × ".join(f"{s:.4g}" for s in size) + f" {unit}"
