"""What exporting says when it is done."""

from dataclasses import dataclass

from napari_sashiko.runners import Event


@dataclass(frozen=True, slots=True)
class ExportDone(Event):
    """The file `path` is whole: `what` is in it, in words; `bytes` is its size."""

    path: str
    what: str
    bytes: int
    seconds: float
