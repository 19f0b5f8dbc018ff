"""Tasks on a Dask cluster: one future a task, a bounded number in flight."""

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit

from napari_sashiko.errors import Cancelled, SettingsError, WorkerError
from napari_sashiko.runners._threads import count_of

Task = TypeVar("Task")
Result = TypeVar("Result")
AHEAD_PER_WORKER = 2
RETRIES = 2
SECONDS_TO_ANSWER = 5.0
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has only one that kills


@contextlib.contextmanager
def open_cluster(workers: int | None, scheduler: str | None) -> Iterator[Any]:
    """Connect to a scheduler, or start processes on this machine; see ``open_runner``.

    Yields
    ------
    distributed.Client
    """
    distributed = _distributed()
    if scheduler is not None:
        with _connected(distributed, scheduler) as client:
            yield client
        return
    cluster = distributed.LocalCluster(
        n_workers=count_of(workers),
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",  # None takes a port that may be in use
    )
    with cluster:
        try:
            with distributed.Client(cluster, set_as_default=False) as client:
                yield client
        except BaseException:  # stopped, or failed: nobody waits for what still runs
            _end_at_once(cluster)
            raise


def run_on_cluster(
    client: Any,
    func: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    heartbeat: float | None = None,
) -> Generator[tuple[Task, Result] | None, None, None]:
    """Run tasks through ``dask.distributed``; see ``Run``."""
    queue = iter(tasks)
    running: dict[Any, Task] = {}
    try:
        while True:
            ahead = AHEAD_PER_WORKER * max(1, len(client.nthreads()))
            for task in islice(queue, max(0, ahead - len(running))):
                future = client.submit(func, task, pure=False, retries=RETRIES)
                running[future] = task
            if not running:
                return
            done = _finished(client, running, heartbeat)
            if not done:
                yield None
            for future in done:
                yield running.pop(future), _result(future)
    finally:
        with contextlib.suppress(OSError, CancelledError):
            client.cancel(list(running))


def check_not_cancelled() -> None:
    """Raise in a task on a cluster that nobody waits for any more.

    Anywhere else nothing happens.

    Raises
    ------
    Cancelled
        If the run that sent the task was stopped, or its process died.
    """
    distributed = _distributed()
    try:
        worker = distributed.get_worker()
    except ValueError:  # not on a cluster
        return
    task = worker.state.tasks.get(worker.get_current_task())
    if task is None or task.state == "cancelled":
        raise Cancelled("Stopped.")


def _finished(
    client: Any, running: dict[Any, Any], heartbeat: float | None
) -> list[Any]:
    distributed = _distributed()
    try:
        with client.as_current():
            states = distributed.wait(
                list(running), timeout=heartbeat, return_when="FIRST_COMPLETED"
            )
    except TimeoutError:  # distributed.TimeoutError is this one
        return []
    except CancelledError as error:
        raise _lost(error) from error
    return list(states.done)


def _result(future: Any) -> Any:
    distributed = _distributed()
    try:
        return future.result()
    except distributed.KilledWorker as error:
        raise WorkerError(
            "Worker processes died again and again on the same block.",
            "Mostly memory ran out: take smaller windows, or give workers more memory.",
        ) from error
    except CancelledError as error:
        raise _lost(error) from error


def _lost(error: BaseException) -> WorkerError:
    return WorkerError(
        f"The Dask scheduler went away: {error}.",
        "What is finished is kept: start the scheduler and run it again.",
    )


@contextlib.contextmanager
def _connected(distributed: Any, scheduler: str) -> Iterator[Any]:
    try:
        _knock(scheduler)
        client = distributed.Client(
            scheduler, timeout=SECONDS_TO_ANSWER, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"No Dask scheduler answers at {scheduler!r}.",
            "Give an address such as tcp://host:8786, or none for this machine.",
        ) from error
    with client:
        yield client


def _knock(scheduler: str) -> None:
    """Connect once: a client that finds nobody complains long after it was told so."""
    parts = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
    if parts.scheme not in ("tcp", "tls"):
        return  # left to the client
    if not parts.hostname or not parts.port:
        raise ValueError("it has no host and port")
    address = (parts.hostname, parts.port)
    socket.create_connection(address, timeout=SECONDS_TO_ANSWER).close()


def _end_at_once(cluster: Any) -> None:
    """Kill the processes: asked kindly, one that is busy stays for seconds.

    What they were writing has no name yet.
    """
    for nanny in cluster.workers.values():
        nanny.close_gracefully()  # does not restart it
        if nanny.pid is not None:
            with contextlib.suppress(OSError):
                os.kill(nanny.pid, KILL)


def _distributed() -> Any:
    try:
        import distributed  # noqa: PLC0415 - an extra: only who wants it needs it
    except ImportError as error:
        raise SettingsError(
            "The runner 'dask' needs the package 'distributed'.",
            'Install it with: pip install "napari-sashiko[dask]", or take "threads".',
        ) from error
    return distributed
