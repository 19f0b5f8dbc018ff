"""How fast a network learns, and when it is done: by steps or by the clock."""

import math
import time

GRACE = 0.1  # share of the time in which steps alone count
WARM_UP = 0.2  # share of the schedule in which the learning rate rises


def one_cycle(fraction: float) -> float:
    """Learning rate relative to its peak: up in a cosine, down in a longer one."""
    if fraction < WARM_UP:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * fraction / WARM_UP)) / 2
    falling = min((fraction - WARM_UP) / (1 - WARM_UP), 1.0)
    return 1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * falling)) / 2


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
    """

    def __init__(self, steps: int, deadline: float | None) -> None:
        self.steps = steps
        self.start = time.monotonic()
        self.deadline = deadline

    def fraction(self, steps: int) -> float:
        """Share of the training that is done after so many steps."""
        by_steps = steps / self.steps
        if self.deadline is None:
            return by_steps
        room = max(self.deadline - self.start, 1e-3)
        by_time = (time.monotonic() - self.start) / room
        return max(by_steps, (by_time - GRACE) / (1 - GRACE))

    def seconds_left(self, fraction: float) -> float:
        """What the rest takes if it goes on as before; 0 at both ends."""
        spent = time.monotonic() - self.start
        return spent * (1 - fraction) / fraction if 0 < fraction < 1 else 0.0
