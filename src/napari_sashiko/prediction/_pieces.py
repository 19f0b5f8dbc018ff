"""Pieces of predicted windows, kept for the cells that will need them.

Strategy: a window is cut by the cells that it touches, and each piece is used once, by
its cell. The order of the cells is known, so where room is short the pieces of the cell
that comes last are dropped (Belady, IBM Syst. J. 5, 78, 1966).
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from threading import Event, Lock

from napari_sashiko.prediction._inference import Pair
from napari_sashiko.prediction.predictor import Triple


class Pieces:
    """Pieces by cell and window, up to a number of bytes.

    Several threads may ask: who asks first makes a window, the others wait for it.

    Parameters
    ----------
    most_bytes : int
        Most bytes that are kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: dict[Triple, dict[Triple, Pair]] = {}
        self._turn: dict[Triple, int] = {}
        self._turns = count()
        self._making: dict[Triple, Event] = {}
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        """Bytes that are kept now."""
        return self._bytes

    def expect(self, cells: Iterable[Triple]) -> None:
        """Keep pieces for these cells too; they will come in this order."""
        with self._lock:
            for cell in cells:
                if cell not in self._turn:
                    self._turn[cell] = next(self._turns)

    def expects(self, cell: Triple) -> bool:
        """Whether pieces are kept for a cell."""
        return cell in self._turn

    def forget(self, cells: Iterable[Triple]) -> None:
        """Keep nothing any more for cells that are done or given up."""
        with self._lock:
            for cell in cells:
                self._turn.pop(cell, None)
                self._drop(cell)

    def take(
        self,
        cell: Triple,
        window: Triple,
        make: Callable[[], Mapping[Triple, Pair]],
    ) -> Pair:
        """Hand over the piece of a window that lies in a cell.

        Parameters
        ----------
        cell, window : (int, int, int)
            Places in the grids of cells and of windows.
        make : callable
            Predicts the window and returns its pieces by cell: that of `cell`, and
            those that are expected.
        """
        while True:
            with self._lock:
                piece = self._kept.get(cell, {}).pop(window, None)
                if piece is not None:
                    self._bytes -= _bytes(piece)
                    return piece
                others = self._making.get(window)
                if others is None:
                    mine = self._making[window] = Event()
                    break
            others.wait()
        try:
            pieces = dict(make())
            piece = pieces.pop(cell)
            with self._lock:
                self._keep(window, pieces)
            return piece
        finally:
            with self._lock:
                del self._making[window]
            mine.set()

    def _keep(self, window: Triple, pieces: Mapping[Triple, Pair]) -> None:
        for cell, piece in pieces.items():
            if cell not in self._turn:
                continue
            kept = self._kept.setdefault(cell, {})
            if window not in kept:
                kept[window] = piece
                self._bytes += _bytes(piece)
        while self._bytes > self._most:
            self._drop(max(self._kept, key=self._turn.__getitem__))

    def _drop(self, cell: Triple) -> None:
        dropped = self._kept.pop(cell, {}).values()
        self._bytes -= sum(_bytes(piece) for piece in dropped)


def _bytes(pair: Pair) -> int:
    return sum(each.nbytes for each in pair)
