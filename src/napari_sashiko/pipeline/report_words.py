"""What a report says in words and tables about data, model, scores and origin."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from napari_sashiko.errors import SashikoError
from napari_sashiko.measurements import fractions_of, with_error
from napari_sashiko.metrics import OF_CLASS
from napari_sashiko.pipeline.evidence import Evidence
from napari_sashiko.pipeline.held_out import held_out_scores
from napari_sashiko.pipeline.info import extent, own_record
from napari_sashiko.pipeline.measured import are_of
from napari_sashiko.pipeline.project import Project
from napari_sashiko.plots import Missing, Part, Swatch, Table, shown_unit
from napari_sashiko.volumes import reading

Rows = list[tuple[str | Swatch, ...]]
SIGN = "±"
UNKNOWN = shown_unit("")
LONGEST = 200  # letters of a value


def data_parts(evidence: Evidence) -> list[Part]:
    """Say what image and paint are."""
    return [*_tell(_image, evidence), *_tell(_classes, evidence)]


def model_parts(evidence: Evidence) -> list[Part]:
    """Say what the model is made of."""
    return _tell(_model, evidence)


def score_parts(evidence: Evidence) -> list[Part]:
    """Say what held-out strokes say about the model."""
    return _tell(_held_out, evidence)


def prediction_parts(evidence: Evidence) -> list[Part]:
    """Say what was segmented, and how much of each class there is."""
    parts = _tell(_prediction, evidence)
    if evidence.sources.measurements is not None:
        parts += _tell(_measured, evidence)
    return parts


def origin_parts(evidence: Evidence) -> list[Part]:
    """Say how everything came about: settings, seeds, versions, digests, places."""
    parts: list[Part] = list(_tell(_places, evidence))
    for tell in (_project, _training, _predicting, _finding):
        parts += _tell(tell, evidence)
    return parts


def _tell(tell: Callable[[Evidence], list[Part]], evidence: Evidence) -> list[Part]:
    try:
        with reading("A record", "Make it again."):
            return tell(evidence)
    except SashikoError as error:
        return [Missing(str(error))]


def _image(evidence: Evidence) -> list[Part]:
    volume = evidence.volume
    rows: Rows = [
        ("name", volume.name),
        ("size", extent(volume.stacking)),
        ("voxel size", _voxel(volume.voxel_size, volume.unit)),
        ("type", f"{volume.dtype}, {volume.channels} channel(s)"),
    ]
    if volume.path is not None:
        rows.append(("file", str(volume.path)))
    return [Table("Image", (), tuple(rows))]


def _classes(evidence: Evidence) -> list[Part]:
    counts, slices = {}, {}
    remarks: list[Part] = []
    try:
        paint = evidence.paint.labelled
        values, numbers = np.unique(paint.values, return_counts=True)
        counts = dict(zip(values.tolist(), numbers.tolist(), strict=True))
        slices = {
            number: len(np.unique(paint.coords[paint.values == number, 0]))
            for number in counts
        }
    except SashikoError as error:
        remarks.append(Missing(str(error)))
    rows = tuple(
        (
            Swatch(each.name, each.color),
            str(each.id),
            _count(counts.get(each.id, 0)) if counts else "not known",
            _count(slices.get(each.id, 0)) if counts else "not known",
        )
        for each in evidence.classes
    )
    heads = ("class", "number", "painted voxels", "on slices")
    return [Table("Classes", heads, rows), *remarks] if rows else remarks


def _model(evidence: Evidence) -> list[Part]:
    card = evidence.card
    facts: Rows = [
        ("name", card.name),
        ("made", card.created),
        ("looks along", f"{card.dims} axes"),
        ("trained on voxels of", _voxel(card.voxel_size, card.unit)),
        ("temperature", f"{card.temperature:.3g}"),
    ]
    if card.correction:
        pairs = zip(card.classes, card.correction, strict=True)
        words = ", ".join(f"{each.name} {factor:.3g}" for each, factor in pairs)
        facts.append(("correction of class shares", words))
    facts.append(("prediction sets", _sets(card.sets)))
    members = tuple(
        (
            str(number),
            str(each.spec.get("name", each.kind)),
            f"{100 * each.weight:.1f} %",
            _pairs(each.spec.get("settings", {})),
        )
        for number, each in enumerate(card.members, start=1)
    )
    heads = ("member", "kind", "share of the mean", "settings")
    return [Table("Model", (), tuple(facts)), Table("Members", heads, members)]


def _sets(sets: Any) -> str:
    if sets is None:
        return "not calibrated"
    words = f"{sets.strokes} held-out strokes"
    if not sets.able:
        return f"{words}: too few to leave a class out"
    coverages = []
    for each in sets.able:
        known = sets.reached_at(each)
        reached = "" if known is None else f" ({100 * known:.0f} % reached)"
        coverages.append(f"{100 * each:g} %{reached}")
    return f"{words}; coverages {', '.join(coverages)}"


def _held_out(evidence: Evidence) -> list[Part]:
    scores = held_out_scores(evidence.card.training)
    if not scores.overall:
        return [Missing("Nothing was held out: this model has no scores of its own.")]
    rows = tuple(
        (name.replace("_", " "), f"{value:.3f}")
        for name, value in scores.overall.items()
    )
    parts: list[Part] = [Table("On held-out strokes", (), rows)]
    if scores.by_class:
        heads = ("class", "F1", "± over members", "IoU")
        by_class = tuple(_class_row(*each) for each in scores.by_class.items())
        parts.append(Table("On held-out strokes, by class", heads, by_class))
    return [*parts, scores.fairness] if scores.fairness else parts


def _class_row(name: str, scores: Mapping[str, float]) -> tuple[str, ...]:
    return (
        name,
        *(f"{scores[key]:.3f}" if key in scores else "" for key in OF_CLASS),
    )


def truth_table(scores: Any) -> Table:
    """Scores of a prediction against the truth.

    Parameters
    ----------
    scores : Evaluation
        From `evaluate`.
    """
    names = ("f1", "iou", "precision", "recall")
    rows = [
        (
            each.name,
            *(f"{getattr(each, name):.3f}" for name in names),
            _count(each.support),
        )
        for each in scores.classes
    ]
    every = f"accuracy {scores.accuracy:.3f}, macro F1 {scores.macro_f1:.3f}"
    error = f"calibration error {scores.expected_calibration_error:.3f}"
    title = f"Against the truth: {every}, {error}, Brier {scores.brier:.3f}"
    return Table(
        title, ("class", "F1", "IoU", "precision", "recall", "voxels"), tuple(rows)
    )


def _prediction(evidence: Evidence) -> list[Part]:
    found = evidence.prediction
    rows: Rows = [
        ("size", extent(found.stack)),
        ("voxel size", _voxel(found.voxel_size, found.unit)),
        ("finished", f"{found.done} of {found.total} blocks"),
    ]
    parts: list[Part] = [Table("Prediction", (), tuple(rows))]
    if found.done < found.total:
        parts.append(Missing("The prediction is not finished."))
    return parts


def _measured(evidence: Evidence) -> list[Part]:
    """Numbers with error bars."""
    found = evidence.measured
    name, members = found.label_class.name, len(found.members)
    title = f"Mean and standard deviation over {members} members"
    share = f"share of the {'area' if found.flat else 'volume'}"
    rows: Rows = [
        (f"{label}, {share}", said) for label, said in fractions_of(found, sign=SIGN)
    ]
    shown = evidence.sources.instances
    if shown is not None and not are_of(found, shown):
        text = f"Numbers of {name} objects with error bars were found otherwise"
        return [
            Table(title, (), tuple(rows)),
            Missing(f"{text} than the objects here: measure again."),
        ]
    rows.append((f"{name}, objects", with_error(found.count, sign=SIGN)))
    rows.append((f"{name}, at the border", with_error(found.at_border, sign=SIGN)))
    extent_of = ("area", "²") if found.flat else ("volume", "³")
    for quantity, (word, power) in {
        "volume": extent_of,
        "diameter": ("diameter", ""),
        "length": ("length", ""),
    }.items():
        unit = shown_unit(found.unit)
        said = with_error(
            found.size(quantity),
            unit if unit == UNKNOWN else f"{unit}{power}",
            sign=SIGN,
        )
        rows.append((f"{name}, median {word}", said))
    return [Table(title, (), tuple(rows))]


def lengths_table(lengths: Any) -> Table:
    """What the lengths of objects come to.

    Parameters
    ----------
    lengths : Lengths
        From the table of objects.
    """
    values = lengths.values[np.isfinite(lengths.values)]
    quarters = np.percentile(values, (0, 25, 50, 75, 100)) if len(values) else ()
    words = ("shortest", "lower quartile", "median", "upper quartile", "longest")
    rows: Rows = [
        ("objects", _count(len(lengths.values))),
        ("at the border of the volume", _count(int(lengths.cut.sum()))),
    ]
    for word, value in zip(words, quarters, strict=False):
        rows.append((f"{word}, {shown_unit(lengths.unit)}", f"{value:.4g}"))
    return Table(f"Objects of {lengths.class_name}", (), tuple(rows))


def _places(evidence: Evidence) -> list[Part]:
    sources = evidence.sources
    places = {
        name: getattr(sources, name)
        for name in (
            "project",
            "model",
            "prediction",
            "instances",
            "table",
            "measurements",
        )
    }
    rows = tuple((name, str(path)) for name, path in places.items() if path is not None)
    return [Table("Places", (), rows)] if rows else []


def _project(evidence: Evidence) -> list[Part]:
    if evidence.sources.project is None:
        return []
    steps = Project.open(evidence.sources.project).record.settings
    # What made the model and the objects stands with them.
    told = {"train": evidence.sources.model, "instances": evidence.sources.instances}
    return [
        settings_table(f"Last settings of {step}", values)
        for step, values in steps.items()
        if told.get(step) is None
    ]


def _training(evidence: Evidence) -> list[Part]:
    if evidence.sources.model is None:
        return []
    record = evidence.card.training
    parts: list[Part] = [
        settings_table("Settings of the training", dict(record.get("settings", {})))
    ]
    parts += [
        Table(
            "Training",
            (),
            tuple(
                (name, _pairs(record[key]) if isinstance(record[key], dict) else text)
                for name, key in (
                    ("image", "image"),
                    ("labelled voxels by class", "labels"),
                    ("seconds", "seconds"),
                    ("versions", "versions"),
                )
                if key in record
                for text in [str(record[key])]
            ),
        )
    ]
    reasons = record.get("reasons")
    if isinstance(reasons, list) and reasons:
        rows = tuple((str(reason),) for reason in reasons)
        parts.append(Table("Choices that were made", ("reason",), rows))
    return parts


def _predicting(evidence: Evidence) -> list[Part]:
    if evidence.sources.prediction is None:
        return []
    record = own_record(evidence.sources.prediction)
    rows: Rows = [
        (key.replace("_", " "), _short(record[key]))
        for key in ("model_digest", "input_digest", "plan_digest", "plan")
        if key in record
    ]
    return [Table("Prediction", (), tuple(rows))]


def _finding(evidence: Evidence) -> list[Part]:
    if evidence.sources.instances is None:
        return []
    record = own_record(evidence.sources.instances)
    facts = {
        "class": record.get("class_name"),
        "digest": record.get("digest"),
        **dict(record.get("settings") or {}),
    }
    return [settings_table("Settings of the objects", facts)]


def settings_table(title: str, values: Mapping[str, Any]) -> Table:
    """Names and values, in two columns."""
    return Table(
        title, (), tuple((name, _short(value)) for name, value in values.items())
    )


def _short(value: Any) -> str:
    text = _pairs(value) if isinstance(value, dict) else _plain(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _voxel(sizes: Iterable[float], unit: str) -> str:
    if unit in ("", "pixel"):
        return "not known"
    return f"{' x '.join(f'{size:g}' for size in sizes)} {shown_unit(unit)} (z, y, x)"


def _count(number: int) -> str:
    return f"{number:,}".replace(",", "\u2009")
