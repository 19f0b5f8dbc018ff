"""Where a report goes: refused before any work is done, written whole."""

from pathlib import Path

from napari_sashiko.errors import OutputError
from napari_sashiko.pipeline.sources import Sources
from napari_sashiko.plots import is_own_page
from napari_sashiko.volumes import check_writable, write_file

NAME = "report.html"
ROOM = "plots"
STARTS = {"png": b"\x89PNG", "pdf": b"%PDF"}


def report_target(sources: Sources, out: Path | str | None, kind: str) -> Path:
    """Where a page or a folder of figures goes.

    Parameters
    ----------
    sources : Sources
        What is reported on: a project has a place for figures.
    out : path, optional
        What the user says.
    kind : str
        ``"html"``, ``"png"`` or ``"pdf"``.

    Raises
    ------
    OutputError
        If it is not known where to, or it cannot be written, or something else is
        there.
    """
    page = kind == "html"
    if out is None:
        if sources.project is None:
            raise OutputError(
                f"{sources.name} lies in no project.",
                "Say where the report goes, with -o or out.",
            )
        target = sources.project / ROOM / (NAME if page else "")
    else:
        target = Path(out).absolute()
    if page and target.is_dir():
        raise OutputError(f"{target} is a folder.", "Give a name such as report.html.")
    if not page and target.is_file():
        raise OutputError(f"{target} is a file.", "Give a folder for the figures.")
    check_writable(target)
    if page:
        _check_replaceable(target)
    return target


def _check_replaceable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except FileNotFoundError:
        return
    if start and not is_own_page(start):
        raise _taken(path, "report of this program")


def write_whole(path: Path, content: bytes, start: bytes | None) -> None:
    """Write a file that appears complete or not at all.

    Parameters
    ----------
    path : Path
        Its folder is made when missing.
    content : bytes
        All of it.
    start : bytes or None
        A file that is there is only replaced if it begins like this; None replaces
        any.

    Raises
    ------
    OutputError
        If something else is there, or it cannot be written.
    """
    try:
        if start is not None and path.exists():
            with path.open("rb") as file:
                there = file.read(len(start))
            if there not in (b"", start):
                raise _taken(path, "figure of that kind")
        write_file(path, content)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Free some space or choose another folder.",
        ) from error


def _taken(path: Path, what: str) -> OutputError:
    return OutputError(
        f"{path} exists and is no {what}.", "Choose another name; it is left as it is."
    )
