"""Classes of label pictures: which value each has, and how it is called."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.labels import (
    NOTHING,
    PALETTE,
    LabelClass,
    LabelValues,
    check_count,
    name_of_value,
    text_of,
    value_of,
)
from napari_sashiko.pipeline.inputs import Classes, check_names

FILES = ("classes.json", "classes.txt")
WITH_VALUE = re.compile(r"(#[0-9a-fA-F]{6}|\d+)\s*:\s*(.+)")


@dataclass(frozen=True)
class NamedClass:
    """What somebody said about a class; None where nothing was said."""

    name: str
    value: int | None = None
    id: int | None = None
    color: str | None = None


def classes_beside(places: Iterable[Path]) -> list[NamedClass] | None:
    """Read ``classes.json`` or ``classes.txt`` of the first folder that has one.

    Raises
    ------
    LabelError
        If it cannot be read.
    """
    for file in (place / name for place in places for name in FILES):
        if not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8")
            rows = _rows(text) if file.suffix == ".json" else _lines(text)
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise LabelError(
                f"The class names in {file} cannot be read: {error}.",
                "Mend the file or delete it.",
            ) from error
        if rows:
            return rows
    return None


def named_by(classes: Classes) -> list[NamedClass] | None:
    """Classes as they are given in Python or on the command line."""
    if classes is None:
        return None
    return [
        NamedClass(each.name, id=each.id, color=each.color)
        if isinstance(each, LabelClass)
        else NamedClass(str(each).strip())
        for each in classes
    ]


def value_classes(
    found: Mapping[int, str], named: Sequence[NamedClass] | None, unlabelled: int
) -> tuple[LabelValues, tuple[LabelClass, ...]]:
    """Say which class each value stands for.

    Where nobody says it, classes are numbered in the order of their values, grey before
    colours, and named after them. Names without values belong to colours of the same
    classes, or to grey values that are class ids, or else to the values in their order.

    Parameters
    ----------
    found : mapping
        All values in the labels, each with a picture that has it.
    named : sequence of NamedClass or None
        What is known of the classes.
    unlabelled : int
        The value that stands for none, unless a class says that it has it.

    Raises
    ------
    LabelError
        If fewer than two classes are labelled, or names and values do not fit.
    """
    if any(row.value == unlabelled for row in named or ()):
        unlabelled = NOTHING  # it was given a name
    values = sorted(value for value in found if value != unlabelled)
    check_count(len(values))
    if len(values) < 2:
        _refuse_one(values, has_zero=unlabelled == 0 and 0 in found)
    rows = named or [NamedClass(name_of_value(value), value) for value in values]
    ids = [row.id or place for place, row in enumerate(rows, start=1)]
    of_rows = _values_of(rows, ids, values)
    strange = [value for value in values if value not in of_rows]
    if strange:
        raise LabelError(
            f"The value {text_of(strange[0])} of {found[strange[0]]} belongs to no "
            "class.",
            f"Those of the classes: {', '.join(map(text_of, of_rows))}.",
        )
    classes = tuple(
        _label_class(row, number, value)
        for row, number, value in zip(rows, ids, of_rows, strict=True)
    )
    check_names(classes)
    if len(set(ids)) < len(ids) or len(set(of_rows)) < len(of_rows):
        raise LabelError(
            "Two classes have the same id or the same value.",
            f"Ids: {', '.join(map(str, ids))}; values: "
            f"{', '.join(map(text_of, of_rows))}.",
        )
    return LabelValues(tuple(of_rows), tuple(ids), unlabelled), classes


def _values_of(
    rows: Sequence[NamedClass], ids: list[int], values: list[int]
) -> list[int]:
    """Value of each named class."""
    said = [row.value for row in rows if row.value is not None]
    if len(said) == len(rows):
        return said
    if said:
        silent = next(row.name for row in rows if row.value is None)
        raise LabelError(
            f"The class {silent!r} has no value, others have one.",
            "Give all classes their values, or none.",
        )
    colours = [value_of(row.color) for row in rows if row.color is not None]
    for likely in (colours, ids):
        if len(likely) == len(rows) and set(values) <= set(likely):
            return likely
    if len(rows) == len(values):
        return values
    raise LabelError(
        f"There are {len(rows)} names for {len(values)} classes: the labels have the "
        f"values {', '.join(map(text_of, values))}.",
        "Name as many, or say which value each name has.",
    )


def _label_class(row: NamedClass, number: int, value: int) -> LabelClass:
    own = text_of(value) if text_of(value).startswith("#") else None
    color = row.color or own or PALETTE[(number - 1) % len(PALETTE)]
    try:
        return LabelClass.checked(id=number, name=row.name, color=color)
    except SettingsError as error:
        raise LabelError(f"The class {row.name!r} is not possible: {error}") from error


def _refuse_one(values: list[int], *, has_zero: bool) -> None:
    if not values:
        raise LabelError(
            "Nothing is labelled in these pictures.", "0 means not labelled."
        )
    raise LabelError(
        f"Only one class is labelled: {name_of_value(values[0])}.",
        "If 0 is a class as well, say that nothing is unlabelled: --unlabelled none."
        if has_zero
        else "Label at least one more: the background is a class like any other.",
    )


def _rows(text: str) -> list[NamedClass]:
    return [
        NamedClass(
            str(row["name"]).strip(),
            None if row.get("value") is None else value_of(str(row["value"])),
            None if row.get("id") is None else int(row["id"]),
            row.get("color"),
        )
        for row in json.loads(text)
    ]


def _lines(text: str) -> list[NamedClass]:
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = WITH_VALUE.fullmatch(line)
        if match:
            found.append(NamedClass(match[2], value_of(match[1])))
        else:
            found.append(NamedClass(line))
    return found


def values_record(
    values: LabelValues, classes: Sequence[LabelClass]
) -> list[dict[str, Any]]:
    """Classes with their values as JSON, as ``classes.json`` has them."""
    text = dict(zip(values.ids, map(text_of, values.values), strict=True))
    return [each.model_dump(mode="json") | {"value": text[each.id]} for each in classes]
