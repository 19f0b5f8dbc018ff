"""What measuring with error bars says while it runs."""

from dataclasses import dataclass

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
    """The tables of `members` members are in the folder `path`."""

    path: str
    members: int
    seconds: float
