"""Write one image of a result to a file of another program, box by box."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from napari_sashiko.errors import OutputError
from napari_sashiko.exports._mrc import MRC_ENDINGS, fit_mrc, writing_mrc
from napari_sashiko.exports._reserving import Opened
from napari_sashiko.exports._tiff import TIFF_ENDINGS, fit_tiff, writing_tiff
from napari_sashiko.exports.content import Content
from napari_sashiko.exports.events import ExportDone
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import check_writable, written_file

Fit = Callable[[Content], tuple[Content, list[str]]]
IMAGE_ENDINGS = (*TIFF_ENDINGS, *MRC_ENDINGS)


def export_image(
    content: Content, out: Path, *, overwrite: bool = False
) -> Iterator[Event]:
    """Write an image to TIFF or MRC; the file appears when it is whole.

    Parameters
    ----------
    content : Content
        What is written.
    out : Path
        File; its ending decides the format.
    overwrite : bool
        Whether a file that is there may be replaced.

    Yields
    ------
    Message, Progress, ExportDone

    Raises
    ------
    OutputError
        If the format cannot hold the image, the file cannot be written, or the result
        is damaged.
    """
    start = time.perf_counter()
    target = out.absolute()
    fit, opened = _format(target)
    fitting, remarks = fit(content)
    check_target(target, overwrite=overwrite)
    check_writable(target, fitting.bytes)
    for text in remarks:
        yield Message(text)
    boxes = fitting.boxes()
    what = f"writing {target.name}"
    with said(target), written_file(target) as file, opened(file, fitting) as put:
        for done, box in enumerate(boxes, start=1):
            put(box, fitting.read(box))
            yield Progress(done, len(boxes), what)
    seconds = time.perf_counter() - start
    words = f"{fitting.title}, {' x '.join(map(str, fitting.shape))}, {fitting.dtype}"
    yield ExportDone(str(target), words, target.stat().st_size, seconds)


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse to write over what is there, unless that was asked for.

    Raises
    ------
    OutputError
        If there is a file and it shall stay, or a folder.
    """
    if target.is_dir():
        raise OutputError(f"{target} is a folder.", "Choose another name.")
    if target.exists() and not overwrite:
        raise OutputError(
            f"{target} exists.", "Choose another name, or overwrite it: --overwrite."
        )


def _format(target: Path) -> tuple[Fit, Opened]:
    ending = target.suffix.lower()
    if ending in TIFF_ENDINGS:
        return fit_tiff, writing_tiff
    if ending in MRC_ENDINGS:
        return fit_mrc, writing_mrc
    raise OutputError(
        f"A result cannot be written as {target.name}.",
        f"Choose a name that ends in one of: {', '.join(IMAGE_ENDINGS)}.",
    )


@contextlib.contextmanager
def said(target: Path) -> Iterator[None]:
    """Say in words that a file cannot be written.

    Raises
    ------
    OutputError
        Instead of `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written: {error.strerror or error}.",
            "Free some space or choose another folder.",
        ) from error
