"""What a prediction says while it runs."""

from dataclasses import dataclass

from napari_sashiko.runners import Event

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PredictionStarted(Event):
    """The output at `path` can be opened; `done` of `cells` were finished before."""

    path: str
    cells: int
    done: int


@dataclass(frozen=True, slots=True)
class CellDone(Event):
    """One block is on disk: ``cell`` is ((z0, z1), (y0, y1), (x0, x1)) in voxels."""

    cell: Box
    done: int
    total: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class PredictionDone(Event):
    """All blocks are on disk."""

    path: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SetsDone(Event):
    """Sizes of prediction sets are at `path`; ``voxels[n]`` sets have `n` classes.

    A class is in a set if its probability is at least `least`.
    """

    path: str
    coverage: float
    least: float
    voxels: tuple[int, ...]
    seconds: float
