"""What takes long the first time, done before anybody waits for it."""

from collections.abc import Iterator

from napari_sashiko.runners import Event, Tick


def warm_up_steps() -> Iterator[Event]:
    """Load the libraries that compute, and compile what a forest needs.

    After an installation that takes some seconds, later far less than one.

    Yields
    ------
    Tick
    """
    from napari_sashiko.forests import rehearse  # noqa: PLC0415 - loads torch

    yield Tick()
    # A name that loads the libraries; the others come along.
    from napari_sashiko.training import TrainingSettings  # noqa: F401, PLC0415

    for dims in (2, 3):
        yield Tick()
        rehearse(dims)
