"""The index of a label store: shape, classes, blocks with paint; a JSON file."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import LabelError
from napari_sashiko.labels._keys import Shape
from napari_sashiko.labels.classes import LabelClass

FORMAT_VERSION = 1
INDEX = "labels.json"


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


def read_record(folder: Path) -> Record:
    """Read the index of the store in a folder.

    Raises
    ------
    LabelError
        If there is none, it is damaged, or comes from a newer version.
    """
    try:
        found = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        _check_version(folder, found)
        classes = [LabelClass.model_validate(c) for c in found["classes"]]
        blocks = [_triple(block) for block in found["blocks"]]
        return Record(_triple(found["shape"]), classes, blocks)
    except FileNotFoundError:
        raise LabelError(f"There is no paint in {folder}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelError(f"The paint in {folder} is damaged: {error}.") from error


def write_record(folder: Path, record: Record) -> None:
    """Write the index so that there is a whole one at any time."""
    content = {
        "format_version": FORMAT_VERSION,
        "shape": record.shape,
        "classes": [each.model_dump() for each in record.classes],
        "blocks": record.blocks,
    }
    part = folder / (INDEX + ".part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / INDEX)


def _check_version(folder: Path, found: Any) -> None:
    version = found["format_version"]
    if version > FORMAT_VERSION:
        raise LabelError(
            f"The paint in {folder} has format {version}, this version reads up to "
            f"{FORMAT_VERSION}.",
            "Update napari-sashiko.",
        )


def _triple(values: Any) -> Shape:
    z, y, x = (int(value) for value in values)
    return z, y, x
