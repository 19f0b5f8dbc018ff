"""How long the event loop leaves its timers waiting, and whose fault it is."""

import time

from qtpy.QtCore import QObject, Qt, QTimer

EVERY = 20  # milliseconds


class StallMeter(QObject):
    """A timer of 20 ms that notes how late it is, in milliseconds.

    `gaps` are from beat to beat by the clock: a busy machine makes them longer. `work`
    is what the main thread itself computed meanwhile: a busy machine, or a thread that
    holds the interpreter, does not show there, a slow slot does.
    """

    def __init__(self):
        super().__init__()
        self.gaps, self.work = [], []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self._beat)

    def __enter__(self):
        self._clock, self._spent = time.perf_counter(), time.thread_time()
        self._timer.start()
        return self

    def __exit__(self, *_):
        self._timer.stop()
        self._beat()  # a stall at the very end counts, too

    def _beat(self):
        clock, spent = time.perf_counter(), time.thread_time()
        self.gaps.append(1000 * (clock - self._clock))
        self.work.append(1000 * (spent - self._spent))
        self._clock, self._spent = clock, spent

    def words(self):
        """Distribution of the gaps."""
        ordered = sorted(self.gaps)
        at = [ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.95, 0.99)]
        late = sum(gap > 100 for gap in ordered)
        return (
            f"{len(ordered)} gaps: median {at[0]:.0f} ms, 95 % {at[1]:.0f} ms, 99 % "
            f"{at[2]:.0f} ms, longest {ordered[-1]:.0f} ms; {late} above 100 ms; "
            f"longest work of the main thread {max(self.work):.0f} ms"
        )
