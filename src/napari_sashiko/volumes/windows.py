"""Overlapping regions of a chunked volume, each chunk decoded once where it can be.

Strategy: a window that does not lie on chunk borders touches up to eight chunks, and
all of its neighbours touch them again. The chunks decoded last are kept, up to a number
of bytes that does not depend on the volume; windows are put together from them.
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.volumes.recent import Recent
from napari_sashiko.volumes.region import Region
from napari_sashiko.volumes.scratch import Scratch
from napari_sashiko.volumes.volume import Volume

KEPT_BYTES = 288 << 20
SMALLEST_CHUNK = 1 << 16  # bytes; of smaller ones little is decoded in vain
KEPT_CHUNKS = 8  # a chunk of which fewer could be kept is not kept at all


class WindowReader:
    """Read overlapping regions of a volume, from several threads.

    Parameters
    ----------
    volume : Volume
        What is read.
    most_bytes : int
        Most bytes of decoded chunks that are kept.
    """

    def __init__(self, volume: Volume, most_bytes: int = KEPT_BYTES) -> None:
        self._volume = volume
        self._recent: Recent[NDArray[Any]] = Recent(most_bytes, _bytes)
        self._scratch = Scratch()
        self._chunk = volume.chunk
        if self._chunk is not None:
            size = int(np.prod(self._chunk)) * volume.channels * volume.dtype.itemsize
            if not SMALLEST_CHUNK <= size <= most_bytes // KEPT_CHUNKS:
                self._chunk = None

    def read(self, region: Region) -> NDArray[Any]:
        """Read as `Volume.read`; valid until this thread reads again."""
        if self._chunk is None:
            return self._volume.read(region)
        extents = [part.stop - part.start for part in region]
        dtype = np.uint8 if self._volume.dtype == bool else self._volume.dtype
        shape = (self._volume.channels, *extents)
        out = self._scratch.array("window", shape, dtype)
        spans = [
            range(part.start // c, -(-part.stop // c))
            for part, c in zip(region, self._chunk, strict=True)
        ]
        for index in product(*spans):
            self._copy(index, region, out)
        return out

    def _copy(self, index: tuple[int, ...], region: Region, out: NDArray[Any]) -> None:
        """Copy what a chunk and `region` share."""
        box, source, target = [], [], []
        for i, c, n, part in zip(
            index, self._chunk or (), self._volume.shape, region, strict=True
        ):
            start, stop = i * c, min((i + 1) * c, n)
            low, high = max(start, part.start), min(stop, part.stop)
            box.append(slice(start, stop))
            source.append(slice(low - start, high - start))
            target.append(slice(low - part.start, high - part.start))
        z, y, x = box
        chunk = self._recent.get(index, lambda: self._volume.read((z, y, x)))
        out[(slice(None), *target)] = chunk[(slice(None), *source)]


def _bytes(chunk: NDArray[Any]) -> int:
    return chunk.nbytes
