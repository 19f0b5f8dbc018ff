"""A sixth dock: folders of pictures; train on them, segment, restore, score them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from napari_sashiko.errors import ModelError, SettingsError
from napari_sashiko.gui.augment_row import AugmentRow, Subject
from napari_sashiko.gui.background import Question
from napari_sashiko.gui.learn_dock import LearnDock
from napari_sashiko.gui.messages import telling
from napari_sashiko.gui.parts import fill_box, say
from napari_sashiko.gui.pictures_form import PicturesForm
from napari_sashiko.gui.pictures_layers import PictureLayers
from napari_sashiko.gui.pictures_words import (
    compared_words,
    done_words,
    folder_words,
    score_table,
)
from napari_sashiko.runners import Event, Message
from napari_sashiko.session import PictureFolder, Restoration, known_models
from napari_sashiko.volumes import pictures_in

ALL = "all, as a stack"
LEARNED = "train"
SEGMENTED, RESTORED = "segmented", "restored"
LIKELY = ("test", "validate", "train")  # parts that are segmented at first


class PicturesDock(LearnDock):
    """Choose a folder; see what is in it, train, segment, score, look at results.

    A model that restores images restores the pictures instead.
    """

    kind: ClassVar[str] = "pictures"
    settings_name: ClassVar[str] = "TrainingSettings"
    room: ClassVar[str] = "models"
    parts: ClassVar[Mapping[str, str]] = {"network": "network", "loss": "loss"}
    form: PicturesForm

    def make_form(self) -> PicturesForm:
        """Make the widgets."""
        self.shown = PictureLayers(self.viewer)
        self.augmented: AugmentRow | None = None
        self.found: Any = None  # what there is in the folder
        self._asked: PictureFolder | None = None  # what was looked at
        self._restorers: set[Path] = set()  # those of the models that restore
        self._listed: list[Path] = []  # those of them that are of the folder, or images
        self._done = SEGMENTED  # what is done to the pictures
        self._again: Callable[[], None] = self.start
        self.question = Question(self.session, "look", self)
        self.question.answered.connect(self._on_found)
        self.question.refused.connect(self._on_refused)
        form = PicturesForm(self, self.session, self.viewer)
        form.folder.changed.connect(self.look)
        form.unlabelled.currentTextChanged.connect(lambda _text: self.look_again())
        form.names.editingFinished.connect(self.look_again)
        form.target.changed.connect(self._on_target)
        form.clean.changed.connect(lambda: say(form.scores, ""))
        form.models.currentIndexChanged.connect(lambda _index: self._show_running())
        form.apply_button.clicked.connect(lambda _on: self.apply())
        form.evaluate_button.clicked.connect(lambda _on: self.evaluate())
        form.show_button.clicked.connect(lambda _on: self.show_pictures())
        form.shown.activated.connect(lambda _index: self.show_pictures())
        return form

    def project_folders(self) -> list[Path]:
        """The project of the folder."""
        path = self.form.folder.path
        return [] if path is None else [PictureFolder(path.absolute()).project]

    # ---- what the user does -----------------------------------------------------

    def look(self) -> None:
        """Look at the folder in the background, and say what there is."""
        self.found = self._asked = None
        self.choose()
        if self.form.folder.path is None:
            self.question.forget()
            self.form.say_found("")
            return
        self.form.say_found("Looking at the pictures ...")
        session, folder = self.session, self.folder()
        self._asked = folder
        self.question.ask(lambda: folder.looked_at(lambda: session.engine))

    def look_again(self) -> None:
        """Look again if the folder is to be read otherwise."""
        if self.form.folder.path is not None and self.folder() != self._asked:
            self.look()

    def start(self) -> None:
        """Train on the folder, anew or from the chosen model."""
        with telling(self.session):
            folder, session = self.folder(), self.session
            if self.found is not None and self.found.missing:
                raise SettingsError(self.found.missing)
            settings = session.engine.training_settings(
                **self.ensure_settings().values()
            )
            start = self.form.models.currentData()
            if self.restores(start):
                raise ModelError(
                    "The model restores images, it tells no classes.",
                    "Choose another one to go on with, or learn anew.",
                )
            self._run(
                self.start,
                lambda: folder.trained(lambda: session.engine, settings, start),
                f"Training on {folder.path.name}",
            )

    def apply(self) -> None:
        """Segment or restore every picture; goes on where it stopped."""
        with telling(self.session):
            folder, model, target = self.folder(), self.need_model(), self.need_target()
            session, device = self.session, self.ensure_settings().values()["device"]
            restores = self.restores(model)
            wanted = self.form.probabilities.isChecked() and not restores
            settings = session.engine.ApplySettings.checked(
                device=device, probabilities=wanted
            )
            self._done = RESTORED if restores else SEGMENTED
            self._run(
                self.apply,
                lambda: folder.applied(lambda: session.engine, model, target, settings),
                f"{'Restoring' if restores else 'Segmenting'} {target.name}",
            )

    def evaluate(self) -> None:
        """Score the results by the labels of the folder, and draw where they fail.

        Restored pictures are scored by clean ones.
        """
        with telling(self.session):
            folder, model, target = self.folder(), self.need_model(), self.need_target()
            session = self.session
            clean = self.need_clean() if self.restores(model) else None
            self._run(
                self.evaluate,
                lambda: folder.compared(lambda: session.engine, model, target, clean),
                f"Scoring {target.name}",
            )

    def resume(self) -> None:
        """Go on with what was stopped."""
        if self._again == self.start:
            super().resume()
        else:
            self._again()

    def show_pictures(self) -> None:
        """Show pictures and what was found in them as layers."""
        results = self.results_folder()
        if results is None or not self.form.shown.isEnabled():
            return
        with telling(self.session):
            found = self.session.engine.open_pictures(results)
            number = self.form.shown.currentData()
            self.shown.show(found, number)

    # ---- what is asked for ------------------------------------------------------

    def ensure_settings(self) -> Any:
        """All other settings, those of the labels among them."""
        self.form.ensure_reading(self.session.engine.FolderSettings)
        settings = super().ensure_settings()
        if self.augmented is None:
            self.augmented = AugmentRow(
                self.session, self.viewer, settings.settings, self._middle_picture
            )
            self.form.more_area.layout().addWidget(self.augmented)
        return settings

    def folder(self) -> PictureFolder:
        """The folder that is learned from.

        Raises
        ------
        SettingsError
            If none is chosen.
        """
        path, form = self.form.folder.path, self.form
        if path is None:
            raise SettingsError("There is no folder yet.", "Choose one first.")
        return PictureFolder(
            path.absolute(),
            form.unlabelled.currentText().strip() or "0",
            form.class_names,
            **({} if form.reading is None else form.reading.values()),
        )

    def _middle_picture(self) -> Subject:
        """The middle of the middle picture of those that are learned from."""
        path, engine = self.folder().path, self.session.engine
        learned = path / LEARNED

        def opened() -> tuple[Any, tuple[float, float, float]]:
            volume = engine.open_volume(learned if learned.is_dir() else path)
            number = volume.shape[0] // 2
            height, width = volume.extent(number)
            return volume, (number, height / 2, width / 2)

        return Subject(path.name, opened)

    def models(self) -> list[Path]:
        """Models of the folder, those from elsewhere, then what restores images."""
        found = super().models()
        return [*found, *(path for path in self._listed if path not in found)]

    def add_model(self, folder: Path) -> None:
        """Add a model to the list and choose it; note what it makes."""
        with telling(self.session):
            if self.session.shelf.card(folder).restoring is not None:
                self._restorers.add(folder)
            super().add_model(folder)

    def restores(self, model: Path | None) -> bool:
        """Whether a model makes pictures, and no classes."""
        return model in self._restorers

    @property
    def model(self) -> Path | None:
        """The chosen model, or the newest that tells classes; None without any."""
        chosen = self.form.models.currentData()
        known = (path for path in self.models() if not self.restores(path))
        return chosen or next(known, None)

    def need_model(self) -> Path:
        """Return the model.

        Raises
        ------
        ModelError
            If there is none.
        """
        if self.model is None:
            raise ModelError("There is no model yet.", "Train one, or open one.")
        return self.model

    def need_target(self) -> Path:
        """The folder that is segmented.

        Raises
        ------
        SettingsError
            If none is chosen.
        """
        path = self.form.target.path
        if path is None:
            raise SettingsError("There are no pictures yet.", "Choose a folder.")
        return path.absolute()

    def need_clean(self) -> Path:
        """The folder of clean pictures; asks for it.

        Raises
        ------
        SettingsError
            If none is chosen.
        """
        if self.form.clean.path is None:
            self.form.clean.ask()
        path = self.form.clean.path
        if path is None:
            raise SettingsError(
                "There are no clean pictures to compare with.", "Choose their folder."
            )
        return path.absolute()

    def results_folder(self) -> Path | None:
        """Where results of the chosen folder by the chosen model lie, if there are."""
        path, target, model = self.form.folder.path, self.form.target.path, self.model
        if path is None or target is None or model is None:
            return None
        folder = PictureFolder(path.absolute())
        results = folder.results_of(model, target.absolute())
        return results if (results / "results.json").is_file() else None

    # ---- what is shown ----------------------------------------------------------

    def choose(self) -> None:
        """List models, and what was learned to restore: of all images, too."""
        with telling(self.session):
            folders = [*self.project_folders(), *super().project_folders()]
            self._listed = known_models(folders, Restoration.models)
            self._restorers |= set(self._listed)
        super().choose()

    def _run(
        self, again: Callable[[], None], work: Callable[[], Iterator[Event]], name: str
    ) -> None:
        self._again = again
        self.form.loss.setVisible(False)
        self.begin(work, name=name)

    def _show_running(self) -> None:
        super()._show_running()
        results = self.results_folder()
        model = self.model
        restores = self.restores(model)
        self.form.show_applying(
            model=model is not None, restores=restores, results=results is not None
        )
        files = [] if results is None else pictures_in(results)
        ending = ".tif" if restores else ".png"
        names = [file.stem for file in files if file.suffix == ending]
        listed = [(name, number) for number, name in enumerate(names)]
        fill_box(self.form.shown, [(ALL, None), *listed] if names else [])

    def stopped_words(self) -> str:
        """What is kept."""
        if self._again == self.start:
            return super().stopped_words()
        return "Stopped; finished pictures are kept."

    def _left_over(self, *, stopped: bool) -> Path | None:
        if self._again == self.start:
            return super()._left_over(stopped=stopped)
        return self.model if stopped else None

    def _on_event(self, kind: str, event: Event) -> None:
        if kind == self.kind and isinstance(event, Message):
            # A folder may hold many bad pictures: no notification for each of them.
            self.form.status.show_message(event.text, event.level)
        else:
            super()._on_event(kind, event)

    def _on_target(self) -> None:
        say(self.form.scores, "")
        self._show_running()

    def _on_found(self, found: Any) -> None:
        self.found = found
        self.form.say_found(folder_words(found))
        if self.form.target.path is None:
            # What was not learned from, if there is any.
            part = next((each for each in LIKELY if each in found.parts), "")
            self.form.target.show_path(found.path / part)

    def _on_refused(self, why: str) -> None:
        self.form.say_found(why)

    def on_TrainingDone(self, event: Any) -> None:  # noqa: N802 - after the event
        """Say how good it is."""
        f1 = dict(event.metrics).get("macro_f1")
        score = "" if f1 is None else f", F1 {f1:.3f} on held-out pictures"
        self.form.say(f"Trained{score}. Segment pictures with it below.")

    def on_PictureDone(self, event: Any) -> None:  # noqa: N802 - after the event
        """Show how far it has come."""
        self.form.show_progress(event.done, event.total, None)
        self.form.say(f"{event.done} of {event.total} pictures, last {event.name}")

    def on_PicturesDone(self, event: Any) -> None:  # noqa: N802 - after the event
        """Say what came of it."""
        self.form.say(done_words(event, self._done))

    def on_FolderCompared(self, event: Any) -> None:  # noqa: N802 - after the event
        """Show the scores."""
        say(self.form.scores, score_table(event.rows))
        self.form.scores.setToolTip(event.table)
        self.form.say(compared_words(event))
