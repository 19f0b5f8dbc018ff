"""What comparing results of a folder of pictures with their truth gives: a table."""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sashiko.errors import VolumeError
from napari_sashiko.pipeline.folder_pictures import left_out
from napari_sashiko.runners import Event, Message, Progress

FOLDER = "evaluation"
TABLE, OVERLAYS = "scores.csv", "overlays"

Row = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class FolderCompared(Event):
    """Results were compared with the truth.

    Attributes
    ----------
    table : str
        CSV file of the scores.
    overlays : str
        Folder of the overlays; empty where none were drawn.
    rows : tuple of dict
        Scores over all pictures: one row for each class, and two for all of them, the
        macro and the micro mean. Of restored pictures one, the mean.
    pictures : int
        How many were compared.
    problems : tuple of (str, str)
        Results that could not be compared, and why.
    seconds : float
        It took so long.
    """

    table: str
    overlays: str
    rows: tuple[Row, ...]
    pictures: int
    problems: tuple[tuple[str, str], ...]
    seconds: float


def compare_each(
    files: Sequence[Path], compare: Callable[[Path], None]
) -> Generator[Event, None, tuple[tuple[str, str], ...]]:
    """Compare results one by one; those that cannot be compared are left out.

    Parameters
    ----------
    files : sequence of Path
        Results.
    compare : callable
        Raises VolumeError for one that has no truth, or does not fit it.

    Yields
    ------
    Progress, Message

    Returns
    -------
    tuple of (str, str)
        Results that could not be compared, and why.
    """
    problems: list[tuple[str, str]] = []
    for number, file in enumerate(files, start=1):
        try:
            compare(file)
        except VolumeError as error:
            problems.append((file.name, str(error)))
            yield Message(left_out(file, error), "warning")
        yield Progress(number, len(files), "comparing pictures")
    return tuple(problems)


def tell_idle(idle: Sequence[Path], what: str) -> Iterable[Message]:
    """Say that pictures of the truth have no result, if there are any.

    Parameters
    ----------
    idle : sequence of Path
        Those pictures.
    what : str
        What they are: ``"label"`` or ``"clean"``.
    """
    if idle:
        yield Message(
            f"{len(idle)} {what} pictures have no result, {idle[0].name} is one.",
            "warning",
        )


def table_of(rows: Sequence[Row], digits: Callable[[float], float]) -> str:
    """Write rows as CSV; what could not be computed is left empty.

    Parameters
    ----------
    rows : sequence of dict
        All with the same keys.
    digits : callable
        Rounds a number.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value, digits) for key, value in row.items()})
    return text.getvalue()


def _cell(
    value: str | float | None, digits: Callable[[float], float]
) -> str | int | float:
    if value is None:
        return ""
    return digits(value) if isinstance(value, float) else value
