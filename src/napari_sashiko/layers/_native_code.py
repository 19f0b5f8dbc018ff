"""The code behind `native_sum`; imported only where numba is installed.

Strategy: networks of many narrow maps leave most of a library's convolution idle, as it
computes 16 channels whether there are 16 or not. Here a vector holds neighbouring
voxels of a row instead of channels. The sums of a few maps over a stretch of a row stay
in registers while all taps of all sources pass by: each tap is three loads, three
broadcast weights a map, and otherwise multiply-adds only. Bias, ReLU and the 1x1 head
are added before anything is stored. Zeros between rows stand for what lies beside the
volume, so that only rows above and below need a check. Compilers keep such sums in
memory, so the instructions of a stretch are written here.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = {"avx512f": 16, "avx2": 8}  # floats in a vector
REGISTERS = {16: 24, 8: 10, 4: 22}  # vectors for sums; the rest holds taps and weights
LONGEST = 4  # vectors of a stretch: as many chains hide a multiply-add's latency


def compile_sum(outputs: int) -> Callable[[Any, Any, Any, Any], None]:
    """Compile the sum of one number of output maps; see `native_sum`."""
    lanes = lanes_here()
    stretch = _stretch(outputs, lanes)

    @numba.njit(nogil=True, error_model="numpy")
    def run(arrays: Any, flags: Any, rows: Any, shape: Any) -> None:
        buffer, offsets, sources, weights, bias, heads, logits = arrays
        fresh, finished = flags
        width, stride, deep = shape[2:]
        taps = np.empty((len(sources) * deep * 3, 3), np.int64)
        past = (width + lanes - 1) // lanes * lanes
        for row in range(rows[0], rows[1]):
            here = row * stride
            count = _collect(taps, sources, row, 3 * outputs, shape)
            outs, sums = offsets + here, logits + here
            stretch(
                (buffer, outs, taps, weights, bias, heads, sums),
                (count, fresh, finished, len(logits), width),
            )
            for m in range(outputs):  # whole vectors were stored: zeros again
                buffer[outs[m] + width : outs[m] + past] = 0

    return run


def lanes_here() -> int:
    """Floats in a vector of this machine."""
    features = binding.get_host_cpu_features()
    return next((n for name, n in LANES.items() if features.get(name)), 4)


@numba.njit(nogil=True, error_model="numpy")
def _collect(taps: Any, sources: Any, row: Any, size: Any, shape: Any) -> Any:
    """List the rows that one row sums over: start, dilation, start of the weights."""
    depth, height, _, stride, deep = shape
    image, z, y = row // height // depth, row // height % depth, row % height
    count = 0
    for start, dilation, weights in sources:
        for i in range(deep):
            up = z + (i - deep // 2) * dilation
            if up < 0 or up >= depth:
                continue
            plane = image * depth + up
            for j in range(3):
                across = y + (j - 1) * dilation
                if across < 0 or across >= height:
                    continue
                taps[count, 0] = start + (plane * height + across) * stride
                taps[count, 1] = dilation
                taps[count, 2] = weights + (i * 3 + j) * size
                count += 1
    return count


def _stretch(outputs: int, lanes: int) -> Any:
    @intrinsic
    def stretch(_context: Any, arrays: Any, numbers: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args[0]
            pointers = [
                context.make_array(kind)(context, builder, value).data
                for kind, value in zip(
                    kinds, cgutils.unpack_tuple(builder, given[0]), strict=True
                )
            ]
            values = cgutils.unpack_tuple(builder, given[1])
            _Row(builder, outputs, lanes, pointers, values).emit()
            return context.get_dummy_value()

        return types.void(arrays, numbers), emit

    return stretch


class VectorCode:
    """Loads, stores and multiply-adds of vectors of floats.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
        Where the code goes.
    lanes : int
        Floats in a vector.
    buffer : pointer
        The flat float32 buffer that places refer to.
    """

    def __init__(self, builder: Any, lanes: int, buffer: Any) -> None:
        self.b, self.lanes, self.buffer = builder, lanes, buffer
        self.vector = ir.VectorType(ir.FloatType(), lanes)
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fma.v{lanes}f32"
        self.fma = cgutils.get_or_insert_function(builder.module, kind, name)

    def _at(self, start: Any, x: Any, vector: int) -> Any:
        place = self.b.add(self.b.add(start, x), whole(vector * self.lanes))
        pointer = self.b.gep(self.buffer, [place])
        return self.b.bitcast(pointer, self.vector.as_pointer())

    def _load(self, pointer: Any) -> Any:
        value = self.b.load(pointer)
        value.align = 4
        return value

    def _store(self, value: Any, pointer: Any) -> None:
        self.b.store(value, pointer).align = 4

    def _splat(self, value: Any) -> Any:
        empty = ir.Constant(self.vector, ir.Undefined)
        index = ir.IntType(32)
        mask = ir.Constant(ir.VectorType(index, self.lanes), [0] * self.lanes)
        single = self.b.insert_element(empty, value, ir.Constant(index, 0))
        return self.b.shuffle_vector(single, empty, mask)


class _Row(VectorCode):
    """Writes the code that sums along one row."""

    def __init__(
        self, builder: Any, outputs: int, lanes: int, arrays: Any, numbers: Any
    ) -> None:
        super().__init__(builder, lanes, arrays[0])
        self.outputs = outputs
        self.outs, self.taps, self.weights = arrays[1:4]
        self.bias, self.heads, self.sums = arrays[4:]
        self.count, self.fresh, self.finished, self.classes, self.width = numbers

    def emit(self) -> None:
        """Walk along the row: long stretches first, single vectors for the rest."""
        b = self.b
        most = max(1, min(LONGEST, REGISTERS[self.lanes] // self.outputs))
        step = whole(most * self.lanes)
        long = b.sdiv(self.width, step)
        with cgutils.for_range(b, long) as loop:
            self._stretch(b.mul(loop.index, step), most)
        done = b.mul(long, step)
        left = b.add(b.sub(self.width, done), whole(self.lanes - 1))
        with cgutils.for_range(b, b.sdiv(left, whole(self.lanes))) as loop:
            self._stretch(b.add(done, b.mul(loop.index, whole(self.lanes))), 1)

    def _stretch(self, x: Any, vectors: int) -> None:
        b = self.b
        places = [(m, v) for m in range(self.outputs) for v in range(vectors)]
        # Memory in name only: the compiler turns these into registers.
        sums = {place: cgutils.alloca_once(b, self.vector) for place in places}
        outs = {(m, v): self._at(self._item(self.outs, m), x, v) for m, v in places}
        with b.if_else(b.icmp_signed("!=", self.fresh, whole(0))) as (then, otherwise):
            with then:
                for m, v in places:
                    b.store(self._splat(self._item(self.bias, m)), sums[m, v])
            with otherwise:
                for place in places:
                    b.store(self._load(outs[place]), sums[place])
        with cgutils.for_range(b, self.count) as loop:
            self._tap(loop.index, x, vectors, sums)
        for m in range(self.outputs):
            with b.if_then(b.icmp_signed("<", whole(m), self.finished)):
                for v in range(vectors):
                    self._finish(sums[m, v])
        for place in places:
            self._store(b.load(sums[place]), outs[place])
        self._head(x, vectors, sums)

    def _tap(self, index: Any, x: Any, vectors: int, sums: Any) -> None:
        """Add three neighbours along x of one source row to all sums."""
        b = self.b
        first = b.mul(index, whole(3))
        start, dilation, place = (
            b.load(b.gep(self.taps, [b.add(first, whole(i))])) for i in range(3)
        )
        shifts = (b.sub(start, dilation), start, b.add(start, dilation))
        for tap, shift in enumerate(shifts):
            seen = [self._load(self._at(shift, x, v)) for v in range(vectors)]
            for m in range(self.outputs):
                at = b.add(place, whole(tap * self.outputs + m))
                weight = self._splat(b.load(b.gep(self.weights, [at])))
                for v in range(vectors):
                    old = b.load(sums[m, v])
                    b.store(b.call(self.fma, [seen[v], weight, old]), sums[m, v])

    def _finish(self, place: Any) -> None:
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        value = self.b.load(place)
        # Compared so that NaN stays NaN, as in a ReLU.
        negative = self.b.fcmp_ordered("<", value, zero)
        self.b.store(self.b.select(negative, zero, value), place)

    def _head(self, x: Any, vectors: int, sums: Any) -> None:
        """Add the maps, weighted, to each class."""
        b = self.b
        with cgutils.for_range(b, self.classes) as loop:
            start = b.load(b.gep(self.sums, [loop.index]))
            for v in range(vectors):
                place = self._at(start, x, v)
                total = self._load(place)
                for m in range(self.outputs):
                    at = b.add(b.mul(loop.index, whole(self.outputs)), whole(m))
                    weight = self._splat(b.load(b.gep(self.heads, [at])))
                    total = b.call(self.fma, [b.load(sums[m, v]), weight, total])
                self._store(total, place)

    def _item(self, array: Any, index: int) -> Any:
        return self.b.load(self.b.gep(array, [whole(index)]))


def whole(value: int) -> Any:
    """Constant of 64 bits."""
    return ir.Constant(ir.IntType(64), value)
