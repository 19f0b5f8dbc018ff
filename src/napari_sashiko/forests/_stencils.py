"""Loops over rows of voxels: smooth, take slopes, describe each voxel.

All arrays are C-contiguous float32; rows run along x, so that the innermost loop
becomes vector instructions. Index tables say where the mirror sends voxels beyond an
end. Everything is float32: a Python number would widen a whole loop to float64.
"""

import math
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray

from napari_sashiko.forests._native import compiled

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


def _powers(values: NDArray[np.float64]) -> tuple[np.float32, ...]:
    # In u = 2 x - 1, highest power first; the last digit of float32 is met by nine.
    fit = Chebyshev.fit(_NODES, values, 9, domain=[-1, 1])
    return tuple(np.float32(c) for c in fit.convert(kind=np.polynomial.Polynomial).coef)


_NODES = np.cos((np.arange(64) + 0.5) * math.pi / 64)
_ANGLES = np.arccos((_NODES + 1) / 2) / 3
# cos(acos(x) / 3) and sin(acos(x) / 3)^2 / (1 - x) are smooth for 0 <= x <= 1.
_COS = _powers(np.cos(_ANGLES))
_SIN = _powers(np.sin(_ANGLES) ** 2 / (1 - (_NODES + 1) / 2))
_SMALL: list[Any] = [np.float32(v) for v in (0, 0.5, 1, 2)]
_ZERO, _HALF, _ONE, _TWO = _SMALL
_PARTS: list[Any] = [np.float32(v) for v in (1 / 3, 1 / 6, 1e-12)]
_THIRD, _SIXTH, _TINY = _PARTS
_SLANT: Any = np.float32(math.sqrt(3) / 2)


@compiled
def _add_pairs(  # noqa: PLR0917
    low: Floats,
    high: Floats,
    weight: float,
    low2: Floats,
    high2: Floats,
    weight2: float,
    out: Floats,
) -> None:
    for x in range(out.size):
        out[x] += weight * (low[x] + high[x]) + weight2 * (low2[x] + high2[x])


@compiled
def smooth_planes(
    source: Floats,
    places: Places,
    weights: Floats,
    corner: tuple[int, int],
    out: Floats,
) -> None:
    """Smooth along z the rows that begin at `corner` (y, x): a row at a time."""
    reach = weights.size - 1
    top, left = corner
    depth, height, width = out.shape
    for y in range(height):
        for z in range(depth):
            row = out[z, y]
            near = source[places[z, reach], top + y, left : left + width]
            for x in range(width):
                row[x] = weights[0] * near[x]
            for k in range(1, reach, 2):
                _add_pairs(
                    source[places[z, reach - k], top + y, left : left + width],
                    source[places[z, reach + k], top + y, left : left + width],
                    weights[k],
                    source[places[z, reach - k - 1], top + y, left : left + width],
                    source[places[z, reach + k + 1], top + y, left : left + width],
                    weights[k + 1],
                    row,
                )


@compiled
def smooth_rows(  # noqa: PLR0917
    source: Floats,
    down: Places,
    down_weights: Floats,
    across: Places,
    across_weights: Floats,
    out: Floats,
) -> None:
    """Smooth along y, then x; `across` is one run of places for a whole row."""
    reach, side = down_weights.size - 1, across_weights.size - 1
    depth, height, width = out.shape
    row = np.empty(source.shape[2], np.float32)
    wide = np.empty(across.size, np.float32)
    for z in range(depth):
        for y in range(height):
            near = source[z, down[y, reach]]
            for x in range(row.size):
                row[x] = down_weights[0] * near[x]
            for k in range(1, reach, 2):
                _add_pairs(
                    source[z, down[y, reach - k]],
                    source[z, down[y, reach + k]],
                    down_weights[k],
                    source[z, down[y, reach - k - 1]],
                    source[z, down[y, reach + k + 1]],
                    down_weights[k + 1],
                    row,
                )
            for x in range(wide.size):
                wide[x] = row[across[x]]
            done = out[z, y]
            for x in range(width):
                done[x] = across_weights[0] * wide[side + x]
            for k in range(1, side, 2):
                _add_pairs(
                    wide[side - k : side - k + width],
                    wide[side + k : side + k + width],
                    across_weights[k],
                    wide[side - k - 1 : side - k - 1 + width],
                    wide[side + k + 1 : side + k + 1 + width],
                    across_weights[k + 1],
                    done,
                )


@compiled
def _slope_between(low: Floats, high: Floats, factor: float, out: Floats) -> None:
    for x in range(out.size):
        out[x] = (high[x] - low[x]) * factor


@compiled
def _slope_row(  # noqa: PLR0917
    source: Floats, axis: int, z: int, y: int, factor: float, out: Floats
) -> None:
    """Central differences of one row, one-sided where the volume ends."""
    depth, height, width = source.shape
    if axis == 0:
        low, high = max(z - 1, 0), min(z + 1, depth - 1)
        part = factor * _HALF if high - low == 2 else factor
        _slope_between(source[low, y], source[high, y], part, out)
    elif axis == 1:
        low, high = max(y - 1, 0), min(y + 1, height - 1)
        part = factor * _HALF if high - low == 2 else factor
        _slope_between(source[z, low], source[z, high], part, out)
    elif width < 2:
        out[:] = _ZERO
    else:
        row = source[z, y]
        _slope_between(row[:-2], row[2:], factor * _HALF, out[1:-1])
        out[0] = (row[1] - row[0]) * factor
        out[width - 1] = (row[width - 1] - row[width - 2]) * factor


