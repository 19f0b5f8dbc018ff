"""Pictures of a folder with their labels, each looked at before it is used."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.labels import count_values
from napari_sashiko.runners import (
    Event,
    Message,
    Progress,
    Tick,
    in_order,
    open_runner,
)
from napari_sashiko.volumes import (
    LABELS,
    PARTS,
    PictureHead,
    as_channels,
    check_alike,
    find_pictures,
    picture_head,
    pictures_in,
    read_picture,
)

TRAIN, VALIDATE, _ = PARTS
ENDINGS = ("", "_L", "_label", "_labels", "_mask")  # that names of labels may have
HEARTBEAT = 0.2
TOLD = 5  # pictures that are left out are named, the others counted

Result = TypeVar("Result")


@dataclass(frozen=True)
class Pair:
    """A picture and its labels.

    Attributes
    ----------
    head : PictureHead
        The picture.
    label : Path
        Its labels.
    counts : dict
        Pixels of each value in the labels.
    reserved : bool
        Whether it is there to judge by.
    """

    head: PictureHead
    label: Path
    counts: dict[int, int]
    reserved: bool


@dataclass(frozen=True)
class _Found:
    """A picture that is not looked at yet, and its labels if there are any."""

    image: Path
    label: Path | None
    reserved: bool


def labelled_pictures(folder: Path) -> Generator[Event, None, list[Pair]]:
    """Look at all pictures of a folder that have labels; say which are left out.

    Parameters
    ----------
    folder : Path
        With ``train`` and perhaps ``validate``, or with ``images`` and ``labels``.

    Yields
    ------
    Progress, Message, Tick

    Raises
    ------
    LabelError
        If labels are missing, or hold something else than classes.
    VolumeError
        If there are no pictures.
    """
    parts = [(folder / TRAIN if (folder / TRAIN).is_dir() else folder, False)]
    if (folder / VALIDATE).is_dir():
        parts.append((folder / VALIDATE, True))
    todo = [
        _Found(image, label_of(image, labels), reserved)
        for part, reserved in parts
        for labels in [_labels_in(part)]
        for image in find_pictures(part)
    ]
    looked = yield from _look_at_all(todo)
    pairs = [each for each in looked if isinstance(each, Pair)]
    problems = [each for each in looked if isinstance(each, str)]
    for text in problems[:TOLD]:
        yield Message(text, "warning")
    if len(problems) > TOLD:
        yield Message(f"So are {len(problems) - TOLD} other pictures.", "warning")
    if all(pair.reserved for pair in pairs):
        raise LabelError(
            f"No picture of {folder} can be learned from.",
            problems[0] if problems else "Put pictures and labels into train.",
        )
    return pairs


def each_in_threads(
    work: Callable[[int], Result], count: int, what: str
) -> Generator[Event, None, list[Result]]:
    """Do work on files 0, 1, 2, ... a few at a time; a few are in memory, then.

    Parameters
    ----------
    work : callable
        Number in, small result out.
    count : int
        How many.
    what : str
        For progress.

    Yields
    ------
    Progress, Tick

    Returns
    -------
    list
        Results in order.
    """
    done: list[Result] = []
    tasks = ((number,) for number in range(count))
    with (
        open_runner("threads") as run,
        contextlib.closing(
            in_order(run(lambda task: work(task[0]), tasks, heartbeat=HEARTBEAT))
        ) as results,
    ):
        for item in results:
            if item is None:
                yield Tick()
                continue
            done.append(item[1])
            yield Progress(len(done), count, what)
    return done


def _look_at_all(
    todo: Sequence[_Found],
) -> Generator[Event, None, list[Pair | str]]:
    """Look at each picture: what there is, or why it is left out."""
    what = "looking at pictures"
    looked: list[Pair | str] = []
    # Until one can be used: it says what the others must be like.
    while len(looked) < len(todo) and not any(isinstance(e, Pair) for e in looked):
        looked.append(_look_at(todo[len(looked)], None))
        yield Progress(len(looked), len(todo), what)
    first = looked[-1].head if isinstance(looked[-1], Pair) else None
    start = len(looked)
    rest = yield from each_in_threads(
        lambda number: _look_at(todo[start + number], first), len(todo) - start, what
    )
    return looked + rest


def _look_at(found: _Found, first: PictureHead | None) -> Pair | str:
    try:
        return _pair(found, first)
    except VolumeError as error:
        return left_out(found.image, error)


def _labels_in(part: Path) -> dict[str, Path]:
    if not (part / LABELS).is_dir():
        raise LabelError(
            f"The labels are missing: there is no folder {part / LABELS}.",
            "Put a label picture of the same name there for each picture.",
        )
    return by_stem(pictures_in(part / LABELS))


def _pair(found: _Found, first: PictureHead | None) -> Pair:
    image, label = found.image, found.label
    if label is None:
        raise VolumeError("it has no labels.")
    head = picture_head(image)
    first = first or head
    check_alike(head, first)
    # The whole of it: only this shows whether the file is complete.
    as_channels(read_picture(image), first.channels, "it")
    picture = read_picture(label)
    if picture.shape[:2] != head.size:
        sizes = (" x ".join(map(str, size)) for size in (head.size, picture.shape[:2]))
        raise VolumeError("it has {} pixels, its labels have {}.".format(*sizes))
    try:
        return Pair(head, label, count_values(picture), found.reserved)
    except LabelError as error:
        raise LabelError(
            f"The labels {label.name} cannot be used. {error.what}", error.instead
        ) from error


def left_out(image: Path, error: VolumeError | str) -> str:
    """Say that a picture is left out, and why; its name is not said twice."""
    reason = str(error).removeprefix(f"{image.name} ").removeprefix("it ")
    return f"{image.name} is left out: it {reason}"


def label_of(image: Path, labels: dict[str, Path]) -> Path | None:
    """Find the labels of a picture by its name: ``a.png``, ``a_L.png``, ``a_mask.tif``.

    Parameters
    ----------
    image : Path
        The picture.
    labels : dict
        Label pictures by name without ending.
    """
    names = (image.stem + ending for ending in ENDINGS)
    return next((labels[name] for name in names if name in labels), None)


def by_stem(files: Sequence[Path]) -> dict[str, Path]:
    """Files by their names without ending."""
    return {file.stem: file for file in files}
