"""The steps of the pipeline on what lies on the desk, each as a job."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sashiko.runners import Event, Job, Tick
from napari_sashiko.session.home import plain_name
from napari_sashiko.session.looking import looked_for
from napari_sashiko.session.unveiling import unveiled

if TYPE_CHECKING:
    from napari_sashiko.session.session import Session


class StepDesk:
    """Start steps; what they say comes by the signal ``event`` of the session.

    Parameters
    ----------
    session : Session
        Knows volume, paint, models and project, and runs jobs.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._at_rest = False
        session.event.connect(self._follow)

    @property
    def is_learning(self) -> bool:
        """Whether training runs and has paint that is not learned yet."""
        return self._session.is_running("train") and not self._at_rest

    def train(
        self, settings: Any, start: Path | None = None, *, stay: bool = False
    ) -> Job:
        """Train an ensemble on the paint of the volume.

        Parameters
        ----------
        settings : TrainingSettings
            Everything a user may set.
        start : Path, optional
            Model whose networks go on learning.
        stay : bool
            Go on with whatever is painted meanwhile and afterwards, until stopped.
        """
        session = self._session
        volume, paint = session.need_volume(), session.labels.need()
        out = session.shelf.new_path(session.place("models"), session.name)
        engine, classes = session.engine, paint.classes

        def work() -> Iterator[Event]:
            paint.flush()  # here: a slow disk must not hold up the window
            if stay:
                yield from engine.live_steps(volume, paint, settings, out, start=start)
                return
            labelled = paint.labelled()
            yield from engine.train_steps(
                volume, labelled, classes, settings, out, start=start
            )

        self._at_rest = False
        job = session.start("train", work, name=f"Training on {session.name}")
        session.shelf.remember(out)
        return job

    def predict(
        self,
        model: Path,
        settings: Any,
        out: Path | None = None,
        *,
        room: threading.Event | None = None,
    ) -> Job:
        """Segment the whole volume with a model; a `PredictionOpened` tells of files.

        Parameters
        ----------
        model : Path
            The model folder.
        settings : PredictionSettings
            Windows, runner, device.
        out : Path, optional
            Folder NAME.zarr; in the project of the volume when None.
        room : threading.Event, optional
            Set when there is room for the results: the first block waits for it.
        """
        session = self._session
        volume, engine = session.need_volume(), session.engine
        if room is None:
            room = threading.Event()
            room.set()
        target = out or session.place("predictions") / f"{model.stem}.zarr"

        def work() -> Iterator[Event]:
            yield Tick()
            kept = engine.keep_model(model, target)
            yield from unveiled(
                engine.keeping(
                    engine.predict_steps(kept, volume, target, settings), target
                ),
                engine.open_prediction,
                room,
            )

        return session.start("predict", work, name=f"Segmenting {session.name}")

    def find_sets(self, prediction: Path, settings: Any) -> Job:
        """Write how many classes each voxel of a prediction may have.

        Parameters
        ----------
        prediction : Path
            Folder NAME.zarr, finished; sets are named after it.
        settings : SetSettings
            Coverage.
        """
        session, engine = self._session, self._session.engine
        target = session.place("sets") / prediction.name
        return session.start(
            "sets",
            lambda: engine.set_steps(prediction, target, settings),
            name=f"Prediction sets of {session.name}",
        )

    def find_instances(
        self, prediction: Path, settings: Any, out: Path | None = None
    ) -> Job:
        """Find the instances of one class in a prediction; the table lies beside.

        Parameters
        ----------
        prediction : Path
            Folder NAME.zarr.
        settings : InstanceSettings
            What is an object.
        out : Path, optional
            Folder NAME.zarr; in the project of the volume when None.
        """
        session, engine = self._session, self._session.engine
        target = out or session.place("instances") / prediction.name
        table = target.with_suffix(".csv")
        return session.start(
            "instances",
            lambda: engine.instance_steps(prediction, target, settings, table),
            name=f"Finding instances in {session.name}",
        )

    def measure(self, prediction: Path, settings: Any) -> Job:
        """Measure the volume with each member of a prediction's model alone.

        The tables are named after the prediction and the class of the objects.

        Parameters
        ----------
        prediction : Path
            Folder NAME.zarr: its model is looked for, and members are cut like it.
        settings : InstanceSettings
            What is an object.
        """
        session = self._session
        volume, engine = session.need_volume(), session.engine
        models, place = session.models(), session.place("measurements")

        def work() -> Iterator[Event]:
            yield Tick()
            model = engine.model_of(prediction, models)
            label, name = engine.chosen_class(prediction, settings)
            objects = settings.model_copy(update={"label_class": label})
            chosen = engine.settings_like(prediction, objects)
            out = place / plain_name(f"{prediction.stem} {name}")
            yield Tick()
            yield from engine.measure_steps(model, volume, out, chosen)

        return session.start("measure", work, name=f"Measuring {session.name}")

    def score(
        self, result: Path, truth: Any, *, ignore: Any = None, only: Any = None
    ) -> Job:
        """Compare a result with the truth; a `ResultScored` brings the scores.

        Parameters
        ----------
        result : Path
            Folder NAME.zarr of a prediction or a restored image, finished.
        truth : Volume or path
            Class ids, 0 is not scored; or the image as it should be.
        ignore : Volume, optional
            Voxels that are not 0 here are not scored.
        only : Volume or path, optional
            Of an image: voxels that are 0 here are not scored.
        """
        session, engine = self._session, self._session.engine
        return session.start(
            "score",
            lambda: engine.score_steps(result, truth, ignore=ignore, only=only),
            name=f"Scoring {result.stem}",
        )

    def export(self, what: Any, out: Path, **said: Any) -> Job:
        """Write a result or a model for other programs; a file that is there goes.

        Parameters
        ----------
        what : Exportable
            What is written.
        out : Path
            File; its ending decides the format.
        **said
            Fields of `ExportSettings` that tell of a model: authors, license.

        Raises
        ------
        SettingsError
            If one of them is impossible.
        """
        session, engine = self._session, self._session.engine
        settings = engine.ExportSettings.checked(
            **what.settings, **said, overwrite=True
        )

        def work() -> Iterator[Event]:
            yield Tick()
            yield from engine.export_steps(what.source, out, settings)

        return session.start("export", work, name=f"Exporting {what.what}")

    def find_places(self, model: Path | None = None, settings: Any = None) -> Job:
        """Look for places that are unsure; a `PlacesFound` brings them.

        Parameters
        ----------
        model : Path, optional
            The newest one if left out.
        settings : PlacesSettings, optional
            How many, how far apart, how long.

        Raises
        ------
        ModelError
            If there is no model yet.
        """
        session = self._session
        chosen, volume = session.need_model(model), session.need_volume()
        prediction = session.place("predictions") / f"{chosen.stem}.zarr"
        engine, paint = session.engine, session.labels.paint
        return session.start(
            "places",
            lambda: looked_for(
                engine, chosen, prediction, volume, paint, settings=settings
            ),
            name=f"Looking for places in {session.name}",
        )

    def _follow(self, kind: str, event: Event) -> None:
        """Take note of whether there is anything to learn."""
        if kind != "train":
            return
        # By name: the classes live in a room that loads the engine.
        at_rest = type(event).__name__ in ("TrainingRested", "TrainingWaits")
        if at_rest != self._at_rest:
            self._at_rest = at_rest
            self._session.job_changed.emit("train")
