"""In which order cells are done, and which of them one task does."""

from collections.abc import Iterator
from math import ceil, prod

from napari_sashiko.patches import Cell, CellPlan
from napari_sashiko.prediction._blend import CACHE_BYTES
from napari_sashiko.prediction.plan import Plan
from napari_sashiko.prediction.predictor import Triple
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.volumes import spans

LONGEST_SIDE = 8  # of a pencil, in cells
LONGEST_EDGE = 4  # of a task on a cluster: 64 cells
TASKS_PER_WORKER = 4
WORKERS = 8  # on a cluster, where nobody said how many


def tasks_of(
    plan: Plan, classes: int, settings: PredictionSettings
) -> Iterator[tuple[Cell, ...]]:
    """Cells of a volume in the order of work, by task.

    A task is one cell, but for blending on a cluster: there each process keeps windows
    of its own, and neighbours that use the same ones are done together.

    Parameters
    ----------
    plan : Plan
        How the volume is cut.
    classes : int
        Number of probability channels.
    settings : PredictionSettings
        Runner, workers and the voxel in view.
    """
    cells, center = plan.cells(), settings.center
    if plan.border_weight == 0:
        ordered = cells.in_pencils() if center is None else cells.ordered_from(center)
        return ((cell,) for cell in ordered)
    side, length = blocks_of(plan, cells, classes, settings)
    if settings.runner == "dask":
        return cells.in_blocks(side, length, center)
    return ((cell,) for cell in cells.in_pencils(side, center))


def windows_seen(plan: Plan, classes: int, settings: PredictionSettings) -> int:
    """How many windows are predicted at most when blending.

    Those between blocks of cells count for each block, as they may be dropped.
    """
    cells = plan.cells()
    side, length = blocks_of(plan, cells, classes, settings)
    grid = plan.grid
    seen = 1
    for axis, edge in enumerate((side, side, length)):
        size = edge * cells.chunk[axis]
        seen *= sum(
            start < low + size and start + grid.size[axis] > low
            for low, _ in spans(plan.shape[axis], size, None if axis else plan.frame)
            for start in grid.starts[axis]
        )
    return seen


def blocks_of(
    plan: Plan, cells: CellPlan, classes: int, settings: PredictionSettings
) -> tuple[int, int]:
    """Side and length in cells of what is done in one go, one process after another.

    On a cluster tasks are cubes, small enough to have several for each worker.
    """
    side = _pencil_side(plan, cells, classes)
    grid = [len(axis) for axis in cells.axes]
    if settings.runner != "dask":
        return side, grid[2]
    least = TASKS_PER_WORKER * (settings.workers or WORKERS)
    edge = next(
        edge
        for edge in range(LONGEST_EDGE, 0, -1)
        if edge == 1 or prod(ceil(n / edge) for n in grid) >= least
    )
    return min(side, edge), edge


def _pencil_side(plan: Plan, cells: CellPlan, classes: int) -> int:
    """Cells across a pencil, so that what neighbours share of windows can be kept."""
    window, cell = plan.window, cells.chunk
    margin = 8 * classes * (prod(window) - prod(_least(window, cell)))
    z, y, x = (ceil(w / c) for w, c in zip(window, cell, strict=True))

    def kept(side: int) -> int:
        # Windows of two layers of cells, those that reach in from the sides included.
        return (side + z - 1) * (side + y - 1) * x * margin

    sides = range(LONGEST_SIDE, 1, -1)
    return next((side for side in sides if kept(side) <= CACHE_BYTES), 1)


def _least(values: Triple, others: Triple) -> list[int]:
    return [min(pair) for pair in zip(values, others, strict=True)]
