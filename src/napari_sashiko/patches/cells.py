"""Cells: what each task of a prediction reads, and the part of it that it owns.

Strategy: along each axis the volume is cut into equal cells, each of which is a chunk
of the output. The window of a cell reaches `border` voxels beyond it, but for the faces
of the volume; where it would stick out it is moved back inside. So every voxel is owned
by exactly one cell, and lies at least `border` from any inner face of the window that
it was predicted in: no voxel is written twice, in whatever order the tasks run.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import ceil, prod

from napari_sashiko.errors import PlanError
from napari_sashiko.patches.windows import Triple
from napari_sashiko.volumes import Region, spans

Span = tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """One task: read `window`, own `cell`.

    Attributes
    ----------
    index : tuple of int
        Place in the grid of cells, (z, y, x); also that of its chunk.
    window, cell : Region
        In voxels of the volume; `cell` lies in `window`.
    """

    index: Triple
    window: Region
    cell: Region


@dataclass(frozen=True)
class CellPlan:
    """All cells of a volume.

    Attributes
    ----------
    shape : tuple of int
        The volume, (Z, Y, X).
    chunk : tuple of int
        Size of a cell; those at the far faces may be smaller.
    axes : tuple
        Per axis: (cell span, window span) of each cell. Where there are frames, those
        of the first axis are the same in each of them.
    """

    shape: Triple
    chunk: Triple
    axes: tuple[tuple[tuple[Span, Span], ...], ...]

    def __len__(self) -> int:
        """Number of cells."""
        return prod(len(axis) for axis in self.axes)

    def __iter__(self) -> Iterator[Cell]:
        """Cells, last axis fastest."""
        for index in product(*(range(len(axis)) for axis in self.axes)):
            yield self[index]  # type: ignore[index]

    def __getitem__(self, index: Triple) -> Cell:
        """Return the cell at a place of the grid."""
        spans = [axis[i] for axis, i in zip(self.axes, index, strict=True)]
        cell = tuple(slice(*own) for own, _ in spans)
        window = tuple(slice(*seen) for _, seen in spans)
        return Cell(index, window, cell)  # type: ignore[arg-type]

    def touching(self, region: Region) -> Iterator[Triple]:
        """Places of the cells that share a voxel with a region."""
        z, y, x = (
            [
                i
                for i, ((low, high), _) in enumerate(axis)
                if low < part.stop and high > part.start
            ]
            for axis, part in zip(self.axes, region, strict=True)
        )
        yield from product(z, y, x)

    def in_pencils(
        self, side: int = 3, center: Sequence[float] | None = None
    ) -> Iterator[Cell]:
        """Cells by pencils along the last axis, of `side` x `side` cells each.

        Neighbours on all sides come soon after each other, however large the volume:
        what they read in common need not be kept for long. Pencils nearest to the voxel
        `center` (z, y, x) come first.
        """
        return chain.from_iterable(self.in_blocks(side, len(self.axes[2]), center))

    def in_blocks(
        self, side: int, length: int, center: Sequence[float] | None = None
    ) -> Iterator[tuple[Cell, ...]]:
        """Cut the pencils of `in_pencils` into pieces of `length` cells."""
        depth, height, width = (len(axis) for axis in self.axes)
        corners = list(product(range(0, depth, side), range(0, height, side)))
        if center is not None:
            corners.sort(key=lambda corner: self._distance(corner, side, center))
        for (z, y), x in product(corners, range(0, width, length)):
            along = range(x, min(x + length, width))
            down = range(z, min(z + side, depth))
            across = range(y, min(y + side, height))
            yield tuple(self[i, j, k] for k, i, j in product(along, down, across))

    def ordered_from(self, center: Sequence[float]) -> list[Cell]:
        """Cells by distance from a voxel (z, y, x): what is looked at comes first."""
        return sorted(self, key=lambda cell: (_distance(cell.cell, center), cell.index))

    def _distance(
        self, corner: tuple[int, int], side: int, center: Sequence[float]
    ) -> float:
        """Squared distance of a voxel from the pencil that starts at a corner."""
        z, y = (
            slice(axis[low][0][0], axis[min(low + side, len(axis)) - 1][0][1])
            for axis, low in zip(self.axes[:2], corner, strict=True)
        )
        return _distance((z, y, slice(0, self.shape[2])), center)

    def digest(self) -> str:
        """Hash of the plan: the same for the same cuts."""
        return hashlib.sha256(
            repr((self.shape, self.chunk, self.axes)).encode()
        ).hexdigest()


def plan_cells(
    shape: Sequence[int],
    window: Sequence[int],
    border: Sequence[int],
    *,
    align: Sequence[int] = (1, 1, 1),
    multiple: Sequence[int] = (1, 1, 1),
    frame: int | None = None,
) -> CellPlan:
    """Cut a volume into cells whose windows are at most `window` long.

    Parameters
    ----------
    shape, window, border : sequence of int
        (z, y, x), voxels.
    align : sequence of int
        Windows start at multiples of this, so that pooling falls alike in all of them.
    multiple : sequence of int
        Cells are multiples of this long, so that flat chunks divide them.
    frame : int, optional
        Slices of a frame: each is cut as if it were alone.

    Raises
    ------
    PlanError
        If the window has no room for a cell between two borders.
    """
    axes, chunk = [], []
    sides = (frame or shape[0], *shape[1:])
    for n, w, b, a, m in zip(sides, window, border, align, multiple, strict=True):
        size, cuts = _axis(int(n), int(w), int(b), int(a), int(m))
        axes.append(cuts)
        chunk.append(size)
    axes[0] = _in_frames(axes[0], int(shape[0]), sides[0])
    return CellPlan(
        shape=(int(shape[0]), int(shape[1]), int(shape[2])),
        chunk=(chunk[0], chunk[1], chunk[2]),
        axes=tuple(axes),
    )


def equal_cells(
    shape: Sequence[int], size: Sequence[int], frame: int | None = None
) -> CellPlan:
    """Cut a volume into cells of just `size` (z, y, x); what remains is shorter.

    The window of a cell is the cell itself, and lies in one frame.

    Raises
    ------
    PlanError
        If a length is not positive.
    """
    if min(*shape, *size) < 1:
        raise PlanError(
            f"A volume of {tuple(shape)} cannot be cut into cells of {tuple(size)}.",
            "All lengths must be at least 1.",
        )
    cuts = (
        spans(n, step, part)
        for n, step, part in zip(shape, size, (frame, None, None), strict=True)
    )
    return CellPlan(
        shape=(shape[0], shape[1], shape[2]),
        chunk=(size[0], size[1], size[2]),
        axes=tuple(tuple((span, span) for span in axis) for axis in cuts),
    )


def _in_frames(
    first: tuple[tuple[Span, Span], ...], length: int, frame: int
) -> tuple[tuple[Span, Span], ...]:
    """Cells and windows of all frames, from those of the first."""
    return tuple(
        ((low + start, high + start), (begin + start, end + start))
        for start in range(0, length, frame)
        for (low, high), (begin, end) in first
    )


def _distance(region: Region, center: Sequence[float]) -> float:
    """Squared distance to the nearest voxel: the slice in view is filled first."""
    gaps = (
        max(part.start - place, place - (part.stop - 1), 0)
        for part, place in zip(region, center, strict=True)
    )
    return float(sum(gap * gap for gap in gaps))


def _axis(
    length: int, window: int, border: int, align: int, multiple: int
) -> tuple[int, tuple[tuple[Span, Span], ...]]:
    if length < 1 or window < 1 or border < 0 or align < 1 or multiple < 1:
        raise PlanError(
            f"A window of {window} with a border of {border} cannot cut {length} "
            "voxels.",
            "Window and volume must be at least 1, the border at least 0.",
        )
    if window >= length:
        return length, (((0, length), (0, length)),)
    room = window - 2 * border - (align - 1)
    if room < 1:
        raise PlanError(
            f"A window of {window} voxels has no room between borders of {border}.",
            f"Take a window of at least {2 * border + align}, or a smaller border.",
        )
    count = max(2, ceil((length - 2 * border) / room))
    size = ceil(ceil(length / count) / multiple) * multiple
    while not _fits(length, size, window, border, align) and size > 1:
        # Rounding to multiples may have made cells too long: take the next smaller.
        size = size - multiple if size > multiple else size - 1
    cuts = []
    for start in range(0, length, size):
        low = min(max(start - border, 0), length - window) // align * align
        stop = min(start + size, length)
        high = min(max(low + window, stop), length)
        cuts.append(((start, stop), (low, high if length - high >= align else length)))
    return size, tuple(cuts)


def _fits(length: int, size: int, window: int, border: int, align: int) -> bool:
    slack = align - 1
    for start in range(0, length, size):
        stop = min(start + size, length)
        low = max(start - border, 0)
        high = min(stop + border, length)
        if high - low + (slack if low else 0) > window:
            return False
    return True
