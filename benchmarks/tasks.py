"""The volumes that accuracy is measured on, each with its truth.

Real volumes lie in a folder as NAME.npz: ``image_degraded`` is taken before ``image``,
``labels_semantic`` before ``labels``; labels of more than five values are objects
against background, and serve to score objects too. Generated ones come from
`phantoms.py`, or from `unseen.py`: on kinds of these, nothing was ever chosen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from phantoms import PHANTOMS
from unseen import UNSEEN

GENERATED = 101  # seed of the volumes of a claim; defaults were chosen on others
STACKS = ("micrographs", "nasa_superalloy")  # separate images, not volumes
SPACING = {"embryo_nuclei_16cell": (2.18, 1.0, 1.0)}
MOST_CLASSES = 5
# Real volumes that took part in choosing a default (docs/explanation/tried.md): the
# share of the correction, the temperature, the teacher, or the neighbouring slices.
TRIED = (
    "ct_cement_pores",
    "ct_trabecular_bone",
    "embryo_nuclei_16cell",
    "nasa_superalloy",
    "plantseg_1135_mini",
)


@dataclass(frozen=True)
class Scene:
    """A volume with truth.

    Parameters
    ----------
    image : numpy.ndarray
        ``(Z, Y, X)``.
    truth : numpy.ndarray
        ``(Z, Y, X)`` uint8, 0 is the first class.
    spacing : tuple of float
        Voxel size (z, y, x).
    stack : bool
        Whether slices are separate images.
    instances : numpy.ndarray or None
        ``(Z, Y, X)`` integers: a number for each object of the second class, 0 for
        none. None where the truth knows no objects.
    """

    image: np.ndarray
    truth: np.ndarray
    spacing: tuple[float, float, float]
    stack: bool
    instances: np.ndarray | None = None


@dataclass(frozen=True)
class Task:
    """A scene by name.

    Parameters
    ----------
    name : str
        Name of the volume.
    chosen : bool
        Whether volumes of this kind, or this one, served to choose a default: what is
        measured here says little about other volumes.
    load : callable
        Reads or makes the scene.
    """

    name: str
    chosen: bool
    load: Callable[[], Scene]


def tasks(folder: Path | None, seed: int = GENERATED) -> Iterator[Task]:
    """All tasks: real volumes of a folder first, then generated ones."""
    for path in sorted(folder.glob("*.npz")) if folder else ():
        yield Task(path.stem, path.stem in TRIED, load=partial(_read, path))
    for name in PHANTOMS:
        yield Task(name, chosen=True, load=partial(_made, name, seed))
    for name in UNSEEN:
        yield Task(name, chosen=False, load=partial(_made, name, seed))


def trials(folder: Path | None, seed: int) -> Iterator[Task]:
    """Tasks to choose defaults on; none that serves to claim."""
    return (task for task in tasks(folder, seed) if task.chosen)


def _read(path: Path) -> Scene:
    with np.load(path) as arrays:
        image = arrays["image_degraded" if "image_degraded" in arrays else "image"]
        found = [key for key in ("labels_semantic", "labels") if key in arrays]
        truth, labels = arrays[found[0]], arrays[found[-1]]
    if len(np.unique(truth)) > MOST_CLASSES:
        truth = truth > 0
    instances = labels if len(np.unique(labels)) > MOST_CLASSES else None
    spacing = SPACING.get(path.stem, (1.0, 1.0, 1.0))
    stack = path.stem in STACKS
    return Scene(image, truth.astype(np.uint8), spacing, stack, instances)


def _made(name: str, seed: int) -> Scene:
    image, truth, spacing, *instances = (PHANTOMS | UNSEEN)[name](seed=seed)
    return Scene(image, truth, spacing, name in STACKS, *instances)
