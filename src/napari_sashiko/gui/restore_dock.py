"""A third dock: take noise away, fill gaps, make one image like another."""

from collections.abc import Mapping
from typing import Any, ClassVar

from qtpy.QtWidgets import QLineEdit, QWidget

from napari_sashiko.errors import SettingsError
from napari_sashiko.gui.layer_volume import source_path, volume_of
from napari_sashiko.gui.learn_dock import LearnDock
from napari_sashiko.gui.learn_form import FormWords, LearnForm
from napari_sashiko.gui.parts import make_box
from napari_sashiko.gui.restored_layers import RestoredLayers
from napari_sashiko.session import Restoration, Session

WORDS = FormWords(
    name="restore",
    doing="restoring",
    start="Restore",
    start_tip="Learn, then restore the whole image",
    model_tip="Learn anew, or use what was learned",
    more_tip="Time, networks, losses",
    skip={"gaps", "missing"},  # chosen above the settings
)
TASKS = {
    "blind": "take noise away",
    "paired": "make it like a clean image",
    "gaps": "fill what was not measured",
}


class RestoreForm(LearnForm):
    """Image and task; a clean image or a grey value where the task needs one."""

    words = WORDS

    def __init__(self, box: QWidget, session: Session, viewer: Any) -> None:
        super().__init__(box, session, viewer)
        self.images = make_box("restore_image", "The image to restore")
        self.tasks = make_box("restore_task", "What is to be done", TASKS)
        self.clean = make_box("restore_clean", "The same place as it should look")
        self.missing = QLineEdit()
        self.missing.setObjectName("restore_missing")
        self.missing.setPlaceholderText("NaN only")
        self.missing.setToolTip("Grey value of what was not measured, beside NaN")
        self.add_images("Image", self.images)
        self.add_models()
        self.add_row("Task", self.tasks)
        self.clean_row = self.add_images("Clean image", self.clean)
        self.add_row("Missing is", self.missing)
        self.tasks.currentIndexChanged.connect(lambda _index: self.show_task())

    @property
    def task(self) -> str:
        """Key of what is to be done."""
        return str(self.tasks.currentData())

    @property
    def ready(self) -> bool:
        """Whether there is an image."""
        return self.images.count() > 0

    def show_task(self) -> None:
        """Show what the chosen task needs."""
        super().show_task()
        self.rows.setRowVisible(self.tasks, self.learns)
        self.rows.setRowVisible(self.clean_row, self.learns and self.task == "paired")
        self.rows.setRowVisible(self.missing, self.learns and self.task == "gaps")


class RestoreDock(LearnDock):
    """Choose an image and what is wrong with it; the better one becomes a layer."""

    kind: ClassVar[str] = "restore"
    settings_name: ClassVar[str] = "RestoreSettings"
    room: ClassVar[str] = Restoration.models
    parts: ClassVar[Mapping[str, str]] = {
        "network": "restorer",
        "loss": "image loss",
    }
    score_tip: ClassVar[str] = (
        "Compare the restored image with the image as it should be"
    )
    form: RestoreForm

    def make_form(self) -> RestoreForm:
        """Make the widgets."""
        self.results = RestoredLayers(self.viewer, self)
        return RestoreForm(self, self.session, self.viewer)

    def layer_boxes(self) -> tuple[Any, ...]:
        """The image, and how it should be."""
        return self.form.images, self.form.clean

    def wanted(self) -> Restoration:
        """What is restored, and how."""
        layer = self._source = self.chosen_layer(self.form.images)
        model, clean = self.form.models.currentData(), None
        if model is None and self.form.task == "paired":
            clean = self.form.clean.currentData()
            if clean is None or clean is layer:
                raise SettingsError(
                    "The clean image is the image itself.",
                    "Choose another layer of the same place, or another task.",
                )
        volume = volume_of(layer)
        return Restoration(
            volume=volume,
            name=layer.name,
            path=source_path(layer),
            project=self.project_of(layer, volume),
            settings=None if model else self._settings(),
            clean=None if clean is None else volume_of(clean),
            model=model,
        )

    def _settings(self) -> Any:
        values = self.ensure_settings().values() | {"gaps": self.form.task == "gaps"}
        text = self.form.missing.text().strip()
        if self.form.task == "gaps" and text:
            try:
                values["missing"] = float(text)
            except ValueError:
                raise SettingsError(
                    f"{text!r} is no grey value.", "Write a number, or leave it empty."
                ) from None
        return self.session.engine.restore_settings(**values)

    def done_words(self) -> str:
        """Where the restored image is."""
        return "Done: the restored image is a layer, and kept in the project."
