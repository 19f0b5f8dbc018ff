"""Paint as an array of the axes that its image has in a viewer."""

from typing import Any

import numpy as np

from napari_sashiko.volumes import Stacking


class PaintView:
    """The slices of a store as a picture, or as volumes at several times.

    A plain view would not tell the store that it was painted on.

    Parameters
    ----------
    array : array, (Z, Y, X)
        The store's own array: one slice, or the frames one after the other.
    stack : Stacking
        Which axes are seen: ``(Y, X)`` or ``(T, Z, Y, X)``.
    """

    def __init__(self, array: Any, stack: Stacking) -> None:
        self._array = array
        self._depth = stack.depth
        self.shape = stack.on_disk
        self.dtype = array.dtype
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))

    def shows(self, array: Any) -> bool:
        """Whether it is of this array, and not of a copy."""
        return self._array is array

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | np.integer):  # napari asks for the type of one
            part = np.asarray(self)[key]
            part.flags.writeable = False
            return part
        # A copy: what is painted into a view is there before anyone can count it.
        return np.array(np.asarray(self)[key])[()]

    def __setitem__(self, key: Any, value: Any) -> None:
        key = key if isinstance(key, tuple) else (key,)
        if self.ndim == 2:
            self._array[(0, *key)] = value
            return
        key = (*key, *[slice(None)] * (self.ndim - len(key)))
        time, deep, *rest = key
        if not isinstance(time, slice):
            self._array[(_slices(time, deep, self._depth), *rest)] = value
            return
        values, kept = np.asarray(value), sum(isinstance(part, slice) for part in key)
        for place, each in enumerate(range(*time.indices(self.shape[0]))):
            by_time = values.ndim == kept
            part = values[place % len(values)] if by_time else values
            self._array[(_slices(each, deep, self._depth), *rest)] = part

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        whole = np.asarray(self._array).reshape(self.shape)
        return whole if dtype is None else whole.astype(dtype)

    def __len__(self) -> int:
        return self.shape[0]


def _slices(time: Any, deep: Any, depth: int) -> Any:
    """Slices that are meant by time points and slices in them."""
    if not isinstance(deep, slice):
        return np.asarray(time) * depth + np.asarray(deep)
    start, stop, step = deep.indices(depth)
    first = int(time) * depth
    return slice(first + start, first + stop, step)
