"""Tasks on a Dask cluster: one future a task, a bounded number in flight."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from napari_sashiko.errors import SettingsError

Task = TypeVar("Task")
Result = TypeVar("Result")
AHEAD_PER_WORKER = 2
RETRIES = 2


def run_on_cluster(
    func: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int | None,
    scheduler: str | None,
    heartbeat: float | None,
) -> Generator[tuple[Task, Result] | None, None, None]:
    """Run tasks through ``dask.distributed``; see ``run_tasks``."""
    distributed = _distributed()
    queue = iter(tasks)
    running: dict[Any, Task] = {}
    with _client(distributed, workers, scheduler) as client:
        try:
            while True:
                ahead = AHEAD_PER_WORKER * max(1, len(client.nthreads()))
                for task in islice(queue, max(0, ahead - len(running))):
                    future = client.submit(func, task, pure=False, retries=RETRIES)
                    running[future] = task
                if not running:
                    return
                done = _finished(distributed, client, running, heartbeat)
                if not done:
                    yield None
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            client.cancel(list(running))


def _finished(
    distributed: Any, client: Any, running: dict[Any, Any], heartbeat: float | None
) -> list[Any]:
    try:
        with client.as_current():
            states = distributed.wait(
                list(running), timeout=heartbeat, return_when="FIRST_COMPLETED"
            )
    except TimeoutError:  # distributed.TimeoutError is this one
        return []
    return list(states.done)


@contextlib.contextmanager
def _client(
    distributed: Any, workers: int | None, scheduler: str | None
) -> Iterator[Any]:
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout="5s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"No Dask scheduler answers at {scheduler!r}: {error}.",
                "Give an address such as tcp://host:8786, or none for this machine.",
            ) from error
        with client:
            yield client
        return
    cluster = distributed.LocalCluster(
        n_workers=workers or 2, threads_per_worker=1, dashboard_address=None
    )
    with cluster, distributed.Client(cluster, set_as_default=False) as client:
        yield client


def _distributed() -> Any:
    try:
        import distributed  # noqa: PLC0415 - an extra: only who wants it needs it
    except ImportError as error:
        raise SettingsError(
            "The runner 'dask' needs the package 'distributed'.",
            'Install it with: pip install "napari-sashiko[dask]", or take "threads".',
        ) from error
    return distributed