@compiled
def slope(source: Floats, axis: int, factor: float, out: Floats) -> None:
    """Slope along `axis` of every voxel, times `factor`."""
    for z in range(source.shape[0]):
        for y in range(source.shape[1]):
            _slope_row(source, axis, z, y, factor, out[z, y])


@compiled
def describe_solid(  # noqa: PLR0917
    mean: Floats,
    square: Floats,
    slopes: tuple[Floats, Floats, Floats],
    factors: tuple[float, float, float],
    corner: tuple[int, int, int],
    out: Floats,
) -> None:
    """Write the seven features of a scale; `square` begins at `corner` of `mean`."""
    sz, sy, sx = slopes
    fz, fy, fx = factors
    depth, height, width = square.shape
    left, right = corner[2], corner[2] + width
    rows = np.empty((6, mean.shape[2]), np.float32)
    for i in range(depth):
        for j in range(height):
            z, y = corner[0] + i, corner[1] + j
            _slope_row(sz, 0, z, y, fz, rows[0])
            _slope_row(sz, 1, z, y, fy, rows[1])
            _slope_row(sz, 2, z, y, fx, rows[2])
            _slope_row(sy, 1, z, y, fy, rows[3])
            _slope_row(sy, 2, z, y, fx, rows[4])
            _slope_row(sx, 2, z, y, fx, rows[5])
            _spread(mean[z, y, left:right], square[i, j], out[0, i, j], out[1, i, j])
            _length(
                sz[z, y, left:right],
                sy[z, y, left:right],
                sx[z, y, left:right],
                out[2, i, j],
            )
            _eigenvalues(rows, left, out[3:, i, j])


@compiled
def describe_flat(  # noqa: PLR0917
    mean: Floats,
    square: Floats,
    slopes: tuple[Floats, Floats],
    factors: tuple[float, float],
    corner: tuple[int, int, int],
    out: Floats,
) -> None:
    """Write the six features of a scale of slices that stand alone."""
    sy, sx = slopes
    fy, fx = factors
    depth, height, width = square.shape
    left, right = corner[2], corner[2] + width
    rows = np.empty((3, mean.shape[2]), np.float32)
    for i in range(depth):
        for j in range(height):
            z, y = corner[0] + i, corner[1] + j
            _slope_row(sy, 1, z, y, fy, rows[0])
            _slope_row(sy, 2, z, y, fx, rows[1])
            _slope_row(sx, 2, z, y, fx, rows[2])
            _spread(mean[z, y, left:right], square[i, j], out[0, i, j], out[1, i, j])
            gy, gx = sy[z, y, left:right], sx[z, y, left:right]
            hyy, hyx, hxx = (
                rows[0, left:right],
                rows[1, left:right],
                rows[2, left:right],
            )
            length, trace = out[2, i, j], out[3, i, j]
            largest, smallest = out[4, i, j], out[5, i, j]
            for x in range(width):
                length[x] = math.sqrt(gy[x] * gy[x] + gx[x] * gx[x])
                half = (hyy[x] - hxx[x]) * _HALF
                spread = math.sqrt(half * half + hyx[x] * hyx[x])
                trace[x] = hyy[x] + hxx[x]
                largest[x] = trace[x] * _HALF + spread
                smallest[x] = trace[x] * _HALF - spread


@compiled
def _spread(mean: Floats, square: Floats, out: Floats, deviation: Floats) -> None:
    for x in range(out.size):
        out[x] = mean[x]
        deviation[x] = math.sqrt(max(square[x] - mean[x] * mean[x], _ZERO))


@compiled
def _length(a: Floats, b: Floats, c: Floats, out: Floats) -> None:
    for x in range(out.size):
        out[x] = math.sqrt(a[x] * a[x] + b[x] * b[x] + c[x] * c[x])


@compiled
def _polynomial(c: tuple[Any, ...], u: Any) -> Any:
    high = (((c[9] * u + c[8]) * u + c[7]) * u + c[6]) * u + c[5]
    return ((((high * u + c[4]) * u + c[3]) * u + c[2]) * u + c[1]) * u + c[0]


@compiled
def _eigenvalues(rows: Floats, left: int, out: Floats) -> None:
    # Smith, Communications of the ACM 4(4), 168 (1961), with polynomials for its
    # cosines: branch-free, so that a row of matrices is solved side by side.
    right = left + out.shape[1]
    zz, zy, zx = rows[0, left:right], rows[1, left:right], rows[2, left:right]
    yy, yx, xx = rows[3, left:right], rows[4, left:right], rows[5, left:right]
    trace, largest, middle, smallest = out[0], out[1], out[2], out[3]
    for n in range(trace.size):
        total = zz[n] + yy[n] + xx[n]
        trace[n] = total
        q = total * _THIRD
        a, d, f = zz[n] - q, yy[n] - q, xx[n] - q
        b, c, e = zy[n], zx[n], yx[n]
        off = b * b + c * c + e * e
        p = max(math.sqrt((a * a + d * d + f * f + _TWO * off) * _SIXTH), _TINY)
        up = _ONE / p
        a, b, c, d, e, f = a * up, b * up, c * up, d * up, e * up, f * up
        det = a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c)
        half = det * _HALF
        size = min(abs(half), _ONE)
        u = _TWO * size - _ONE
        cosine = _polynomial(_COS, u)
        sine = math.sqrt((_ONE - size) * _polynomial(_SIN, u))
        other = _HALF * cosine + _SLANT * sine
        top = q + _TWO * p * (cosine if half >= _ZERO else other)
        bottom = q - _TWO * p * (other if half >= _ZERO else cosine)
        largest[n] = top
        smallest[n] = bottom
        middle[n] = total - top - bottom
