"""What forests say about random places, for networks to learn from.

Between a few strokes a network is free to say anything, and does: it takes whatever is
near an object for the object, and what it has never seen for anything. A forest looks
at each voxel's filters only, and goes on alike where nothing is painted. So networks
learn from strokes what is true, and from a forest's probabilities at random places
what is likely: distillation, Hinton, Vinyals & Dean (2015), arXiv:1503.02531.

A network's teacher has seen the same strokes as the network: what is held out to judge
the one is new to both.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from itertools import product
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sashiko.forests import Forest
from napari_sashiko.runners import Event, Tick, torch_threads, turn
from napari_sashiko.training._desk import Desk
from napari_sashiko.training.held_out import FoldForest, features_of
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.tiles import DEPTH, EDGE, Triple, read_mirrored
from napari_sashiko.volumes import Region, Stacking

MEMORY = 1 << 28  # bytes of patches and answers together, and as many of features
FEWEST, MOST = 8, 96  # patches: FEWEST however late it is, if there is memory for them
PATIENCE = 0.15  # share of the time left that reading may take


class Teacher:
    """Lessons at random places, the same ones whenever the forests have changed.

    Parameters
    ----------
    desk : Desk
        The volume is read in pieces of a patch with the halo of the forest's filters.
    patch : tuple of int
        (z, y, x) size; z = 1 for 2D.
    """

    def __init__(self, desk: Desk, patch: Triple) -> None:
        self.desk = desk
        self.patch = patch
        rng = np.random.default_rng(desk.settings.seed)
        self._places = _places(
            desk.volume.stacking, patch, _affordable(desk, patch), rng
        )
        self._images: list[torch.Tensor] = []
        self._features: dict[tuple[int, ...], NDArray[np.float32]] = {}
        self._kept = 0  # bytes of features
        self._slants = desk.slants  # whether these know diagonals apart

    def teach(self, most: int = MOST) -> Generator[Event, None, tuple[Lessons, ...]]:
        """Ask each network's forest about patches at random places.

        Patches that were asked about before are asked about again, others follow as
        long as there is time.

        Parameters
        ----------
        most : int
            Patches.

        Returns
        -------
        tuple of Lessons
            For each network; empty where there is no forest, or nobody listens to it.
        """
        desk, patch = self.desk, self.patch
        if desk.forest is None or not desk.is_taught:
            return ()
        by_network = _by_network(desk, desk.forest)
        # Networks that learn from the same strokes share a teacher and its answers.
        teachers = list(dict.fromkeys(by_network))
        answers: list[list[torch.Tensor]] = []
        started = time.monotonic()
        for number, drawn in enumerate(self._places[:most]):
            start = np.array([part.start for part in desk.volume.fitted(drawn, patch)])
            late = number >= FEWEST and _is_late(desk, started)
            if late and number >= len(self._images):
                break
            if number >= len(self._images):
                self._images.append(self._image(start))
            answers.append((yield from self._answers(teachers, start)))
        with turn(desk.device):
            seen = torch.stack(self._images[: len(answers)]).to(desk.device)
            told = [
                torch.stack(each).to(desk.device) for each in zip(*answers, strict=True)
            ]
        return tuple(
            Lessons(seen, told[teachers.index(teacher)], desk.settings.teacher)
            for teacher in by_network
        )

    def _image(self, start: NDArray[np.int64]) -> torch.Tensor:
        desk, flat = self.desk, self.desk.choices.dims == 2
        margin = (desk.choices.neighbours if flat else 0, 0, 0)
        stop = start + self.patch
        image = torch.from_numpy(
            read_mirrored(desk.volume, desk.normalisation, start, stop, margin)
        )
        return image.flatten(0, 1) if flat else image

    def _answers(
        self, teachers: Sequence[FoldForest], start: NDArray[np.int64]
    ) -> Generator[Event, None, list[torch.Tensor]]:
        """Each teacher's probabilities ``(K, [z,] y, x)``.

        Mirrored, like the image, where the volume is smaller than a patch. Beyond the
        edge of a picture among larger ones nothing is said: no loss looks there.
        """
        desk = self.desk
        first = tuple(slice(int(s), int(s) + 1) for s in start)
        around = desk.volume.around(first)  # type: ignore[arg-type]
        ends = (around[0].stop, *desk.volume.extent(int(start[0])))
        size = np.minimum(start + self.patch, ends) - start
        told = np.zeros((len(teachers), len(desk.classes), *size), np.float32)
        for box in _pieces(size):
            core: Region = tuple(  # type: ignore[assignment]
                slice(int(s) + b.start, int(s) + b.stop)
                for s, b in zip(start, box, strict=True)
            )
            rows = self._features_of(core)
            for number, teacher in enumerate(teachers):
                part = told[(number, slice(None), *box)]
                part[:] = teacher.classify(rows).T.reshape(part.shape)
            yield Tick()
        pad = [(0, 0), *((0, int(n)) for n in np.array(self.patch) - size)]
        mode: Literal["constant", "symmetric"]
        mode = "constant" if desk.volume.separate else "symmetric"
        whole = (torch.from_numpy(np.pad(each, pad, mode=mode)) for each in told)
        return [each[:, 0] if desk.choices.dims == 2 else each for each in whole]

    def _features_of(self, core: Region) -> NDArray[np.float32]:
        """Features ``(N, F)`` of a piece, kept as far as memory goes."""
        desk, key = self.desk, tuple(part.start for part in core)
        if desk.slants != self._slants:  # forests have been grown on others since
            self._features, self._kept, self._slants = {}, 0, desk.slants
        known = self._features.get(key)
        if known is not None:
            return known
        with torch_threads(1):
            found = features_of(desk.volume, desk.normalisation, desk.bank, core)
        rows = found.reshape(len(found), -1).T
        if desk.is_live and self._kept + rows.nbytes <= MEMORY:
            rows = np.ascontiguousarray(rows)
            self._features[key] = rows
            self._kept += rows.nbytes
        return rows


def _by_network(desk: Desk, forest: Forest) -> list[FoldForest]:
    """The forest that has not seen what each network does not see."""
    everything = np.unique(desk.channels)
    whole = FoldForest(forest, everything, len(everything))
    # A fold without paint has no forest of its own: nothing is held out there.
    return [
        desk.fold_forests.get(number, whole) for number in range(desk.settings.members)
    ]


def _affordable(desk: Desk, patch: Triple) -> int:
    planes = 2 * desk.choices.neighbours + 1 if desk.choices.dims == 2 else 1
    values = desk.volume.channels * planes + desk.settings.members * len(desk.classes)
    return int(np.clip(MEMORY // (4 * values * np.prod(patch)), 1, MOST))


def _places(
    stack: Stacking, patch: Triple, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Corners ``(n, 3)``, all different, in random order, spread over the depth.

    No patch lies in two frames.
    """
    room = np.maximum(np.array((stack.depth, *stack.shape[1:])) - patch, 0) + 1
    places = rng.integers(room, size=(count, 3))
    deep = (np.arange(count) + rng.random(count)) * (room[0] * stack.count) / count
    frame, place = np.divmod(deep.astype(np.int64), room[0])
    places[:, 0] = frame * stack.depth + place
    return rng.permutation(np.unique(places, axis=0))


def _pieces(size: NDArray[np.int64]) -> Iterator[Region]:
    """Boxes that take well below a second each, so that stopping is quick."""
    steps = (DEPTH, EDGE, EDGE)
    starts = [range(0, int(n), step) for n, step in zip(size, steps, strict=True)]
    for corner in product(*starts):
        yield tuple(  # type: ignore[misc]
            slice(low, min(low + step, int(n)))
            for low, step, n in zip(corner, steps, size, strict=True)
        )


def _is_late(desk: Desk, started: float) -> bool:
    if desk.deadline is None or desk.is_live:
        return False
    left = max(desk.deadline - started, 0.0)
    return time.monotonic() > started + PATIENCE * left
