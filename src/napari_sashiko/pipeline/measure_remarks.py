"""What is said before members are measured: what cannot be told, what it takes."""

import math
from collections.abc import Iterator, Sequence

from napari_sashiko.errors import OutputError
from napari_sashiko.pipeline.member_turn import Turn
from napari_sashiko.prediction import estimate
from napari_sashiko.runners import Message
from napari_sashiko.volumes import check_writable

LABEL_BYTES = 4  # of a voxel in the map of objects


def remarks(turns: Sequence[Turn]) -> Iterator[Message]:
    """Say how many members are left and what room they take, and warn."""
    if len(turns) == 1:
        yield Message(
            "The model has one member: there is no spread. Train an ensemble for it.",
            "warning",
        )
    minus_std = turns[0].settings.minus_std
    if minus_std > 0:
        yield Message(
            f"minus_std = {minus_std:g} is left out: a single member has no "
            "deviation. Objects are those above the threshold alone.",
            "warning",
        )
    known = sum(turn.kept() is not None for turn in turns)
    if known:
        yield Message(f"Going on: {known} of {len(turns)} members were measured.")
    left = len(turns) - known
    if not left:
        return
    needed = _disk_bytes(turns[0], left)
    yield Message(
        f"{left} {'members' if left > 1 else 'member'}, one after the other; "
        f"up to {_readable(needed)} on disk meanwhile."
    )
    try:
        check_writable(turns[0].folder, needed)
    except OutputError as error:
        # Maps compress: half of it may do, so it is only said.
        yield Message(f"The disk may become full. {error}", "warning")


def _disk_bytes(turn: Turn, left: int) -> int:
    """Room that the largest moment takes, before compression."""
    settings = turn.settings.for_prediction()
    one = estimate(turn.predictor, turn.volume, settings).disk_bytes
    maps = left if turn.settings.keep_maps else 1
    return one * maps + LABEL_BYTES * math.prod(turn.volume.shape)


def _readable(size: int) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
