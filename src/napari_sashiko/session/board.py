"""Jobs by kind: at most one of each runs; their events are handed over when pumped."""

from collections.abc import Callable, Iterator
from typing import Any

from napari_sashiko.errors import SashikoError
from napari_sashiko.runners import Event, Job, JobStatus

SECONDS_TO_JOIN = 5.0


class JobBoard:
    """One place for each kind of work.

    The board is used from one thread, the one that pumps; the jobs run in theirs.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._reported: dict[str, tuple[Job, str]] = {}

    def start(
        self,
        kind: str,
        work: Callable[[], Iterator[Event]],
        *,
        name: str,
        announce: Callable[[], None] | None = None,
    ) -> Job:
        """Start work in the background.

        Parameters
        ----------
        kind : str
            At most one of each runs.
        work : callable
            Returns the generator that works.
        name : str
            What it is called in messages.
        announce : callable, optional
            Called before the work begins: its end is told by `pump` alone, however
            soon it comes.

        Raises
        ------
        SashikoError
            If work of this kind is still running.
        """
        if self.is_running(kind):
            raise SashikoError(
                f"{self._jobs[kind].name} is still running.", "Stop it first."
            )
        job = Job(work, name=name)
        self._jobs[kind] = job
        self._reported[kind] = (job, "running")
        try:
            if announce is not None:
                announce()
        finally:
            job.start()
        return job

    def job(self, kind: str) -> Job | None:
        """Return the job of this kind that runs or ran last."""
        return self._jobs.get(kind)

    def is_running(self, kind: str) -> bool:
        """Whether work of this kind is waiting, running or paused."""
        job = self._jobs.get(kind)
        return job is not None and not job.status.ended

    def running(self) -> list[str]:
        """Kinds of work that have not ended."""
        return [kind for kind in self._jobs if self.is_running(kind)]

    def stop(self, kind: str) -> None:
        """Ask the work of this kind to stop; returns at once."""
        job = self._jobs.get(kind)
        if job is not None:
            job.cancel()

    def pump(self) -> list[tuple[str, list[Event], JobStatus | None]]:
        """Tell what happened since the last call.

        Returns
        -------
        list of (kind, events, status)
            `status` is None unless the state of the job is another than last time.
        """
        news = []
        for kind, job in list(self._jobs.items()):
            # The status is asked first: events that come later are not lost, they
            # are drained with the next one.
            status = job.status
            events = job.drain()
            changed = self._reported.get(kind) != (job, status.state)
            if changed:
                self._reported[kind] = (job, status.state)
            if events or changed:
                news.append((kind, events, status if changed else None))
        return news

    def close(self, seconds: float = SECONDS_TO_JOIN) -> bool:
        """Cancel everything and wait; True when all threads have ended."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        # A list, so that every job is waited for.
        ended = [job.wait(seconds) for job in jobs]
        return all(ended)


def describe_error(error: BaseException | None) -> str:
    """Return one sentence on why a job failed."""
    if error is None:
        return "The work stopped without saying why."
    if isinstance(error, SashikoError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for this step."
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"A file could not be used: {error.strerror}{where}."
    return f"Unexpected problem, {type(error).__name__}: {_first_line(error)}"


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or ["no details"])[0]
