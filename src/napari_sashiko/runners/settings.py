"""What a user may set about where work runs, the same for every step."""

import os
from contextlib import AbstractContextManager

from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.runners._threads import count_of
from napari_sashiko.runners.runner import Run, RunnerName, open_runner


class RunnerSettings(Settings):
    """Where work by blocks runs: steps that do such work inherit these."""

    runner: RunnerName = Field(default="threads", description="Where the work runs.")
    workers: int | None = Field(
        default=None,
        ge=1,
        description="Blocks or pictures in work at a time; None decides.",
    )
    scheduler: str | None = Field(
        default=None, description="Address of a Dask scheduler, e.g. tcp://host:8786."
    )


def open_place(settings: RunnerSettings) -> AbstractContextManager[Run]:
    """Open the runner that settings name, as `open_runner` does."""
    return open_runner(
        settings.runner, workers=settings.workers, scheduler=settings.scheduler
    )


def workers_of(settings: RunnerSettings) -> int:
    """Blocks or pictures that are in work at a time."""
    return count_of(settings.workers)


def threads_each(settings: RunnerSettings) -> int:
    """Threads of one operation: the same for all runners, for the same rounding."""
    return max(1, (os.cpu_count() or 1) // workers_of(settings))
