"""Do many tasks in one thread, in several, or on a cluster: the same answer."""

from collections.abc import Callable, Generator, Iterable
from typing import Literal, TypeVar

from napari_sashiko.errors import SettingsError
from napari_sashiko.runners._cluster import run_on_cluster
from napari_sashiko.runners._threads import run_in_threads

Task = TypeVar("Task")
Result = TypeVar("Result")
RunnerName = Literal["serial", "threads", "dask"]
RUNNERS: tuple[RunnerName, ...] = ("serial", "threads", "dask")


def run_tasks(
    func: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    runner: RunnerName = "serial",
    workers: int | None = None,
    scheduler: str | None = None,
    heartbeat: float | None = None,
) -> Generator[tuple[Task, Result] | None, None, None]:
    """Apply `func` to every task and hand over results as they come.

    Tasks are drawn from the iterable only as workers become free. Closing the
    generator, or an error in a task, stops drawing tasks; tasks that already run
    should watch a flag of their own.

    Parameters
    ----------
    func : callable
        Task in, small result out. For ``"dask"`` it must be possible to pickle it.
    tasks : iterable
        May be endless; it is read lazily.
    runner : {"serial", "threads", "dask"}
        Where the work runs.
    workers : int, optional
        How many at a time; None lets the runner decide.
    scheduler : str, optional
        Address of a Dask scheduler; None starts a cluster on this machine.
    heartbeat : float, optional
        Yield None after this many seconds without a result, so that the caller can
        be stopped while a task runs.

    Yields
    ------
    (task, result) or None
        In order of completion.

    Raises
    ------
    SettingsError
        If the runner is unknown, or Dask is wanted and not installed.
    """
    if workers is not None and workers < 1:
        raise SettingsError(f"workers = {workers} is not possible.", "Take 1 or more.")
    if runner == "serial" and heartbeat is None:
        return _run_here(func, tasks)
    if runner in ("serial", "threads"):
        count = 1 if runner == "serial" else workers
        return run_in_threads(func, tasks, workers=count, heartbeat=heartbeat)
    if runner == "dask":
        return run_on_cluster(
            func, tasks, workers=workers, scheduler=scheduler, heartbeat=heartbeat
        )
    raise SettingsError(
        f"There is no runner {runner!r}.", f"Choose from: {', '.join(RUNNERS)}."
    )


def _run_here(
    func: Callable[[Task], Result], tasks: Iterable[Task]
) -> Generator[tuple[Task, Result] | None, None, None]:
    for task in tasks:
        yield task, func(task)
