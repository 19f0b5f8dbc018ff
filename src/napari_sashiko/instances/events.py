"""What finding instances says while it runs."""

from dataclasses import dataclass

from napari_sashiko.runners import Event


@dataclass(frozen=True, slots=True)
class ComponentsFound(Event):
    """All touching voxels are grouped: `count` objects before dusting."""

    count: int
    class_name: str


@dataclass(frozen=True, slots=True)
class InstancesDone(Event):
    """Labels are at `path`, the table (or None) at `table`; `removed` were dust."""

    path: str
    table: str | None
    count: int
    removed: int
    seconds: float
