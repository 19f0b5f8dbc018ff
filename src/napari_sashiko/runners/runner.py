"""Do many tasks in one thread, in several, or on a cluster: the same answer."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from napari_sashiko.errors import SettingsError
from napari_sashiko.runners._cluster import open_cluster, run_on_cluster
from napari_sashiko.runners._threads import run_in_threads

Task = TypeVar("Task")
Result = TypeVar("Result")
Results = Generator[tuple[Task, Result] | None, None, None]
RunnerName = Literal["serial", "threads", "dask"]
RUNNERS: tuple[RunnerName, ...] = ("serial", "threads", "dask")


class Run(Protocol):
    """Apply a function to every task and hand over results as they come.

    Tasks are drawn from the iterable only as workers become free. Closing the
    generator, or an error in a task, stops drawing tasks; tasks that already run
    should watch a flag of their own.

    Parameters
    ----------
    func : callable
        Task in, small result out. For ``"dask"`` it must be possible to pickle it.
    tasks : iterable
        May be endless; it is read lazily.
    heartbeat : float, optional
        Yield None after this many seconds without a result, so that the caller can
        be stopped while a task runs.

    Yields
    ------
    (task, result) or None
        In order of completion.
    """

    def __call__(  # noqa: D102 - said above
        self,
        func: Callable[[Task], Result],
        tasks: Iterable[Task],
        *,
        heartbeat: float | None = None,
    ) -> Results[Task, Result]: ...


@contextmanager
def open_runner(
    runner: RunnerName = "serial",
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[Run]:
    """Open the place where tasks run, for one or more rounds of tasks.

    Parameters
    ----------
    runner : {"serial", "threads", "dask"}
        Where the work runs.
    workers : int, optional
        How many at a time; None lets the runner decide.
    scheduler : str, optional
        Address of a Dask scheduler; None starts a cluster on this machine.

    Yields
    ------
    Run
        Tasks in, results out; good until the context ends.

    Raises
    ------
    SettingsError
        If the runner is unknown, Dask is wanted and not installed, or no scheduler
        answers.
    """
    if workers is not None and workers < 1:
        raise SettingsError(f"workers = {workers} is not possible.", "Take 1 or more.")
    if scheduler is not None and runner in ("serial", "threads"):
        raise SettingsError(
            f"A scheduler ({scheduler}) is for the runner 'dask', not for {runner!r}.",
            "Take the runner 'dask', or leave the scheduler out.",
        )
    if runner == "serial":
        yield _run_one_by_one
    elif runner == "threads":
        yield partial(run_in_threads, workers=workers)
    elif runner == "dask":
        with open_cluster(workers, scheduler) as client:
            yield partial(run_on_cluster, client)
    else:
        raise SettingsError(
            f"There is no runner {runner!r}.", f"Choose from: {', '.join(RUNNERS)}."
        )


def in_order(results: Results[Any, Result]) -> Results[int, Result]:
    """Hand over the results of tasks 0, 1, 2, ... in that order.

    Sums of floats depend on their order: this makes them the same for any runner.
    Tasks are tuples whose first entry is their number; a result that comes early
    waits for its turn.

    Yields
    ------
    (number, result) or None
        None is handed through.
    """
    early: dict[int, Result] = {}
    turn = 0
    try:
        for item in results:
            if item is None:
                yield None
                continue
            task, result = item
            early[task[0]] = result
            while turn in early:
                yield turn, early.pop(turn)
                turn += 1
    finally:
        results.close()


def _run_one_by_one(
    func: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    heartbeat: float | None = None,
) -> Results[Task, Result]:
    if heartbeat is None:
        return ((task, func(task)) for task in tasks)
    return run_in_threads(func, tasks, workers=1, heartbeat=heartbeat)
