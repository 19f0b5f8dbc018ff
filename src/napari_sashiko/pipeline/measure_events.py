"""What measuring with error bars says while it runs."""

from dataclasses import dataclass

from napari_sashiko.measurements import Spread
from napari_sashiko.runners import Event


@dataclass(frozen=True, slots=True)
class MemberStarted(Event):
    """It is the turn of member `number` of `members`: a `kind` of this `weight`."""

    number: int
    members: int
    kind: str
    weight: float


@dataclass(frozen=True, slots=True)
class MeasureDone(Event):
    """Tables are in the folder `path`; the numbers that are asked for most.

    Parameters
    ----------
    path : str
        Folder.
    class_name : str
        Class of the objects.
    members : int
        Over which the spreads go.
    count, fraction, length : Spread
        Objects; share of the volume, 0 to 1; median length in `unit`.
    unit : str
        Unit of length.
    seconds : float
        Of this run.
    """

    path: str
    class_name: str
    members: int
    count: Spread
    fraction: Spread
    length: Spread
    unit: str
    seconds: float
