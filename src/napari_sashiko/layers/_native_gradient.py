"""Gradients of the weights of narrow convolutions; imported where numba is installed.

Strategy: as in `_native_code`, a vector holds neighbouring voxels of a row. The
products of a few maps of gradients with three neighbours of one source stay in
registers over several rows, and are summed within a vector at the very end.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from napari_sashiko.layers._native_code import VectorCode, lanes_here, whole

AT_ONCE = {16: 8, 8: 4, 4: 7}  # maps of gradients: three sums each stay in registers
ROWS = 16  # of a block: gradients stay in the fastest memory while sources pass by


@lru_cache
def compile_gradient(outputs: int) -> Callable[[Any, Any, Any, Any], None]:
    """Compile the gradient of the weights into a number of maps.

    Parameters
    ----------
    outputs : int
        Maps of gradients, at most ``AT_ONCE`` of this machine's lanes.

    Returns
    -------
    callable
        ``run(arrays, dilation, blocks, shape)`` with arrays ``(buffer, grads, sources,
        sums)``: starts of the maps of gradients and of the source maps in the flat
        buffer, and sums ``(sources, kz, 3, outputs, 3, lanes)``, which grow. `blocks`
        are the first and last of the blocks of `ROWS` rows to be done, `shape` is
        ``(Z, Y, X, stride, kz)``.
    """
    products = _products(outputs, lanes_here())
    size = outputs * 3 * lanes_here()

    @numba.njit(nogil=True, error_model="numpy")
    def run(arrays: Any, dilation: Any, blocks: Any, shape: Any) -> None:
        buffer, grads, sources, sums = arrays
        depth, height, width, stride, deep = shape
        each = (height + ROWS - 1) // ROWS
        for block in range(blocks[0], blocks[1]):
            plane, first = block // each, block % each * ROWS
            z, last = plane % depth, min(first + ROWS, height)
            for source in range(len(sources)):
                for i in range(deep):
                    up = (i - deep // 2) * dilation
                    if z + up < 0 or z + up >= depth:
                        continue
                    for j in range(3):
                        across = (j - 1) * dilation
                        low, high = max(first, -across), min(last, height - across)
                        if low >= high:
                            continue
                        row = (plane * height + low) * stride
                        shift = (up * height + across) * stride
                        place = ((source * deep + i) * 3 + j) * size
                        start = sources[source] + row + shift
                        products(
                            (buffer, grads, sums),
                            (start, row, dilation, place, high - low, stride, width),
                        )

    return run


def _products(outputs: int, lanes: int) -> Any:
    @intrinsic
    def products(_context: Any, arrays: Any, numbers: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            pointers = [
                context.make_array(kind)(context, builder, value).data
                for kind, value in zip(
                    signature.args[0],
                    cgutils.unpack_tuple(builder, given[0]),
                    strict=True,
                )
            ]
            values = cgutils.unpack_tuple(builder, given[1])
            _Block(builder, outputs, lanes, pointers, values).emit()
            return context.get_dummy_value()

        return types.void(arrays, numbers), emit

    return products


class _Block(VectorCode):
    """Writes the code that multiplies some rows of gradients with rows of a source."""

    def __init__(
        self, builder: Any, outputs: int, lanes: int, arrays: Any, numbers: Any
    ) -> None:
        super().__init__(builder, lanes, arrays[0])
        self.outputs = outputs
        _, self.grads, self.sums = arrays
        self.source, self.row, self.dilation, self.place = numbers[:4]
        self.count, self.stride, self.width = numbers[4:]

    def emit(self) -> None:
        """Take up the sums, add the products of all rows, put the sums back."""
        b = self.b
        parts = [(m, tap) for m in range(self.outputs) for tap in range(3)]
        sums = {part: cgutils.alloca_once(b, self.vector) for part in parts}
        kept = {
            (m, tap): self._pointer(
                self.sums, b.add(self.place, whole((m * 3 + tap) * self.lanes))
            )
            for m, tap in parts
        }
        for part in parts:
            b.store(self._load(kept[part]), sums[part])
        grads = [
            b.add(b.load(b.gep(self.grads, [whole(m)])), self.row)
            for m in range(self.outputs)
        ]
        left = b.add(self.width, whole(self.lanes - 1))
        vectors = b.sdiv(left, whole(self.lanes))
        with cgutils.for_range(b, self.count) as rows:
            down = b.mul(rows.index, self.stride)
            with cgutils.for_range(b, vectors) as loop:
                x = b.add(down, b.mul(loop.index, whole(self.lanes)))
                self._vector(x, grads, sums)
        for part in parts:
            self._store(b.load(sums[part]), kept[part])

    def _vector(self, x: Any, grads: Any, sums: Any) -> None:
        b = self.b
        starts = (
            b.sub(self.source, self.dilation),
            self.source,
            b.add(self.source, self.dilation),
        )
        seen = [self._load(self._at(start, x, 0)) for start in starts]
        for m in range(self.outputs):
            grad = self._load(self._at(grads[m], x, 0))
            for tap in range(3):
                old = b.load(sums[m, tap])
                b.store(b.call(self.fma, [grad, seen[tap], old]), sums[m, tap])

    def _pointer(self, array: Any, place: Any) -> Any:
        return self.b.bitcast(self.b.gep(array, [place]), self.vector.as_pointer())
