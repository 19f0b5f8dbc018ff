"""The widgets of the dock for folders of pictures."""

from typing import Any

from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QLineEdit, QWidget

from napari_sashiko.gui.folder_row import FolderRow
from napari_sashiko.gui.learn_form import FormWords, LearnForm
from napari_sashiko.gui.parts import (
    boxed,
    in_a_row,
    make_box,
    make_button,
    make_line,
    say,
)
from napari_sashiko.gui.settings_form import SettingsForm
from napari_sashiko.session import Session

WORDS = FormWords(
    name="train_pictures",
    doing="training_pictures",
    start="Train",
    start_tip="Train networks on the labelled pictures of the folder",
    model_tip="Learn anew, or go on with one; segments or restores with it below",
    more_tip="Time, networks, losses",
    curve="loss on held-out pictures",
)
UNLABELLED = ("0", "none", "255")

SEGMENT = ("Segment", "Segment every picture of the folder with the model")
RESTORE = ("Restore", "Restore every picture of the folder with the model")
BY_LABELS = "Score the results by the labels of the folder"
BY_CLEAN = "Score restored pictures by clean ones of the same names"
CHOSEN = {"unlabelled"}  # above the settings


class PicturesForm(LearnForm):
    """A folder with labels to learn from, and pictures to segment."""

    words = WORDS

    def __init__(self, box: QWidget, session: Session, viewer: Any) -> None:
        super().__init__(box, session, viewer)
        self.folder = FolderRow(
            "picture_folder",
            "Choose a folder of pictures with labels",
            "Holds train/images and train/labels, perhaps validate and test; or "
            "images and labels",
        )
        self.found = make_line("picture_facts")
        self.unlabelled = make_box(
            "unlabelled", "Grey value or colour of pixels that are not labelled"
        )
        self.unlabelled.addItems(UNLABELLED)
        self.unlabelled.setEditable(True)
        self.names = QLineEdit()
        self.names.setObjectName("class_names")
        self.names.setPlaceholderText("as found")
        self.names.setToolTip(
            "Names of the classes in the order of their values, with commas between"
        )
        self.reading: SettingsForm | None = None
        self.add_row("Folder", self.folder)
        self.rows.addRow(self.found)
        self.add_row("Unlabelled", self.unlabelled)
        self.add_row("Classes", self.names)
        self.add_models()
        self._add_segmenting()

    @property
    def learns(self) -> bool:
        """Networks always learn here: with a model they go on."""
        return True

    @property
    def ready(self) -> bool:
        """Whether there is a folder."""
        return self.folder.path is not None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; none where nothing is written."""
        words = (word.strip() for word in self.names.text().split(","))
        return tuple(word for word in words if word)

    def ensure_reading(self, settings: Any) -> SettingsForm:
        """Make the form of how labels are read, the first time."""
        if self.reading is None:
            self.reading = SettingsForm(settings, skip=CHOSEN)
            self.more_area.layout().addWidget(self.reading)
        return self.reading

    def say_found(self, text: str) -> None:
        """Say what there is in the folder."""
        say(self.found, text)

    def show_applying(self, *, model: bool, restores: bool, results: bool) -> None:
        """Enable what can be done with a model, and with results.

        Parameters
        ----------
        model, restores : bool
            Whether there is a model, and whether it makes pictures and no classes: no
            network goes on from it, and clean pictures score it, not labels.
        results : bool
            Whether there are any.
        """
        text, tip = RESTORE if restores else SEGMENT
        self.title.setText(f"<b>{text} pictures</b>")
        self.apply_button.setText(text)
        self.apply_button.setToolTip(tip)
        self.start_button.setEnabled(self.start_button.isEnabled() and not restores)
        there = model and self.target.path is not None
        for button in (self.apply_button, self.evaluate_button):
            button.setEnabled(button.isEnabled() and there)
        self.evaluate_button.setEnabled(self.evaluate_button.isEnabled() and results)
        self.evaluate_button.setToolTip(BY_CLEAN if restores else BY_LABELS)
        self.probabilities.setVisible(not restores)
        self.against.setVisible(results and restores)
        self.shown.setEnabled(results)
        self.show_button.setEnabled(results)

    def _add_segmenting(self) -> None:
        self.target = FolderRow(
            "apply_folder",
            "Choose pictures to segment or restore",
            "Pictures of any sizes, or a folder with images in it",
        )
        self.apply_button = make_button("apply", *SEGMENT)
        self.evaluate_button = make_button("evaluate", "Evaluate", BY_LABELS)
        self.probabilities = QCheckBox("probabilities")
        self.probabilities.setObjectName("write_probabilities")
        self.probabilities.setToolTip(
            "Beside each class picture, write how likely each class is, as a TIFF"
        )
        self.clean = FolderRow(
            "clean_folder",
            "Choose clean pictures",
            "Clean pictures of the same names, perhaps in the same parts",
        )
        self.against = boxed(in_a_row(QLabel("against"), self.clean, widest=2))
        self.against.setVisible(False)
        self.scores = make_line("picture_scores")
        self.shown = make_box("shown_pictures", "All pictures as a stack, or one")
        self.show_button = make_button(
            "show_pictures", "Show", "Show pictures and what was made of them as layers"
        )
        self.title = QLabel()
        rows = QFormLayout()
        rows.addRow("Folder", self.target)
        self.below.addWidget(self.title)
        self.below.addLayout(rows)
        self.below.addLayout(
            in_a_row(self.apply_button, self.evaluate_button, self.probabilities, None)
        )
        self.below.addWidget(self.against)
        self.below.addWidget(self.scores)
        self.below.addLayout(in_a_row(self.shown, self.show_button, widest=1))
        self.add_starts(self.apply_button, self.evaluate_button)
        self._choices.append(self.probabilities)
