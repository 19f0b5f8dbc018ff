"""What figures and reports are made from: opened at its first use, and kept open."""

import contextlib
from collections.abc import Generator
from functools import cached_property
from typing import TYPE_CHECKING

from napari_sashiko.errors import PlotError, SashikoError
from napari_sashiko.labels import LabelClass
from napari_sashiko.measurements import Measurements, read_measurements
from napari_sashiko.pipeline.found import Instances, open_instances
from napari_sashiko.pipeline.inputs import PaintedLabels, open_beside, read_paint
from napari_sashiko.pipeline.reopening import worked_on
from napari_sashiko.pipeline.results import Prediction, open_prediction
from napari_sashiko.pipeline.sources import Sources
from napari_sashiko.prediction import Evaluation, evaluate_steps
from napari_sashiko.runners import Event
from napari_sashiko.volumes import Volume

if TYPE_CHECKING:  # loads torch
    from napari_sashiko.checkpoints import ModelCard


class Evidence:
    """The parts of a report, open. What there is not raises an error that says so.

    Parameters
    ----------
    sources : Sources
        Where the parts lie.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._scores: Evaluation | None = None

    @cached_property
    def card(self) -> "ModelCard":
        """The model's card."""
        from napari_sashiko.checkpoints import load_card  # noqa: PLC0415 - loads torch

        if self.sources.model is None:
            raise PlotError("There is no model.", "Train one first.")
        return load_card(self.sources.model)

    @cached_property
    def prediction(self) -> Prediction:
        """The segmented volume."""
        if self.sources.prediction is None:
            raise PlotError("There is no prediction.", "Segment the volume first.")
        return open_prediction(self.sources.prediction)

    @cached_property
    def instances(self) -> Instances:
        """The objects."""
        if self.sources.instances is None:
            raise PlotError("There are no objects.", "Find the instances first.")
        return open_instances(self.sources.instances)

    @cached_property
    def measured(self) -> Measurements:
        """Numbers with error bars."""
        if self.sources.measurements is None:
            raise PlotError(
                "There are no error bars.", "Measure what each member finds alone."
            )
        return read_measurements(self.sources.measurements)

    @cached_property
    def volume(self) -> Volume:
        """The image."""
        if self.sources.image is None:
            raise PlotError("The image is not known.", "Say where it lies.")
        return worked_on(self.sources.image, self.sources.project)

    @cached_property
    def paint(self) -> PaintedLabels:
        """Sparse labels, and the classes of all of them."""
        labels = self.sources.labels
        if labels is None:
            raise PlotError("There is no paint.", "Say where the labels lie.")
        if callable(labels):
            found: PaintedLabels = labels()
            return found
        image = None if self.sources.image is None else self.volume
        return read_paint(labels, self.sources.classes or None, image)

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """All classes that any part knows, as the last part of the way has them."""
        found: dict[int, LabelClass] = {}
        for part in ("prediction", "card", "paint"):
            # What is not there, or damaged, is said by whoever needs it.
            with contextlib.suppress(SashikoError):
                for each in getattr(self, part).classes:
                    found.setdefault(each.id, each)
        return tuple(found[number] for number in sorted(found))

    def scores(self) -> Generator[Event, None, Evaluation]:
        """Compare prediction and truth, once.

        Raises
        ------
        PlotError
            If no truth is known.
        """
        if self.sources.truth is None:
            raise PlotError("No truth is known to compare the prediction with.")
        if self._scores is None:
            truth, ignore = self.sources.truth, self.sources.ignore
            stack = self.prediction.stack
            self._scores = yield from evaluate_steps(
                self.prediction.path,
                open_beside(truth, stack),
                None if ignore is None else open_beside(ignore, stack),
            )
        return self._scores
