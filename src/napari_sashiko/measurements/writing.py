"""A folder of measurements: tables for people, JSON for programs."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from napari_sashiko.errors import OutputError
from napari_sashiko.measurements.measured import FORMAT_VERSION, Measurements
from napari_sashiko.measurements.sizes import QUANTITIES
from napari_sashiko.measurements.table import (
    distribution_text,
    summary_record,
    summary_text,
)
from napari_sashiko.volumes import keep_copy, written_file

INDEX = "measurements.json"
SUMMARY = "measurements.csv"
SIZES = "{}-distribution.csv"
RECOMPUTED = "summary"  # in the index, for whoever reads it without this program


def write_measurements(measured: Measurements, folder: Path) -> None:
    """Write the tables, then the index that says that they are there.

    Each file appears complete or not at all, and no index lies beside tables of another
    run; other files in the folder stay. A damaged
    index is kept as ``measurements.json.damaged``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    record = {
        **measured.model_dump(mode="json"),
        RECOMPUTED: summary_record(measured),
    }
    texts = {
        SIZES.format(name): distribution_text(measured, name) for name in QUANTITIES
    }
    texts |= {SUMMARY: summary_text(measured), INDEX: json.dumps(record, indent=1)}
    try:
        _keep_damaged(folder / INDEX)
        with contextlib.ExitStack() as stack:  # is left in the opposite order
            for name, text in reversed(texts.items()):
                file = stack.enter_context(written_file(folder / name))
                file.write(text.encode())
            stack.enter_context(_gone(folder / INDEX))
    except OSError as error:
        place = Path(error.filename2 or error.filename or folder)
        raise _unwritable(place, error) from error


def read_measurements(folder: Path | str) -> Measurements:
    """Read the measurements in a folder.

    Raises
    ------
    OutputError
        If there are none, they are damaged, or come from a newer version.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise OutputError(
            f"There are no measurements in {folder}: there is no {INDEX} in it.",
            "Measure first, or choose another folder.",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, str(error)) from error
    version = record.get("format_version") if isinstance(record, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise OutputError(
            f"The measurements in {folder} have format {version}, this version of "
            f"napari-sashiko reads up to {FORMAT_VERSION}.",
            "Update napari-sashiko.",
        )
    if isinstance(record, dict):
        record.pop(RECOMPUTED, None)
    try:
        return Measurements.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its content"
        raise _damaged(folder, f"{place}: {first['msg']}") from error


def check_measurements(folder: Path) -> None:
    """Refuse a folder in which something else lies.

    Raises
    ------
    OutputError
        If it is a file, or a folder with other things and no measurements.
    """
    if not folder.exists():
        return
    if folder.is_dir() and ((folder / INDEX).exists() or not any(folder.iterdir())):
        return
    raise OutputError(
        f"{folder} exists and does not hold measurements.",
        "Choose another name; it is left as it is.",
    )


def _damaged(folder: Path, why: str) -> OutputError:
    return OutputError(
        f"The measurements in {folder} are damaged: {INDEX}: {why}.", "Measure again."
    )


@contextlib.contextmanager
def _gone(path: Path) -> Iterator[None]:
    """Take an index away once all is written: it does not know the new tables."""
    yield
    path.unlink(missing_ok=True)


def _keep_damaged(path: Path) -> None:
    """Keep a copy of an index that cannot be read, before it is written over."""
    if not path.exists():
        return
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        keep_copy(path)


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}.",
        "Free some space or choose another place.",
    )
