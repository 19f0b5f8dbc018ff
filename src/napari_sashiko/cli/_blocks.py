"""Progress of commands that write a volume block by block."""

from napari_sashiko.cli._console import Bar
from napari_sashiko.pipeline import CellDone, Event, PredictionStarted


def blocks(event: Event) -> Bar | str | None:
    """Say how many blocks were there and are done, as a line or a bar."""
    if isinstance(event, PredictionStarted):
        if event.done:
            return f"Going on: {event.done} of {event.cells} blocks were finished."
        return f"Blocks: {event.cells}."
    if isinstance(event, CellDone):
        return Bar("blocks", event.done, event.total)
    return None
