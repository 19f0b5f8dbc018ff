"""What a prediction says while it runs."""

from dataclasses import dataclass
from typing import Literal

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
    """All blocks are on disk.

    Of a folder of pictures, `pictures` were predicted; `problems` says which were left
    out, and why.
    """

    path: str
    seconds: float
    pictures: int = 0
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SetsDone(Event):
    """Sizes of prediction sets are at `path`; ``voxels[n]`` sets have `n` classes.

    A class is in a set if its probability is at least `least`. `reached` is the
    coverage of held-out strokes by sets that the others calibrate; None where it is not
    known.
    """

    path: str
    coverage: float
    least: float
    voxels: tuple[int, ...]
    seconds: float
    reached: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is worth a look.

    Attributes
    ----------
    coords : (int, int, int)
        Voxel (z, y, x).
    score : float
        By which places of a kind are ranked: doubt x contrast, or how sure the
        disagreement is.
    kind : str
        ``"unsure"``: it hesitates here; ``"disagrees"``: with the paint here.
    classes : (int, int)
        Ids of the two most probable classes; or of the painted and the predicted one.
    probability : float
        Mean probability of the most probable class around here; or of the predicted
        one over the stroke.
    std : float
        Deviation over the members there; 0 where there is a single one.
    """

    coords: tuple[int, int, int]
    score: float
    kind: Literal["unsure", "disagrees"]
    classes: tuple[int, int]
    probability: float
    std: float


@dataclass(frozen=True, slots=True)
class PlacesFound(Event):
    """Places, those that are unsure first, each kind from the highest score down.

    Attributes
    ----------
    places : tuple of Place
        What was found so far, or in all.
    blocks, total : int
        Blocks of the volume that were looked at, and that it has.
    strokes : int
        Strokes of paint that were looked at.
    reach : (int, int, int)
        Voxels (z, y, x) around paint in which nothing is listed as unsure.
    complete : bool
        Whether the search has ended; others may follow otherwise.
    seconds : float
        How long it took.
    """

    places: tuple[Place, ...]
    blocks: int
    total: int
    strokes: int
    reach: tuple[int, int, int]
    complete: bool
    seconds: float

    @property
    def unsure(self) -> tuple[Place, ...]:
        """Places where the model hesitates."""
        return tuple(each for each in self.places if each.kind == "unsure")

    @property
    def disagrees(self) -> tuple[Place, ...]:
        """Strokes that the model calls another class."""
        return tuple(each for each in self.places if each.kind == "disagrees")


@dataclass(frozen=True, slots=True)
class EmbedDone(Event):
    """The table of patches is at `path`; `outside` of them are like no known one.

    `chance` is the share of them that was to be expected of the model's own image;
    `correlation` is Pearson's, of their voxels with what is made of their numbers, NaN
    where nothing varies. Of a folder of pictures, `pictures` were looked at; `problems`
    says which were left out, and why.
    """

    path: str
    patches: int
    outside: int
    chance: float
    seconds: float
    correlation: float
    pictures: int = 0
    problems: tuple[tuple[str, str], ...] = ()
