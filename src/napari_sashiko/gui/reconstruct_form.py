"""The widgets of the reconstructing dock."""

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QCheckBox, QFileDialog, QWidget

from napari_sashiko.gui.learn_form import FormWords, LearnForm
from napari_sashiko.gui.parts import in_a_row, make_box, make_button, make_line, say
from napari_sashiko.session import Session

WORDS = FormWords(
    name="reconstruct",
    doing="reconstructing",
    start="Reconstruct",
    start_tip="Make a volume of the sinograms",
    model_tip="Back-projection alone, networks that learn now, or what was learned",
    more_tip="Back-projection; time, networks, losses",
    curve="loss on held-out slices",
    skip={"order"},  # chosen above the settings
    using="Back-projection",
    using_skip={"order", "filter", "device", "overwrite"},
)
WITHOUT = "without"  # a model
ORDERS = {
    "slices": "slice, angle, detector",
    "projections": "angle, slice, detector",
}
TURNS = {180.0: "evenly over 180°", 360.0: "evenly over 360°"}
FILTERS = {
    "ramp": "ramp: sharp",
    "shepp-logan": "shepp-logan",
    "cosine": "cosine",
    "hamming": "hamming",
    "hann": "hann: smooth",
    "none": "none: blurred",
}
KINDS = "Angles (*.txt *.csv *.npy);;All files (*)"


class ReconstructForm(LearnForm):
    """Sinograms with their axes and angles, the filter, known slices to learn from."""

    words = WORDS

    def __init__(self, box: QWidget, session: Session, viewer: Any) -> None:
        super().__init__(box, session, viewer)
        self.images = make_box("sinograms", "The stack of sinograms")
        self.orders = make_box("sinogram_order", "What its axes are", ORDERS)
        self.facts = make_line("sinogram_facts")
        self.angles = make_box("sinogram_angles", "Angle of each row", TURNS)
        self.file_button = make_button(
            "angle_file", "...", "Read angles in degrees from a file, a number a row"
        )
        self.filters = make_box(
            "sinogram_filter",
            "Filter of the back-projection; smooth ones take noise and detail down",
            FILTERS,
        )
        self.slices = make_box(
            "known_slices", "The slice of each sinogram: a phantom, or a better scan"
        )
        self.beside = QCheckBox("side by side")
        self.beside.setObjectName("side_by_side")
        self.beside.setToolTip("Show the networks' slices beside the back-projection")
        self.beside.setChecked(True)
        self.beside.setVisible(False)
        self.add_images("Sinograms", self.images)
        self.add_row("Axes", self.orders)
        self.rows.addRow(self.facts)
        self.add_row("Angles", self.angles, self.file_button)
        self.add_row("Filter", self.filters)
        self.add_models()
        self.add_row("Learn from", self.slices)
        self.below.addLayout(in_a_row(self.beside, None))
        self.file_button.clicked.connect(lambda _on: self.ask_angles())

    @property
    def ready(self) -> bool:
        """Whether there is an image."""
        return self.images.count() > 0

    def show_task(self) -> None:
        """Show what networks that learn need."""
        super().show_task()
        self.rows.setRowVisible(self.slices, self.learns)

    def say_facts(self, text: str) -> None:
        """Say how many sinograms of what size there are."""
        say(self.facts, text)
        self.rows.setRowVisible(self.facts, bool(text))

    def ask_angles(self) -> None:
        """Ask for a file of angles."""
        chosen, _ = QFileDialog.getOpenFileName(
            self.angles, "Angles in degrees, one for each row", "", KINDS
        )
        if chosen:
            self.use_angles(Path(chosen))

    def use_angles(self, file: Path) -> None:
        """Take the angles of a file."""
        self.angles.addItem(file.name, file)
        self.angles.setCurrentIndex(self.angles.count() - 1)
