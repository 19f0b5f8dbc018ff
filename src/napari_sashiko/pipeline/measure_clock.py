"""How far a measurement over several members is, and how long it will take."""

import time
from collections.abc import Callable, Sequence

SHORTEST = 0.005  # of a member's work: below, its speed is not known yet


class MeasureClock:
    """Times members; what one took tells of others of its kind.

    Parameters
    ----------
    kinds : sequence of str
        Kind of each member, in the order of their turns.
    now : callable
        Seconds.
    """

    def __init__(
        self, kinds: Sequence[str], now: Callable[[], float] = time.perf_counter
    ) -> None:
        self._kinds = list(kinds)
        self._now = now
        self._took: list[tuple[str, float]] = []
        self._turn = 0
        self._start = now()
        self._before: float | None = None

    def done(self, seconds: float) -> None:
        """Note that the member whose turn it was took `seconds`, in any run."""
        self._took.append((self._kinds[self._turn], seconds))
        self._turn += 1
        self._start, self._before = self._now(), None

    def seconds(self, share: float = 1.0) -> float | None:
        """Tell what the member whose turn it is will take in all; None if unknown.

        Parameters
        ----------
        share : float
            How much of its work is done; what the first call names was done before.
        """
        if self._before is None:
            self._before, self._start = share, self._now()
        worked = share - self._before
        return (self._now() - self._start) / worked if worked > SHORTEST else None

    def left(self, share: float) -> float | None:
        """Seconds until all members are done; None while nothing is known."""
        whole = self.seconds(share)
        kind = self._kinds[self._turn]
        known = [*self._took, *([] if whole is None else [(kind, whole)])]
        if not known:
            return None
        rest = (1 - share) * (_typical(known, kind) if whole is None else whole)
        to_come = self._kinds[self._turn + 1 :]
        return rest + sum(_typical(known, each) for each in to_come)


def _typical(known: Sequence[tuple[str, float]], kind: str) -> float:
    """Mean of the same kind, or of all where there is none of it."""
    same = [seconds for each, seconds in known if each == kind]
    seconds = same or [each for _, each in known]
    return sum(seconds) / len(seconds)
