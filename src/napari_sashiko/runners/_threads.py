"""Tasks in threads, a few ahead, closed without waiting for the slow ones."""

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
SECONDS_TO_CLOSE = 0.5


def count_of(workers: int | None) -> int:
    """Tasks in work at a time; None takes a few cores."""
    return workers or min(4, os.cpu_count() or 1)


def run_in_threads(
    func: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int | None,
    heartbeat: float | None = None,
) -> Generator[tuple[Task, Result] | None, None, None]:
    """Run tasks in a pool of threads; see ``Run``."""
    count = count_of(workers)
    pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="sashiko")
    running: dict[Future[Result], Task] = {}
    queue = iter(tasks)
    try:
        while True:
            for task in islice(queue, count - len(running)):
                running[pool.submit(func, task)] = task
            if not running:
                return
            done, _ = wait(running, timeout=heartbeat, return_when=FIRST_COMPLETED)
            if not done:
                yield None
            for future in done:
                yield running.pop(future), future.result()
    finally:
        # A task that does not watch a flag may take long: it is left to end alone,
        # and the interpreter joins its thread at exit.
        pool.shutdown(wait=False, cancel_futures=True)
        wait(running, timeout=SECONDS_TO_CLOSE)
