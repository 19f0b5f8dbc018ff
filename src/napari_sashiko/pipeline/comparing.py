"""The step that compares results of a folder of pictures with their truth."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.labels import LabelClass
from napari_sashiko.metrics import ConfusionMatrix
from napari_sashiko.pipeline.compared import (
    FOLDER,
    OVERLAYS,
    TABLE,
    FolderCompared,
    Row,
    compare_each,
    table_of,
    tell_idle,
)
from napari_sashiko.pipeline.comparing_restored import compare_restored
from napari_sashiko.pipeline.folder_pairs import label_of
from napari_sashiko.pipeline.folder_pictures import by_stem
from napari_sashiko.pipeline.folder_results import (
    PICTURE,
    FolderResults,
    png_of,
    read_results,
    write_result,
)
from napari_sashiko.pipeline.overlays import draw_overlay
from napari_sashiko.runners import Event, Message
from napari_sashiko.volumes import LABELS, find_pictures, pictures_in, read_picture

ALL = "all"  # pictures together
MACRO, MICRO = "macro mean", "micro mean"  # of all classes
SCORES = ("f1", "iou", "precision", "recall", "dice")
OVERALL = "accuracy"
DIGITS = 6


@dataclass
class _Comparison:
    """What a comparison needs to know, and what it found."""

    results: FolderResults
    out: Path
    drawn: Sequence[LabelClass]  # classes that overlays are drawn of
    images: dict[str, Path]
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.total = ConfusionMatrix([each.id for each in self.results.classes])


def compare_steps(
    results: Path | str,
    truth: Path | str,
    out: Path | str | None = None,
    *,
    label_class: str | int | None = None,
    overlays: bool = True,
) -> Iterator[Event]:
    """Compare results of a folder with label pictures, restored ones with clean ones.

    Parameters
    ----------
    results : path
        Folder that `apply_steps` has written.
    truth : path
        Label pictures of the same names, or a folder with ``labels`` in it. Of restored
        pictures clean ones, or a folder with ``images`` or parts of these.
    out : path, optional
        Folder for table and overlays; ``evaluation`` in `results` when left out.
    label_class : str or int, optional
        Class whose overlays are drawn. When left out, all; of two classes the second
        one, of which the first is the opposite. Of restored pictures there is none.
    overlays : bool
        Whether any are drawn; of restored pictures none are.

    Yields
    ------
    Progress, Message, FolderCompared

    Raises
    ------
    LabelError
        If no result has a truth, the truth has another class, or the class is unknown.
    VolumeError
        If no restored picture has a clean one.
    SashikoError
        If there are no results, or the output cannot be written.
    """
    found = read_results(results)
    target = found.path / FOLDER if out is None else Path(out)
    if not found.restores:
        yield from _compare_classes(
            found, Path(truth), target, label_class, overlays=overlays
        )
        return
    if label_class is not None:
        raise LabelError(
            f"{found.path} holds restored pictures, which have no classes.",
            "Leave the class out.",
        )
    yield from compare_restored(found, Path(truth), target)


def _compare_classes(
    found: FolderResults,
    truth: Path,
    target: Path,
    label_class: str | int | None,
    *,
    overlays: bool,
) -> Iterator[Event]:
    start = time.perf_counter()
    labels = by_stem(find_pictures(truth, LABELS))
    drawn = _drawn(found.classes, label_class) if overlays else ()
    work = _Comparison(found, target, drawn, _images(found))
    files = [file for file in pictures_in(found.path) if file.suffix == PICTURE]
    used = {label_of(file, labels) for file in files}
    idle = [label for label in labels.values() if label not in used]
    yield from tell_idle(idle, "label")
    problems = yield from compare_each(
        files, lambda file: _compare(work, file, label_of(file, labels))
    )
    if not work.rows:
        raise LabelError(
            f"None of the {len(files)} results in {found.path} could be compared.",
            problems[0][1] if problems else "Apply the model to pictures first.",
        )
    if drawn and not work.images:
        yield Message(
            f"The pictures are not in {found.images} any more: overlays are drawn on "
            "black.",
            "warning",
        )
    rows = _rows(ALL, found.classes, work.total)
    write_result(target / TABLE, table_of([*work.rows, *rows], _rounded))
    yield FolderCompared(
        str(target / TABLE),
        str(target / OVERLAYS) if drawn else "",
        tuple(rows),
        len(files) - len(problems),
        problems,
        time.perf_counter() - start,
    )


def _compare(work: _Comparison, file: Path, label: Path | None) -> None:
    """Score one picture, draw where it is wrong."""
    if label is None:
        raise VolumeError("it has no labels.")
    values = work.results.values
    found = values.classify(read_picture(file))
    picture = read_picture(label)
    if picture.shape[:2] != found.shape:
        sizes = (" x ".join(map(str, s)) for s in (found.shape, picture.shape[:2]))
        raise VolumeError("it has {} pixels, its labels have {}.".format(*sizes))
    try:
        true = values.classify(picture)
    except LabelError as error:
        raise LabelError(
            f"The labels {label.name} cannot be used. {error.what}", error.instead
        ) from error
    matrix = ConfusionMatrix(work.total.classes)
    matrix.update_classes(found, true)
    work.total.matrix += matrix.matrix
    work.rows += _rows(file.stem, work.results.classes, matrix)
    if work.drawn:
        _draw(work, file.stem, found, true)


def _draw(
    work: _Comparison, name: str, found: NDArray[np.uint8], true: NDArray[np.uint8]
) -> None:
    picture = np.zeros(found.shape, np.uint8)
    if name in work.images:
        read = read_picture(work.images[name])
        picture = read if read.shape[:2] == found.shape else picture
    for each in work.drawn:
        overlay = draw_overlay(picture, found == each.id, true == each.id, true > 0)
        place = work.out / OVERLAYS / folder_name(each) / (name + PICTURE)
        write_result(place, png_of(overlay))


def folder_name(label_class: LabelClass) -> str:
    """Name the folder of a class's overlays: its id, then letters of its name."""
    words = re.sub(r"[^\w]+", "-", label_class.name).strip("-")
    return f"{label_class.id}-{words}" if words else str(label_class.id)


