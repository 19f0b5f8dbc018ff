"""Figures from records and tables: model cards, scores, the table of objects."""

from collections.abc import Generator
from typing import Any

import numpy as np

from napari_sashiko.errors import PlotError
from napari_sashiko.pipeline.evidence import Evidence
from napari_sashiko.pipeline.measured import are_of
from napari_sashiko.plots import (
    Confusion,
    Graphs,
    Lengths,
    MemberLengths,
    PlotSettings,
    Reliability,
    TrainingCurves,
    confusion_of,
    curves_of,
    graphs_of,
    read_lengths,
    reliability_curve,
)
from napari_sashiko.runners import Event, Tick

HELD_OUT = "held-out strokes"
NO_CURVES = (
    "the model was trained without anything held out, or before such curves were kept.",
    "Train it again with more strokes, or give a truth.",
)


def curves_from(
    evidence: Evidence, _settings: PlotSettings
) -> Generator[Event, None, TrainingCurves]:
    """What the model noted while it learned."""
    yield Tick()
    return curves_of(evidence.card.training)


def graphs_from(
    evidence: Evidence, _settings: PlotSettings
) -> Generator[Event, None, Graphs]:
    """Networks of the model."""
    yield Tick()
    return graphs_of(evidence.card.members)


def reliability_from(
    evidence: Evidence, _settings: PlotSettings
) -> Generator[Event, None, Reliability]:
    """Both curves where both are known: held-out strokes, and the truth."""
    curves = []
    held_out = held_out_curves(evidence).get("calibration")
    if held_out is not None:
        curves.append(reliability_curve(HELD_OUT, held_out))
    yield Tick()
    if evidence.sources.truth is not None:
        scores = yield from evidence.scores()
        curves.append(reliability_curve("truth", scores.reliability.record()))
    if not curves:
        raise PlotError(f"There is no reliability curve: {NO_CURVES[0]}", NO_CURVES[1])
    note = (
        "Held-out strokes are judged before shares of the classes are corrected."
        if held_out is not None
        else ""
    )
    return Reliability(tuple(curves), note=note)


def confusion_from(
    evidence: Evidence, _settings: PlotSettings
) -> Generator[Event, None, Confusion]:
    """Against the truth where it is known, else on held-out strokes."""
    yield Tick()
    if evidence.sources.truth is not None:
        scores = yield from evidence.scores()
        known = evidence.prediction.classes
        return confusion_of(scores.confusion, known, "Against the truth.")
    record = held_out_curves(evidence).get("confusion")
    if record is None:
        raise PlotError(f"There is no confusion matrix: {NO_CURVES[0]}", NO_CURVES[1])
    return confusion_of(record, evidence.card.classes, "On held-out strokes.")


def held_out_curves(evidence: Evidence) -> dict[str, Any]:
    """Read what a model keeps of its held-out strokes; empty if there is nothing."""
    if evidence.sources.model is None:
        return {}
    found = evidence.card.training.get("held_out_curves")
    return found if isinstance(found, dict) else {}


def lengths_from(
    evidence: Evidence, _settings: PlotSettings
) -> Generator[Event, None, Lengths]:
    """Lengths from the table of objects, in the colour of their class."""
    table = evidence.sources.table
    if table is None:
        raise PlotError(
            "There is no table of objects.", "Find the instances, with a table."
        )
    found = yield from read_lengths(table)
    yield Tick()
    colours = {each.name: each.color for each in evidence.classes}
    return Lengths(
        found.values,
        found.cut,
        found.unit,
        found.class_name,
        colours.get(found.class_name, found.color),
        _members_of(evidence, found.unit),
        note=f"From {table.name}.",
    )


def _members_of(evidence: Evidence, unit: str) -> MemberLengths | None:
    """What the members find alone, where these very objects were measured."""
    instances = evidence.sources.instances
    if instances is None or evidence.sources.measurements is None:
        return None
    measured = evidence.measured
    if len(measured.members) < 2 or measured.unit != unit:
        return None
    if not are_of(measured, instances):
        return None
    found = measured.distribution("length")
    if not found.edges:
        return None
    return MemberLengths(
        np.array(found.edges),
        np.array(found.counts, float),
        np.array(measured.weights),
    )
