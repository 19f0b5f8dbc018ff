"""Step 4 of the dock: the objects of one class, counted and measured."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QGroupBox

from napari_sashiko.errors import OutputError, SashikoError
from napari_sashiko.gui.background import Question
from napari_sashiko.gui.error_bars_row import ErrorBarsRow
from napari_sashiko.gui.instance_link import InstanceLink
from napari_sashiko.gui.instances_form import InstancesForm
from napari_sashiko.gui.lazy_array import as_levels
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.result_layers import hide_classes, put_layer
from napari_sashiko.gui.result_words import describe_found, describe_going, size_unit
from napari_sashiko.gui.split_preview import SplitPreview
from napari_sashiko.runners import Event, Message, Progress, Tick
from napari_sashiko.session import PredictionOpened, Session

KIND = "instances"
QUIET_MILLISECONDS = 300


class InstancesStep(QGroupBox):
    """Choose class, threshold and dust; find instances; show their table.

    Parameters
    ----------
    session : Session
        The desk.
    viewer : napari.Viewer
        Where the results are shown.
    """

    prediction_changed = Signal(object)  # Prediction, or None

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__("4  Instances")
        self.session = session
        self.viewer = viewer
        self.prediction: Any = None
        self.sizes: np.ndarray | None = None
        self.table_path: Path | None = None
        self._source: Any = None
        self.form = InstancesForm(self, viewer)
        self.bars = ErrorBarsRow(session, lambda: (self.prediction, self._settings()))
        self.form.add_row(self.bars)
        self.link = InstanceLink(self.form.table, viewer, self)
        self.preview = SplitPreview(session, viewer, self)
        self.counting = Question(session, "count", self)
        self.reading = Question(session, "table", self)
        self.looking = Question(session, "look", self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(QUIET_MILLISECONDS)
        self._connect()
        self.refresh()

    @property
    def running(self) -> bool:
        """Whether objects are being searched."""
        return self.session.is_running(KIND)

    # ---- what the user does -----------------------------------------------------

    def find_objects(self) -> None:
        """Search, measure and show the objects."""
        with telling(self.session):
            if self.prediction is None:
                raise OutputError("There is no prediction.", "Segment a volume first.")
            settings = self._settings()
            self.counting.forget()
            self._source = self.session.source
            self.session.steps.find_instances(self.prediction.path, settings)

    def cancel(self) -> None:
        """Stop searching; nothing is left behind."""
        self.form.cancel_button.setEnabled(False)
        self.session.stop(KIND)

    def export(self) -> None:
        """Ask where to and save the table."""
        if self.table_path is None:
            return
        suggestion = str(Path.home() / self.table_path.name)
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the table", suggestion, "Comma-separated values (*.csv)"
        )
        if chosen:
            with telling(self.session):
                shutil.copyfile(self.table_path, chosen)
                self.session.message.emit(f"Table saved to {chosen}.", "info")

    def restore(
        self, prediction: Any, found: Any, settings: dict[str, Any] | None
    ) -> None:
        """Show the objects of an earlier session and their table.

        Parameters
        ----------
        prediction : Prediction or None
            What is searched from now on, open for reading.
        found : Instances or None
            Open for reading.
        settings : dict, optional
            Of that search.
        """
        if self.running:
            return
        if prediction is not None:
            self._show_prediction(prediction)
        if settings is not None:
            self.form.show_values(settings)
        if found is None:
            return
        self._source = self.session.source
        self.link.watch(self._show_layer(found))
        self.table_path = found.table
        if found.table is not None:
            self._read_table(found.table, None)

    # ---- what is shown ----------------------------------------------------------

    def refresh(self) -> None:
        """Open the step when there is a prediction, and say what is missing."""
        ready = self.prediction is not None
        self.setEnabled(self.running or ready or self.bars.running)
        self.form.show_running(running=self.running, ready=ready)
        self.bars.refresh(ready=ready)
        partial = ready and self.prediction.done < self.prediction.total
        if not ready:
            self.form.say("Segment a volume first.")
        elif partial and not self.session.is_running("predict"):
            self.form.say(
                f"{self.prediction.done} of {self.prediction.total} blocks are "
                "segmented: objects are found in these only."
            )
        else:
            self.form.say("")

    def use(self, path: Path) -> None:
        """Work on this prediction from now on."""
        with telling(self.session):
            self._show_prediction(self.session.engine.open_prediction(path))

    def shutdown(self) -> None:
        """Stop following the viewer."""
        self._soon.stop()
        self.bars.shutdown()
        self.link.shutdown()
        self.preview.shutdown()
        self.form.histogram.shutdown()

    def _look(self) -> None:
        """Take the newest prediction of the volume."""
        path = newest_prediction(self.session.folder)
        if path is None:
            self.looking.forget()
        else:
            self._look_at(path)

    def _look_at(self, path: Path) -> None:
        session = self.session

        def work() -> Generator[Event, None, Any]:
            yield Tick()
            return session.engine.open_prediction(path)

        self.looking.ask(work)

    def _show_prediction(self, prediction: Any) -> None:
        self.prediction = prediction
        self.bars.clear()
        self.form.show_classes(prediction.classes)
        flat = is_flat(prediction)
        self.form.show_unit(prediction.unit, self._voxel(), flat=flat)
        self._ask_sizes_soon()
        self.refresh()
        self.prediction_changed.emit(prediction)

    # ---- live count -------------------------------------------------------------

    def ask_sizes(self) -> None:
        """Search the objects in the background, for the count and the histogram."""
        if self.prediction is None:
            return
        if self.session.is_running("predict"):
            self.form.going.setText("counted when the volume is segmented")
            return
        with telling(self.session):
            settings = self._settings(dust="0")
            engine, path = self.session.engine, self.prediction.path

            def work() -> Generator[Event, None, np.ndarray]:
                yield Tick()
                yield from engine.scan_components(path, settings)
                sizes: np.ndarray = engine.component_sizes(path, settings)
                return sizes

            self.preview.show(path, settings)
            self.form.going.setText("counting ...")
            self.counting.ask(work)

    def _ask_sizes_soon(self) -> None:
        self.sizes = None
        self._soon.start()

    def _show_sizes(self, sizes: np.ndarray) -> None:
        self.sizes = sizes
        if self.prediction is None:
            return
        unit, flat = self.prediction.unit, is_flat(self.prediction)
        title = f"size, {size_unit(unit, flat=flat)}"
        self.form.histogram.show_values(sizes * self._voxel(), title)
        self.form.histogram.setVisible(len(sizes) > 0)
        self._show_going()

    def _show_going(self) -> None:
        """Say how many objects are dust, from the sizes that are known."""
        if self.sizes is None or self.prediction is None:
            return
        engine, found = self.session.engine, self.prediction
        try:
            fewest = engine.dust_voxels(
                self.form.dust_text(), found.voxel_size, found.unit, flat=is_flat(found)
            )
        except SashikoError as error:
            self.form.going.setText(str(error))
            return
        kept, removed = engine.dust_counts(self.sizes, fewest)
        self.form.going.setText(describe_going(kept, removed))
        self.form.histogram.show_line(fewest * self._voxel() if fewest > 1 else None)

    def _voxel(self) -> float:
        """Size of a voxel in the unit of the image; 1 if there is none."""
        found = self.prediction
        if found.unit in ("", "pixel"):
            return 1.0
        return float(
            np.prod(found.voxel_size[1:] if is_flat(found) else found.voxel_size)
        )

    def _settings(self, **changes: Any) -> Any:
        values = {**self.form.values(), **changes}
        return self.session.engine.InstanceSettings.checked(**values)

    # ---- following --------------------------------------------------------------

    def _connect(self) -> None:
        form, session = self.form, self.session
        form.find_button.clicked.connect(lambda _on: self.find_objects())
        form.cancel_button.clicked.connect(lambda _on: self.cancel())
        form.export_button.clicked.connect(lambda _on: self.export())
        form.alone.toggled.connect(lambda on: self.link.show_alone(on=on))
        form.changed.connect(self._ask_sizes_soon)
        form.dust_changed.connect(self._show_going)
        form.changed.connect(self.bars.clear)
        form.dust_changed.connect(self.bars.clear)
        self.link.selected.connect(self._on_selected)
        self.counting.answered.connect(self._show_sizes)
        self.counting.refused.connect(form.going.setText)
        self.looking.answered.connect(self._show_prediction)
        self.looking.refused.connect(form.say)
        self.reading.answered.connect(self._show_table)
        self.reading.refused.connect(form.tell)
        self._soon.timeout.connect(self.ask_sizes)
        session.volume_changed.connect(self._on_volume)
        session.job_changed.connect(self._on_job)
        session.event.connect(self._on_event)

    def _on_volume(self) -> None:
        self.prediction, self.sizes, self.table_path = None, None, None
        self.counting.forget()
        self.reading.forget()
        self.bars.clear()
        self.preview.drop()
        self.form.going.setText("")
        self.form.tell("")
        self.form.table.clear()
        self.form.show_results(histogram=False, table=False)
        self.link.watch(None)
        self.prediction_changed.emit(None)
        self._look()
        self.refresh()

    def _on_job(self, kind: str) -> None:
        ended = kind == "predict" and not self.session.is_running(kind)
        if ended and self.prediction is not None:
            self._look_at(self.prediction.path)
        if kind == KIND:
            job = self.session.job(kind)
            state = job.status.state if job is not None else ""
            if self.running:
                self.form.show_progress(0, 0, "Preparing ...")
            elif state == "cancelled":
                self.form.tell("Stopped.")
            elif state == "failed":
                self.form.tell("")
        self.refresh()

    def _on_event(self, kind: str, event: Event) -> None:
        name = type(event).__name__
        if kind == "predict" and isinstance(event, PredictionOpened):
            self._on_prediction(event.result)
        elif kind == "count" and isinstance(event, Progress):
            self.form.going.setText(f"counting ... {100 * event.done // event.total} %")
        elif kind == KIND and isinstance(event, Message):
            self.session.message.emit(event.text, event.level)
        elif kind == KIND and isinstance(event, Progress):
            self.form.show_progress(event.done, event.total, event.what)
        elif kind == KIND and name == "InstancesDone":
            self._on_found(event)

    def _on_prediction(self, result: Any) -> None:
        """Take what is being segmented, if it is the volume on the desk."""
        if self._is_here(result.path):
            self._show_prediction(result)

    def _is_here(self, path: Path) -> bool:
        """Whether a result is of the volume on the desk."""
        folder = self.session.folder
        return folder is not None and folder in path.parents

    def _on_found(self, event: Any) -> None:
        """Show the objects; the table, too, if they are of the volume on the desk."""
        here = self._is_here(Path(event.path))
        with telling(self.session):
            found = self.session.engine.open_instances(event.path)
            if here:
                self.preview.drop()
            layer = self._show_layer(found)
            if here:
                self.link.watch(layer)
        if not here:
            return
        self.form.tell(describe_found(event.count, event.removed))
        self.table_path = None if event.table is None else Path(event.table)
        if self.table_path is not None:
            self._read_table(self.table_path, event)

    def _read_table(self, path: Path, event: Any) -> None:
        """Read a table in the background; `event` tells of a search just done."""

        def work() -> Generator[Event, None, Any]:
            yield Tick()
            import pandas as pd  # noqa: PLC0415 - slow to load

            try:
                table = pd.read_csv(path)
                table[["label", "voxels", "volume", "length", "touches_border"]]
            except (OSError, ValueError, KeyError) as error:
                raise OutputError(
                    f"The table {path.name} cannot be read: {error}.",
                    "Find the instances again.",
                ) from error
            yield Tick()
            return table, event

        self.reading.ask(work)

    def _show_layer(self, found: Any) -> Any:
        source = self._source
        if source is None or source not in self.viewer.layers:
            return None
        layer = put_layer(
            self.viewer,
            source,
            Labels,
            as_levels((found.labels, *found.coarser)),
            name=f"{source.name} - instances",
            note={"result": "instances", "path": str(found.path)},
            first={"opacity": 0.7},
            always={"visible": True},
        )
        layer.editable = False
        hide_classes(self.viewer, source)
        return layer

    def _show_table(self, answer: Any) -> None:
        table, event = answer
        flat = self.prediction is not None and is_flat(self.prediction)
        self.form.table.show_table(table, flat=flat)
        self.form.show_results(histogram=True, table=len(table) > 0)
        unit = "" if self.prediction is None else self.prediction.unit
        count, removed = (
            (len(table), 0) if event is None else (event.count, event.removed)
        )
        self.form.tell(describe_found(count, removed, table, unit))
        if self.link.layer is not None and len(table):
            columns = ["label", "voxels", "volume", "length"]
            features = table[columns].rename(columns={"label": "index"})
            self.link.layer.features = features

    def _on_selected(self, label: int) -> None:
        rows = self.form.table.rows
        record = rows.record(label) if rows is not None else None
        if record is not None:
            self.form.histogram.mark(float(record["voxels"]) * self._voxel())


def is_flat(prediction: Any) -> bool:
    """Whether a prediction is of images, not of a volume."""
    return bool(prediction.stack.planar)


def newest_prediction(folder: Path | None) -> Path | None:
    """Return the prediction in a project that was written last."""
    if folder is None:
        return None
    found = (folder / "predictions").glob("*.zarr/zarr.json")
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    return None if newest is None else newest.parent
