"""What a sample is, and the registry of those that there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from napari_sashiko.errors import SampleError
from napari_sashiko.labels import LabelClass
from napari_sashiko.registry import Registry
from napari_sashiko.volumes import Time

Array = npt.NDArray[Any]
Report = Callable[[int, int], None]
# What samples may be made of; a file of each name lies in the folder of a sample.
ARRAYS = {
    "image": "what there is to work on",
    "labels": "simulated strokes, 0 where nothing was painted",
    "truth": "class of each voxel",
    "target": "the image as it should have been: no noise, no gaps, no faults",
    "gaps": "1 where the detector saw nothing, 0 elsewhere",
    "phantom": "the slices that the image was measured on",
    "kinds": "class of each slice as a whole",
}


@dataclass(frozen=True)
class Sample:
    """An image, and whatever else is known of it.

    Parameters
    ----------
    name, title : str
        Key in the registry, and words for people.
    arrays : mapping of str to numpy.ndarray
        By name, those of ``ARRAYS`` where one fits: ``image`` is always there. Each is
        ``(Z, Y, X)``, ``(T, Z, Y, X)`` of several time points, or ``(Z,)`` where it
        says one thing of a whole slice.
    source : str
        Where it comes from.
    voxel_size : tuple of float
        (z, y, x) in `unit`.
    unit : str
        A unit of length; ``"pixel"`` where none is meant.
    classes : tuple of LabelClass
        Ids 1..C of labels and truth; none where there are neither.
    time : Time, optional
        What lies between two time points, where there are several.
    parts : tuple of (str, int)
        Of slices that are pictures of a folder: how many lie in ``train``,
        ``validate`` and ``test``, one after the other.

    Raises
    ------
    SampleError
        If there is no image, or an array has another number of axes.
    """

    name: str
    title: str
    arrays: Mapping[str, Array]
    source: str
    voxel_size: tuple[float, float, float] = (1.0, 1.0, 1.0)
    unit: str = "pixel"
    classes: tuple[LabelClass, ...] = ()
    time: Time | None = None
    parts: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if "image" not in self.arrays:
            raise SampleError(f"The sample {self.name!r} has no image.")
        for key, array in self.arrays.items():
            if array.ndim not in (1, 3 if self.time is None else 4):
                raise SampleError(
                    f"{key!r} of the sample {self.name!r} has {array.ndim} axes.",
                    "Give (Z, Y, X), (T, Z, Y, X) with the time between two of them, "
                    "or (Z,) for one value a slice.",
                )

    @property
    def image(self) -> Array:
        """What there is to work on, ``([T,] Z, Y, X)``."""
        return self.arrays["image"]

    @property
    def sparse_labels(self) -> Array | None:
        """Simulated strokes, uint8 ``(Z, Y, X)``, 0 is unlabelled; None without."""
        return self.arrays.get("labels")

    @property
    def truth(self) -> Array | None:
        """Class ids 1..C, uint8 ``(Z, Y, X)``; None where nobody knows them."""
        return self.arrays.get("truth")


class SampleMaker(Protocol):
    """Makes or fetches a sample; ``report(done, total)`` is called on the way."""

    def __call__(self, *, report: Report = ...) -> Sample:
        """Return the sample, the same at each call."""
        ...


SAMPLES: Registry[SampleMaker] = Registry("sample", "napari_sashiko.samples")


def silent(done: int, total: int) -> None:
    """Report to nobody."""
