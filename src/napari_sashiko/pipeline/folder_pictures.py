"""Pictures of a folder that are learned from: which they are, and whether they serve.

Strategy: every picture is looked at once before anything is learned: a damaged one is
found now, and left out, not in the middle of a training. The first that serves says
what the others must be like. A few pictures are in memory at a time.
"""

import contextlib
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from napari_sashiko.errors import VolumeError
from napari_sashiko.runners import (
    Event,
    Message,
    Progress,
    Tick,
    in_order,
    open_runner,
)
from napari_sashiko.volumes import (
    PARTS,
    PictureHead,
    Volume,
    as_channels,
    check_alike,
    is_portfolio,
    picture_head,
    read_picture,
)

TRAIN, VALIDATE, _ = PARTS
HEARTBEAT = 0.2
TOLD = 5  # pictures that are left out are named, the others counted

Result = TypeVar("Result")


class ToLookAt(Protocol):
    """A picture that is not looked at yet."""

    @property
    def image(self) -> Path:
        """Its file."""


Unseen = TypeVar("Unseen", bound=ToLookAt)
Seen = TypeVar("Seen")


def portfolio_of(image: Any) -> Path | None:
    """Folder of pictures that something is, or was opened from; None if it is none.

    Parameters
    ----------
    image : path, array or Volume
        What a user handed in.
    """
    place = image.path if isinstance(image, Volume) else image
    if isinstance(place, str | Path) and Path(place).is_dir():
        folder = Path(place)
        if is_portfolio(folder):
            return folder
    return None


def parts_to_learn_from(folder: Path) -> list[tuple[Path, bool]]:
    """Parts of a folder, and whether each is there to judge by; never ``test``.

    Parameters
    ----------
    folder : Path
        With ``train`` and perhaps ``validate``; anything else is one part.
    """
    parts = [(folder / TRAIN if (folder / TRAIN).is_dir() else folder, False)]
    if (folder / VALIDATE).is_dir():
        parts.append((folder / VALIDATE, True))
    return parts


def look_at_all(
    todo: Sequence[Unseen], look: Callable[[Unseen, Seen | None], Seen]
) -> Generator[Event, None, tuple[list[Seen], list[str]]]:
    """Look at each picture; say which are left out.

    Parameters
    ----------
    todo : sequence
        Pictures.
    look : callable
        A picture, and what is known of the first that serves, in; what is known of it
        out. It raises VolumeError for one that cannot be used.

    Yields
    ------
    Progress, Message, Tick

    Returns
    -------
    seen : list
        Of the pictures that serve, in order.
    problems : list of str
        Why each of the others is left out.
    """

    def seen_or_why(each: Unseen, first: Seen | None) -> Seen | str:
        try:
            return look(each, first)
        except VolumeError as error:
            return left_out(each.image, error)

    what = "looking at pictures"
    looked: list[Seen | str] = []
    # Until one can be used: it says what the others must be like.
    while len(looked) < len(todo) and all(isinstance(each, str) for each in looked):
        looked.append(seen_or_why(todo[len(looked)], None))
        yield Progress(len(looked), len(todo), what)
    start = len(looked)
    first = next((each for each in looked if not isinstance(each, str)), None)
    looked += yield from each_in_threads(
        lambda number: seen_or_why(todo[start + number], first),
        len(todo) - start,
        what,
    )
    problems = [each for each in looked if isinstance(each, str)]
    for text in problems[:TOLD]:
        yield Message(text, "warning")
    if len(problems) > TOLD:
        yield Message(f"So are {len(problems) - TOLD} other pictures.", "warning")
    return [each for each in looked if not isinstance(each, str)], problems


def whole_picture(image: Path, first: PictureHead | None) -> PictureHead:
    """Read all of a picture, which alone shows whether the file is complete.

    Parameters
    ----------
    image : Path
        The picture.
    first : PictureHead or None
        What it must be like.

    Raises
    ------
    VolumeError
        If it is damaged, or of another kind.
    """
    head = picture_head(image)
    first = first or head
    check_alike(head, first)
    as_channels(read_picture(image), first.channels, "it")
    return head


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


def left_out(image: Path, error: VolumeError | str) -> str:
    """Say that a picture is left out, and why; its name is not said twice."""
    reason = str(error).removeprefix(f"{image.name} ").removeprefix("it ")
    return f"{image.name} is left out: it {reason}"


def by_stem(files: Sequence[Path]) -> dict[str, Path]:
    """Files by their names without ending."""
    return {file.stem: file for file in files}


def pixels(size: tuple[int, ...]) -> str:
    """Say a size in words, height first."""
    return " x ".join(map(str, size))
