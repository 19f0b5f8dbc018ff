"""A damaged label store made whole again: what can be kept is, what cannot is said."""

import contextlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.labels._holes import data_ranges
from napari_sashiko.labels._keys import Shape
from napari_sashiko.labels._record import (
    INDEX,
    SPARE,
    NewerLabelsError,
    Record,
    read_record,
    write_record,
)
from napari_sashiko.labels.classes import PALETTE, LabelClass, default_classes
from napari_sashiko.volumes import keep_copy, remove_abandoned
from napari_sashiko.volumes.temporary import free_name, temporary_beside

RAW, DIRTY, ADOPTING = "labels.raw", "labels.dirty", "labels.adopting"
AT_ONCE = 1 << 24  # bytes that are copied at once


def mend_store(folder: Path, shape: Shape | None = None) -> list[str]:
    """Mend what is damaged in the files of a store.

    Nothing is overwritten: a damaged file is kept beside the new one, as
    ``NAME.damaged``.

    Parameters
    ----------
    folder : Path
        Where the store is.
    shape : tuple of int, optional
        (Z, Y, X) of the image, where it is known.

    Returns
    -------
    list of str
        What was damaged, a sentence each; empty for a whole store.

    Raises
    ------
    LabelError
        If it comes from a newer version, or nothing says of which shape it is.
    OSError
        If it cannot be written.
    """
    remove_abandoned(folder)
    notes = [_mend_index(folder, shape)]
    notes.append(_mend_raw(folder, read_record(folder).shape))
    if (folder / ADOPTING).exists():
        notes.append(
            "Copying labels into this project was interrupted: what was copied by then "
            "is there. Copy them again to have all."
        )
    return [note for note in notes if note]


def holds_paint(folder: Path) -> bool:
    """Whether there is a store in a folder, whole or damaged."""
    if (folder / INDEX).exists() or (folder / SPARE).exists():
        return True
    raw = folder / RAW
    return raw.exists() and raw.stat().st_size > 0


def was_interrupted(folder: Path) -> bool:
    """Whether a store holds half a copy, for the process died on the way."""
    return (folder / ADOPTING).exists()


def accept_half(folder: Path) -> None:
    """Take the half of a copy for paint, which is not to be copied over any more."""
    with contextlib.suppress(OSError):  # said once more
        (folder / ADOPTING).unlink(missing_ok=True)


def name_unknown(
    classes: tuple[LabelClass, ...], found: list[int]
) -> tuple[LabelClass, ...]:
    """Give a name and a colour to class numbers that have paint and no class."""
    unknown = sorted(set(found) - {each.id for each in classes})
    more = [
        LabelClass(id=n, name=f"class {n}", color=PALETTE[(n - 1) % len(PALETTE)])
        for n in unknown
    ]
    return tuple(sorted([*classes, *more], key=lambda each: each.id))


def _mend_index(folder: Path, shape: Shape | None) -> str:
    try:
        read_record(folder)
    except NewerLabelsError:
        raise
    except LabelError as error:
        problem = error
    else:
        return ""
    record, words = _salvaged(folder, shape)
    if record is None:
        raise problem
    path = folder / INDEX
    lost = not path.exists()
    where = "is missing" if lost else f"was damaged and is kept as {_kept(path)}"
    # Before the index: then it is known that the index knows no blocks.
    (folder / DIRTY).touch()
    write_record(folder, record)
    return f"The index of the paint, {path}, {where}: the paint is there; {words}."


def _salvaged(folder: Path, shape: Shape | None) -> tuple[Record | None, str]:
    """Shape and classes from wherever they still stand, and from where in words."""
    try:
        spare = read_record(folder, SPARE)
    except NewerLabelsError:
        raise
    except LabelError:
        pass
    else:
        return spare, f"shape and classes come from {SPARE}"
    found = _parsed(folder / INDEX)
    known = _fitting(folder / RAW, _shape_in(found), shape)
    if known is None:
        return None, ""
    classes = _classes_in(found)
    if classes:
        return Record(known, classes, ()), "classes are those that could be read"
    words = "names and colours of the classes are lost, their numbers are kept"
    return Record(known, default_classes(2), ()), words


def _mend_raw(folder: Path, shape: Shape) -> str:
    path, size = folder / RAW, math.prod(shape)
    if not path.exists():
        with path.open("ab") as file:
            file.truncate(size)
        return (
            f"The paint itself, {path}, is missing: its voxels are lost, the classes "
            "are kept."
        )
    found = path.stat().st_size
    if found == size:
        return ""
    kept = copy_sparse(path, free_name(path))
    with path.open("r+b") as file:
        file.truncate(size)  # one step: a process that dies here did all or nothing
    (folder / DIRTY).touch()
    if found > size:
        return f"{path} was too long and is kept as {kept.name}: its begin is used."
    planes = found // (shape[1] * shape[2])
    return (
        f"{path} had {found} of {size} bytes and is kept as {kept.name}: paint on "
        f"the first {planes} slices is there, behind that it is lost."
    )


def copy_sparse(path: Path, to: Path) -> Path:
    """Copy a sparse file without its holes; the copy appears when it is whole."""
    part = temporary_beside(to)
    try:
        with path.open("rb") as source, part.open("xb") as target:
            target.truncate(path.stat().st_size)
            for low, high in data_ranges(path):
                for start in range(low, high, AT_ONCE):
                    source.seek(start)
                    piece = source.read(min(AT_ONCE, high - start))
                    if np.frombuffer(piece, np.uint8).any():
                        target.seek(start)
                        target.write(piece)
        part.replace(to)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return to


def _kept(path: Path) -> str:
    return keep_copy(path).name


def _parsed(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fitting(path: Path, written: Shape | None, image: Shape | None) -> Shape | None:
    """Return the shape that the paint has, as far as its size can tell."""
    if not path.exists():
        return written or image
    size = path.stat().st_size
    fits = (each for each in (written, image) if each and math.prod(each) == size)
    return next(fits, written)


def _shape_in(found: dict[str, Any]) -> Shape | None:
    try:
        z, y, x = (int(value) for value in found["shape"])
    except (KeyError, TypeError, ValueError):
        return None
    return (z, y, x) if min(z, y, x) > 0 else None


def _classes_in(found: dict[str, Any]) -> tuple[LabelClass, ...]:
    rows = found.get("classes")
    classes: dict[int, LabelClass] = {}
    for row in rows if isinstance(rows, list) else ():
        try:
            each = LabelClass.model_validate(row)
        except ValueError:
            continue
        classes.setdefault(each.id, each)
    return tuple(classes[number] for number in sorted(classes))
