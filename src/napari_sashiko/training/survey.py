"""What the members say of random places: how common classes are, how far they agree.

People paint about as much of a rare class as of a common one. A model that learns from
their strokes takes both for equally common and sees the rare one too often. What the
ensemble says on average about random places of the volume is a better estimate of the
classes' shares; dividing it by the shares of the paint gives the factors by which the
probabilities are corrected: one step of Saerens et al., Neural Comput. 14, 21 (2002).

That theory takes the voxels of a class in paint for the same as those in the volume.
They are not: strokes avoid borders, and those are what is in doubt. The whole factor
overshoots and loses the rare class there, so a root of it is taken.
"""

import math
import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.checkpoints import Ensemble
from napari_sashiko.checkpoints.member import Box
from napari_sashiko.runners import Event, Tick
from napari_sashiko.volumes import Region, Volume, grow

FEWEST = 6  # blocks that are asked however late it is
MOST = 50.0  # a correction beyond this factor would be a guess
SAMPLE = 512  # voxels of a block whose answers are compared, about
POWER = 1 / 3  # of the factor: best on fifteen volumes with 2, 4 and 8 strokes a class


@dataclass(frozen=True, eq=False)
class Survey:
    """What members say about random blocks of a volume.

    Attributes
    ----------
    shares : numpy.ndarray
        ``(K,)`` mean probability of each class, sums to 1.
    answers : numpy.ndarray
        ``(M, N, K)`` float32: what each member says about some voxels of the blocks.
    """

    shares: NDArray[np.float64]
    answers: NDArray[np.float32]


def survey(
    ensemble: Ensemble,
    volume: Volume,
    *,
    blocks: int,
    edge: int,
    seed: int,
    deadline: float | None = None,
) -> Generator[Event, None, Survey]:
    """Ask all members about random blocks of one slice.

    Parameters
    ----------
    ensemble : Ensemble
        Without correction and temperature.
    volume : Volume
        Its blocks are read with the ensemble's halo.
    blocks, edge : int
        How many, and how many voxels long and wide.
    seed : int
        Decides where.
    deadline : float, optional
        ``time.monotonic()`` after which `FEWEST` blocks must do.
    """
    rng = np.random.default_rng(seed)
    weights = np.array([member.weight for member in ensemble.card.members])
    singles = [ensemble.alone(place) for place in range(len(weights))]
    answers: list[NDArray[np.float32]] = []
    total = np.zeros(len(ensemble.card.classes))
    size = [min(edge, n) for n in volume.shape[1:]]
    blocks = min(blocks, -(-math.prod(volume.shape) // math.prod(size)))
    # Slices are spread over the depth, one draw in each of equal parts.
    depths = (np.arange(blocks) + rng.random(blocks)) * volume.shape[0] / blocks
    # In random order, so that those that are left out are missed nowhere in particular.
    for done, z in enumerate(rng.permutation(depths.astype(int))):
        late = deadline is not None and time.monotonic() > deadline
        if late and done >= FEWEST:
            break
        y, x = (
            int(rng.integers(n - e + 1))
            for n, e in zip(volume.shape[1:], size, strict=True)
        )
        core = volume.fitted((int(z), y, x), (1, *size))
        patch, box = _around(ensemble, volume, core)
        said = np.stack([_rows(one, patch, box) for one in singles])
        total += weights @ said.mean(axis=1, dtype=np.float64)
        answers.append(said[:, :: max(1, said.shape[1] // SAMPLE)])
        yield Tick()
    return Survey(total / total.sum(), np.concatenate(answers, axis=1))


def correction(
    volume_shares: NDArray[np.float64], paint_shares: NDArray[np.float64]
) -> tuple[float, ...]:
    """Factor per class, as far as it can be trusted."""
    factors = (volume_shares / paint_shares).clip(1 / MOST, MOST) ** POWER
    return tuple(float(f) for f in factors)


def _around(
    ensemble: Ensemble, volume: Volume, core: Region
) -> tuple[NDArray[np.float32], Box]:
    """A block with the halo of all members, and where in it the block lies."""
    # Grown to where pooling networks allow a patch to start.
    halo = [h + a for h, a in zip(ensemble.halo, ensemble.align, strict=True)]
    region = grow(core, halo, volume.shape, volume.frame)
    first = [part.start for part in volume.around(core)]
    start = [
        low + (part.start - low) // a * a
        for part, a, low in zip(region, ensemble.align, first, strict=True)
    ]
    region = tuple(slice(s, part.stop) for s, part in zip(start, region, strict=True))  # type: ignore[assignment]
    box = tuple(
        (c.start - r.start, c.stop - r.start) for c, r in zip(core, region, strict=True)
    )
    return ensemble.card.normalisation.apply(volume.read(region)), box


def _rows(one: Ensemble, patch: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    """What one member says about a block, ``(N, K)``."""
    mean, _ = one.predict(patch, core=box)
    return mean.reshape(len(mean), -1).T
