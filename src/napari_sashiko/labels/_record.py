"""The index of a label store: shape, classes, blocks with paint; a JSON file.

Shape and classes stand in a second file too, which is written when classes change and
not at each save: one of the two is whole, whatever happens to the other.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import LabelError
from napari_sashiko.labels._keys import Shape
from napari_sashiko.labels.classes import LabelClass
from napari_sashiko.volumes import write_file

FORMAT_VERSION = 1
INDEX = "labels.json"
SPARE = "labels.spare.json"


class NewerLabelsError(LabelError):
    """The store comes from a newer version: whole, but not for this program."""


@dataclass(frozen=True)
class Record:
    """What the index says.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X).
    classes : sequence of LabelClass
        In order of their ids.
    blocks : sequence of tuple of int
        Numbers (z, y, x) of the blocks with paint.
    """

    shape: Shape
    classes: Sequence[LabelClass]
    blocks: Sequence[Shape]


def read_record(folder: Path, name: str = INDEX) -> Record:
    """Read the index of the store in a folder, or its spare copy.

    Raises
    ------
    LabelError
        If there is none, it is damaged, or comes from a newer version.
    """
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
        _check_version(folder, found)
        classes = [LabelClass.model_validate(c) for c in found["classes"]]
        blocks = [_triple(block) for block in found["blocks"]]
        return Record(_triple(found["shape"]), classes, blocks)
    except FileNotFoundError:
        raise LabelError(f"There is no paint in {folder}.") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise LabelError(
            f"The paint in {folder} is damaged: {name}: {error}.",
            "Restore it in napari, or with: sashiko mend.",
        ) from error


def write_record(folder: Path, record: Record, name: str = INDEX) -> None:
    """Write the index, or its spare copy, so that there is a whole one at any time."""
    content = {
        "format_version": FORMAT_VERSION,
        "shape": record.shape,
        "classes": [each.model_dump() for each in record.classes],
        "blocks": record.blocks,
    }
    write_file(folder / name, json.dumps(content))


def write_spare(folder: Path, record: Record) -> None:
    """Write what does not change while one paints, unless it is there already."""
    spare = Record(record.shape, record.classes, ())
    try:
        known = read_record(folder, SPARE)
        if (known.shape, tuple(known.classes)) == (spare.shape, tuple(spare.classes)):
            return
    except LabelError:
        pass  # none yet, or damaged
    write_record(folder, spare, SPARE)


def _check_version(folder: Path, found: Any) -> None:
    version = found["format_version"]
    if version > FORMAT_VERSION:
        raise NewerLabelsError(
            f"The paint in {folder} has format {version}, this version reads up to "
            f"{FORMAT_VERSION}.",
            "Update napari-sashiko.",
        )


def _triple(values: Any) -> Shape:
    z, y, x = (int(value) for value in values)
    return z, y, x
