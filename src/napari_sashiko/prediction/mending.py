"""Is what the ledger calls finished really on disk? What is not is done again."""

import math
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.prediction._ledger import NAME, Index, Ledger, create_ledger
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.prediction.store import (
    PREDICTION,
    Layout,
    PredictionStore,
    read_record,
    reading_prediction,
)
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes import DAMAGED, Slices, set_aside, stacking_of

HEARTBEAT = 0.2  # seconds between two events


@dataclass
class Findings:
    """What was found in the cells of a prediction.

    Attributes
    ----------
    whole : int
        Cells that are finished and on disk.
    found : list
        Places of cells that are on disk, which the ledger did not know.
    torn : list
        Places of cells that are not whole although the ledger says so.
    files : list of Path
        A damaged or missing file of each of them.
    """

    whole: int = 0
    found: list[Index] = field(default_factory=list)
    torn: list[Index] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def mend_prediction(path: Path) -> Generator[Event, None, list[str]]:
    """Look whether finished cells are whole; take those back that are not.

    Damaged files are kept as ``NAME.damaged``, missing cells are predicted by the next
    run. Nothing is written where all is whole.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.

    Yields
    ------
    Tick

    Returns
    -------
    list of str
        What was damaged and what is kept, a sentence each.

    Raises
    ------
    OutputError
        If it is no prediction, is damaged beyond mending, or cannot be written.
    """
    record = read_record(path)
    if record is None or "cell" not in record:  # none, or from before there was one
        return []
    try:
        layout = _layout(path, record)
        notes = _mend_ledger(path, layout)
        store = PredictionStore(path, layout)
        notes += _mend_marks(store.ledger)
        found = yield from _look(store, lost=bool(notes))
        _correct(store, found)
    except OSError as error:
        raise OutputError(
            f"The damaged prediction {path} cannot be mended: "
            f"{error.strerror or error}."
        ) from error
    if notes:
        notes.append(f"{found.whole} blocks of {path.name} were found whole.")
    if found.torn:
        notes.append(_words(path, found, math.prod(layout.grid)))
    return notes


def _layout(path: Path, record: dict[str, Any]) -> Layout:
    with reading_prediction(path):
        images = tuple(str(name) for name in record.get("images", ("mean", "std")))
        mean = zarr.open_array(str(path / images[0] / "0"), mode="r")
        stack = stacking_of(record)
        return Layout(
            shape=stack.shape,
            cell=_triple(record["cell"]),
            channels=Slices(mean).shape[0],
            dtype=str(mean.dtype),
            flat=stack.flat,
            classifies=record["kind"] == PREDICTION,
            images=images,
            frame=stack.frame,
            time=stack.time,
        )


def _mend_ledger(path: Path, layout: Layout) -> list[str]:
    """Make a ledger of the right shape where there is none."""
    folder = path / NAME
    with suppress(*DAMAGED):
        if zarr.open_array(str(folder), mode="r").shape == layout.grid:
            return []
    kept = f" and is kept as {set_aside(folder).name}" if folder.exists() else ""
    with reading_prediction(path):
        # The numbers of bytes beside it are as good as they were.
        create_ledger(zarr.open_group(str(path), mode="r+"), layout.grid, (NAME,))
    return [f"The ledger of {path.name} was damaged or missing{kept}."]


def _mend_marks(ledger: Ledger) -> list[str]:
    """Begin the marks anew where there are too many, too few, or impossible ones."""
    size = ledger.file.stat().st_size if ledger.file.exists() else -1
    if size == math.prod(ledger.shape) and (ledger.marks() <= 1).all():
        return []
    kept = f" and is kept as {set_aside(ledger.file).name}" if size >= 0 else ""
    ledger.clear()
    return [f"The ledger {ledger.file} was damaged{kept}."]


def _look(store: PredictionStore, *, lost: bool) -> Generator[Event, None, Findings]:
    """Compare each cell with what the ledger says of it.

    Parameters
    ----------
    store : PredictionStore
    lost : bool
        Whether the marks are lost: then a cell is finished if its bytes are all there.
    """
    found, marks, stored = Findings(), store.ledger.finished(), store.ledger.stored()
    told = time.monotonic()
    for index in store.ledger.cells():
        if time.monotonic() - told > HEARTBEAT:
            told = time.monotonic()
            yield Tick()
        size = None if stored is None else int(stored[index])
        if not marks[index] and not (lost and size):
            continue
        odd = store.odd_file(index, size)
        if odd is None:
            found.whole += 1
            if not marks[index]:
                found.found.append(index)
        elif marks[index]:
            found.torn.append(index)
            found.files.append(odd)
    return found


def _correct(store: PredictionStore, found: Findings) -> None:
    for index in found.found:
        store.ledger.mark(index, store.size_of(index))
    for index in found.torn:
        store.ledger.unmark(index)
        for path in store.damaged_files(index):
            set_aside(path)


def _words(path: Path, found: Findings, total: int) -> str:
    count, first = len(found.torn), found.files[0].relative_to(path).as_posix()
    which = f"{first} is" if count == 1 else f"{first} and others are"
    return (
        f"{count} of {total} blocks of {path.name} are not whole on disk: {which} "
        f"missing or damaged, what was damaged is kept as *.damaged. The other "
        f"{found.whole} are kept; the next run does these again."
    )


def _triple(values: Any) -> Triple:
    z, y, x = (int(value) for value in values)
    return z, y, x