def _images(results: FolderResults) -> dict[str, Path]:
    return by_stem(pictures_in(results.images)) if results.images.is_dir() else {}


def _drawn(
    classes: Sequence[LabelClass], asked: str | int | None
) -> Sequence[LabelClass]:
    if asked is None:
        return classes[1:] if len(classes) == 2 else classes
    drawn = [each for each in classes if asked in (each.id, each.name)]
    if not drawn:
        names = ", ".join(f"{each.id} {each.name}" for each in classes)
        raise LabelError(f"There is no class {asked!r}.", f"Classes: {names}.")
    return drawn


def _rows(
    picture: str, classes: Sequence[LabelClass], matrix: ConfusionMatrix
) -> list[Row]:
    """Scores of each class, and of all; None where there is nothing to divide by.

    The accuracy of a class is the share of pixels that are rightly of it or rightly
    not; that of all is the share whose class is right.
    """
    counts = matrix.matrix
    total, hits = int(counts.sum()), np.diag(counts)
    truth, found = counts.sum(axis=1), counts.sum(axis=0)
    rows: list[Row] = []
    for place, each in enumerate(classes):
        hit, is_true, was_found = int(hits[place]), int(truth[place]), int(found[place])
        either = is_true + was_found - hit
        f1 = _ratio(2 * hit, is_true + was_found)
        rows.append(
            {
                "picture": picture,
                "class": each.name,
                "pixels": is_true,
                "f1": f1,
                "iou": _ratio(hit, either),
                "precision": _ratio(hit, was_found),
                "recall": _ratio(hit, is_true),
                "dice": f1,
                OVERALL: _ratio(total - either + hit, total),
            }
        )
    scores = matrix.compute()
    for name, means in ((MACRO, scores.macro), (MICRO, scores.micro)):
        row: Row = {"picture": picture, "class": name, "pixels": total}
        row |= {key: getattr(means, key) if total else None for key in SCORES}
        rows.append(row | {OVERALL: scores.accuracy if total else None})
    return rows


def _ratio(above: int, below: int) -> float | None:
    return above / below if below else None


def _rounded(value: float) -> float:
    return round(value, DIGITS)
