"""One generator in one thread: start, pause, cancel, and ask how it goes."""

import atexit
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from napari_sashiko.errors import Cancelled
from napari_sashiko.runners._mailbox import Mailbox
from napari_sashiko.runners.events import Event

JobState = Literal["waiting", "running", "paused", "done", "cancelled", "failed"]
SECONDS_AT_EXIT = 5.0
_here = threading.local()


def stop_if_asked() -> None:
    """Raise `Cancelled` in the thread of a job that was asked to stop.

    For work that takes long between two events, and can be left at any place.

    Raises
    ------
    Cancelled
        Nobody waits for what comes next.
    """
    stop: threading.Event | None = getattr(_here, "stop", None)
    if stop is not None and stop.is_set():
        raise Cancelled("Stopped.")


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A snapshot of a job; ``error`` and ``trace`` are set when it failed."""

    name: str
    state: JobState
    error: BaseException | None = None
    trace: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "cancelled", "failed")


class Job:
    """Run a generator of events in a daemon thread.

    Between two events the job may be paused or cancelled. Cancelling closes the
    generator in its own thread, so that its ``finally`` saves what is finished.

    Parameters
    ----------
    work : Iterator of Event, or callable that returns one
        The work. A callable is called in the thread, so that slow set-up does not
        block the caller.
    name : str
        What the work is called in messages.
    """

    def __init__(
        self, work: Iterator[Event] | Callable[[], Iterator[Event]], *, name: str
    ) -> None:
        self.name = name
        self._work: Iterator[Event] | Callable[[], Iterator[Event]] | None = work
        self._mailbox = Mailbox()
        self._status = JobStatus(name, "waiting")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._go_on = threading.Event()
        self._go_on.set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def status(self) -> JobStatus:
        """How it goes, as a frozen snapshot."""
        with self._lock:
            return self._status

    def start(self) -> None:
        """Start; a job that ran or was cancelled before does not start again."""
        with self._lock:
            if self._status.state != "waiting":
                return
            self._status = JobStatus(self.name, "running")
        # A daemon thread inside a tensor operation at interpreter exit aborts the
        # process, so a running job is stopped and joined first.
        atexit.register(self._stop_at_exit)
        self._thread.start()

    def cancel(self) -> None:
        """Ask to stop at the next event; paused work is stopped too."""
        self._stop.set()
        self._go_on.set()
        with self._lock:
            if self._status.state != "waiting":
                return
            self._status = JobStatus(self.name, "cancelled")
        work, self._work = self._work, None
        _close(work)
        self._ended.set()

    def pause(self) -> None:
        """Hold the work at its next event."""
        self._switch("running", "paused")

    def resume(self) -> None:
        """Let paused work go on."""
        self._switch("paused", "running")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most `seconds`; True when ended."""
        return self._ended.wait(seconds)

    def drain(self) -> list[Event]:
        """Events since the last call, oldest first.

        Of ``Progress`` about the same thing only the newest is kept, ``Tick`` is never
        kept: a job that nobody listens to does not grow.
        """
        return self._mailbox.drain()

    def _switch(self, before: JobState, after: JobState) -> None:
        with self._lock:
            if self._status.state != before or self._stop.is_set():
                return
            self._status = JobStatus(self.name, after)
            if after == "paused":
                self._go_on.clear()
            else:
                self._go_on.set()

    def _run(self) -> None:
        _here.stop = self._stop
        try:
            status = JobStatus(self.name, self._iterate())
        except Cancelled:
            status = JobStatus(self.name, "cancelled")
        except BaseException as error:  # noqa: BLE001 - told to whoever asks
            trace = traceback.format_exc()
            status = JobStatus(self.name, "failed", error, trace)
        finally:
            self._work = None
        with self._lock:
            self._status = status
        self._ended.set()
        atexit.unregister(self._stop_at_exit)

    def _iterate(self) -> JobState:
        work, self._work = self._work, None
        events = work() if callable(work) else cast("Iterator[Event]", work)
        while not self._stop.is_set():
            try:
                event = next(events)
            except StopIteration:
                return "done"
            self._mailbox.put(event)
            self._go_on.wait()
        _close(events)
        return "cancelled"

    def _stop_at_exit(self) -> None:
        self.cancel()
        self.wait(SECONDS_AT_EXIT)


def _close(work: object) -> None:
    close = getattr(work, "close", None)
    if close is not None:
        close()
