"""An array of any size that holds a few regions and zeros elsewhere."""

from typing import Any

import numpy as np

MOST_BYTES = 128 * 2**20

Box = tuple[slice, ...]


class PreviewArray:
    """What napari asks of a layer's data, kept as boxes; the oldest go when it grows.

    Parameters
    ----------
    shape : tuple of int
        Of the volume or the image, ``([T,] [Z,] Y, X)``.
    dtype : dtype
        Of labels, or of an image.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any = np.uint8) -> None:
        self.shape = tuple(shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(dtype)
        self.size = int(np.prod(self.shape))
        self._boxes: dict[tuple[tuple[int, int], ...], np.ndarray] = {}

    def put(self, box: Box, values: np.ndarray) -> None:
        """Add a region; what it covers completely is forgotten.

        Parameters
        ----------
        box : tuple of slice
            Where it belongs, one slice for each axis.
        values : array
            In the shape of the box, but for axes of one voxel.
        """
        new = tuple((s.start, s.stop) for s in box)
        for old in [o for o in self._boxes if _covers(new, o)]:
            del self._boxes[old]
        self._boxes[new] = np.ascontiguousarray(values, dtype=self.dtype).reshape(
            [stop - start for start, stop in new]
        )
        while sum(a.nbytes for a in self._boxes.values()) > MOST_BYTES:
            if len(self._boxes) == 1:
                return
            del self._boxes[next(iter(self._boxes))]

    def covers(self, box: Box) -> bool:
        """Whether one stored region covers all of a box."""
        wanted = tuple((s.start, s.stop) for s in box)
        return any(_covers(held, wanted) for held in self._boxes)

    def clear(self) -> None:
        """Forget everything."""
        self._boxes.clear()

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        box, squeezed = self._box(key)
        out = np.zeros([s.stop - s.start for s in box], self.dtype)
        for held, values in self._boxes.items():
            _paste(values, held, out, box)
        return out[
            tuple(0 if axis in squeezed else slice(None) for axis in range(self.ndim))
        ]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        whole = self[()]
        return whole if dtype is None else whole.astype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def _box(self, key: tuple[Any, ...]) -> tuple[list[slice], set[int]]:
        box, squeezed = [], set()
        full = [*key, *[slice(None)] * (self.ndim - len(key))]
        for axis, (part, size) in enumerate(zip(full, self.shape, strict=True)):
            if isinstance(part, slice):
                start, stop, _ = part.indices(size)
                box.append(slice(start, max(start, stop)))
            else:
                index = int(part) % size
                box.append(slice(index, index + 1))
                squeezed.add(axis)
        return box, squeezed


def _covers(outer: tuple[tuple[int, int], ...], inner: tuple[Any, ...]) -> bool:
    pairs = zip(outer, inner, strict=True)
    return all(o[0] <= i[0] and i[1] <= o[1] for o, i in pairs)


def _paste(
    values: np.ndarray,
    held: tuple[tuple[int, int], ...],
    out: np.ndarray,
    box: list[slice],
) -> None:
    into, source = [], []
    for (start, stop), wanted in zip(held, box, strict=True):
        low, high = max(start, wanted.start), min(stop, wanted.stop)
        if low >= high:
            return
        into.append(slice(low - wanted.start, high - wanted.start))
        source.append(slice(low - start, high - start))
    out[tuple(into)] = values[tuple(source)]
