"""How fast a network learns, and when it is done: by steps or by the clock."""

import math
import time
from collections.abc import Callable

GRACE = 0.1  # share of the time in which steps alone count
WARM_UP = 0.2  # share of the schedule in which the learning rate rises


def one_cycle(fraction: float) -> float:
    """Learning rate relative to its peak: up in a cosine, down in a longer one."""
    if fraction < WARM_UP:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * fraction / WARM_UP)) / 2
    falling = min((fraction - WARM_UP) / (1 - WARM_UP), 1.0)
    return 1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * falling)) / 2


def cosine(fraction: float) -> float:
    """Learning rate relative to its peak: down in a cosine from the first step on."""
    return 1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * min(fraction, 1.0))) / 2


def constant(fraction: float) -> float:
    """Learning rate that stays at its peak."""
    del fraction
    return 1.0


SHAPES: dict[str, Callable[[float], float]] = {
    "one_cycle": one_cycle,
    "cosine": cosine,
    "plateau": constant,
}
WAIT = 5  # epochs that a plateau lasts
REDUCED = 0.3  # what it leaves of the learning rate


class Pace:
    """Learning rate relative to its peak, and whether there is more to learn.

    Parameters
    ----------
    schedule : {"one_cycle", "cosine", "plateau"}
        How the rate goes with the share of the training that is done; "plateau" lowers
        it whenever the held-out loss was not better for `wait` epochs.
    wait : int
        Epochs that a plateau lasts.
    factor : float
        What a plateau leaves of the rate.
    patience : int
        Epochs without a better held-out loss after which to stop; 0 never stops.
    """

    def __init__(
        self,
        schedule: str = "one_cycle",
        wait: int = WAIT,
        patience: int = 0,
        *,
        factor: float = REDUCED,
    ) -> None:
        self._shape = SHAPES[schedule]
        self._reduces = schedule == "plateau"
        self._wait, self._patience = wait, patience
        self._leaves = factor
        self.begin()

    def begin(self) -> None:
        """Forget what was the best: what is judged by has changed."""
        self._best, self._stale, self._factor = math.inf, 0, 1.0

    @property
    def over(self) -> bool:
        """Whether patience has come to its end."""
        return 0 < self._patience <= self._stale

    def rate(self, fraction: float) -> float:
        """Learning rate relative to its peak, at a share of the training."""
        return self._factor * self._shape(fraction)

    def note(self, loss: float) -> None:
        """Take note of the held-out loss of an epoch; NaN where there is none."""
        if math.isnan(loss):
            return
        better = loss < self._best
        self._best = min(loss, self._best)
        self._stale = 0 if better else self._stale + 1
        if self._reduces and self._stale and self._stale % self._wait == 0:
            self._factor *= self._leaves


class Clock:
    """How far a training is, by steps or by time.

    Time counts after a grace: where there is enough of it, a slow step at the start
    changes nothing, and equal seeds give equal networks.

    Parameters
    ----------
    steps : int
        Of the whole training.
    deadline : float or None
        ``time.monotonic()`` at which it must have come to its end.
    begin : float
        Share of the steps that are taken for done.
    """

    def __init__(
        self, steps: int, deadline: float | None, *, begin: float = 0.0
    ) -> None:
        self.steps = steps
        self.start = time.monotonic()
        self.room = None if deadline is None else max(deadline - self.start, 1e-3)
        self._behind = -begin * steps  # steps that do not count

    def fraction(self, steps: int) -> float:
        """Share of the training that is done after so many steps."""
        by_steps = (steps - self._behind) / self.steps
        if self.room is None:
            return by_steps
        by_time = (time.monotonic() - self.start) / self.room
        return max(by_steps, (by_time - GRACE) / (1 - GRACE))

    def rewind(self, steps: int, fraction: float) -> None:
        """Go back to a share of the training, unless it is not that far yet.

        Parameters
        ----------
        steps : int
            Steps that were taken.
        fraction : float
            Share to go on from, in [0, 1].
        """
        if self.fraction(steps) <= fraction:
            return
        self._behind = max(steps - fraction * self.steps, self._behind)
        if self.room is not None:
            spent = (GRACE + fraction * (1 - GRACE)) * self.room
            self.start = max(self.start, time.monotonic() - spent)

    def skip(self, seconds: float) -> None:
        """Leave time out in which nothing could be learned."""
        self.start += seconds

    def seconds_left(self, fraction: float) -> float:
        """What the rest takes if it goes on as before; 0 at both ends."""
        spent = time.monotonic() - self.start
        return spent * (1 - fraction) / fraction if 0 < fraction < 1 else 0.0
