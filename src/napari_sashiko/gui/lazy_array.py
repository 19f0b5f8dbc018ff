"""An array that napari may slice as it likes: disk is read when a picture is drawn.

Strategy: napari slices in several steps and probes ``data[0].dtype``; on a chunked
array each of these reads from disk. Here slices are only composed, and ``__array__``
reads once what is shown (napari#9515). Nothing is kept, so that blocks that were
written meanwhile are seen.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import SashikoError
from napari_sashiko.gui.messages import notify

Step = int | slice
# What files, Zarr and its decoders raise on what is damaged or gone.
UNREADABLE = (OSError, ValueError, RuntimeError, KeyError, SashikoError)


class LazyArray:
    """A view on an array on disk, without its channel axis.

    Parameters
    ----------
    array : array-like
        ``([C,] *spatial)``, or ``(T, C, *spatial)``, with ``shape``, ``dtype`` and
        basic slicing; read again at each drawing.
    channel : int or "highest", optional
        Which channel is seen; ``"highest"`` is the largest value of all channels; None
        if the array has no channel axis.
    dtype : dtype, optional
        What is handed out; None leaves it as it is on disk.
    channel_axis : int
        Which axis is that of the channels: 1 where there is one of time.
    """

    def __init__(
        self,
        array: Any,
        *,
        channel: int | Literal["highest"] | None = None,
        dtype: npt.DTypeLike | None = None,
        channel_axis: int = 0,
        _key: tuple[Step, ...] | None = None,
        _said: list[Exception] | None = None,
    ) -> None:
        self._axis = axis = channel_axis
        spatial = array.shape
        if channel is not None:
            spatial = (*array.shape[:axis], *array.shape[axis + 1 :])
        self._array = array
        self._channel = channel
        self._said = [] if _said is None else _said  # shared with all slices of it
        self._key = _key or tuple(slice(0, length) for length in spatial)
        self.dtype = np.dtype(array.dtype if dtype is None else dtype)
        self.shape = tuple(
            part.stop - part.start for part in self._key if isinstance(part, slice)
        )
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape, dtype=np.int64))

    def __getitem__(self, key: Any) -> "LazyArray":
        steps = self._complete(key if isinstance(key, tuple) else (key,))
        return LazyArray(
            self._array,
            channel=self._channel,
            dtype=self.dtype,
            channel_axis=self._axis,
            _key=tuple(_composed(self._key, steps)),
            _said=self._said,
        )

    def __array__(
        self,
        dtype: npt.DTypeLike | None = None,
        copy: bool | None = None,  # noqa: FBT001
    ) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("An array on disk cannot be used without a copy.")
        try:
            values = self._read()
        except UNREADABLE as error:
            # A damaged file must not take the picture, and the window, with it.
            values = np.zeros(self.shape, self.dtype)
            self._tell(error)
        return values.astype(dtype or self.dtype, copy=False)

    def __len__(self) -> int:
        return self.shape[0]

    def __deepcopy__(self, memo: dict[int, Any]) -> "LazyArray":
        """Return itself: a view that nobody changes, on a file that stays one."""
        return self

    @property
    def whole(self) -> Any:
        """The array on disk where all of it is seen, else None."""
        full = tuple(slice(0, length) for length in self._array.shape)
        return self._array if self._channel is None and self._key == full else None

    def _tell(self, error: Exception) -> None:
        """Say once for each array that a part of it cannot be read."""
        if self._said:
            return
        self._said.append(error)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        text = f"A part of a layer is damaged and shown as 0: {reason}"
        notify(text, "warning")

    def _read(self) -> npt.NDArray[Any]:
        if self._channel is None:
            return np.asarray(self._array[self._key])
        if self._channel != "highest":
            return self._of(self._channel)
        best = self._of(0)
        for channel in range(1, self._array.shape[self._axis]):
            best = np.maximum(best, self._of(channel))
        return best

    def _of(self, channel: int) -> npt.NDArray[Any]:
        key = (*self._key[: self._axis], channel, *self._key[self._axis :])
        return np.asarray(self._array[key])

    def _complete(self, key: tuple[Any, ...]) -> list[Any]:
        if Ellipsis in key:
            at = key.index(Ellipsis)
            missing = self.ndim - len(key) + 1
            key = (*key[:at], *[slice(None)] * missing, *key[at + 1 :])
        if len(key) > self.ndim:
            raise IndexError(f"{len(key)} indices for an array of {self.ndim} axes.")
        return [*key, *[slice(None)] * (self.ndim - len(key))]


def as_levels(arrays: Sequence[Any], **view: Any) -> Any:
    """All levels of an image as napari takes them; a single one as itself."""
    views = [LazyArray(each, **view) for each in arrays]
    return views if len(views) > 1 else views[0]


def _composed(parts: tuple[Step, ...], steps: list[Any]) -> Iterator[Step]:
    """Slices of slices: `steps` count from where `parts` begin."""
    rest = iter(steps)
    for part in parts:
        if isinstance(part, slice):
            yield _within(part, next(rest))
        else:
            yield part


def _within(part: slice, step: Any) -> Step:
    length = part.stop - part.start
    if not isinstance(step, slice):
        index = int(step)
        if not -length <= index < length:
            raise IndexError(f"Index {index} is outside an axis of {length} voxels.")
        return int(part.start + index % length)
    start, stop, stride = step.indices(length)
    if stride != 1:
        raise IndexError(f"A step of {stride} is not possible, only 1.")
    return slice(part.start + start, part.start + max(start, stop))
