"""What a sample is, and the registry of those that there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_sashiko.labels import LabelClass
from napari_sashiko.registry import Registry

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Sample:
    """A volume with sparse labels.

    Parameters
    ----------
    name, title : str
        Key in the registry, and words for people.
    image : numpy.ndarray
        ``(Z, Y, X)``.
    voxel_size : tuple of float
        (z, y, x) in `unit`.
    unit : str
        A unit of length.
    classes : tuple of LabelClass
        Ids 1..C.
    sparse_labels : numpy.ndarray
        uint8 ``(Z, Y, X)``: simulated strokes, 0 is unlabelled.
    truth : numpy.ndarray or None
        uint8 ``(Z, Y, X)`` class ids 1..C; None where nobody knows.
    source : str
        Where it comes from.
    """

    name: str
    title: str
    image: npt.NDArray[Any]
    voxel_size: tuple[float, float, float]
    unit: str
    classes: tuple[LabelClass, ...]
    sparse_labels: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.uint8] | None
    source: str


class SampleMaker(Protocol):
    """Makes or fetches a sample; ``report(done, total)`` is called on the way."""

    def __call__(self, *, report: Report = ...) -> Sample:
        """Return the sample, the same at each call."""
        ...


SAMPLES: Registry[SampleMaker] = Registry("sample", "napari_sashiko.samples")


def silent(done: int, total: int) -> None:
    """Report to nobody."""
