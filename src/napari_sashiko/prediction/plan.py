"""How a volume is cut for a prediction, as numbers that are stored with it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from napari_sashiko.errors import PlanError
from napari_sashiko.patches import CellPlan, Grid, equal_cells, plan_cells
from napari_sashiko.prediction._sizes import (
    BYTES_PER_VOXEL,
    choose_sizes,
    voxel_budget,
)
from napari_sashiko.prediction.predictor import Predictor, Triple
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.prediction.store import flat_part
from napari_sashiko.runners import RunnerSettings, choose_device, workers_of

LEAST_ROWS = 8  # of a chunk: thinner ones are too many files


@dataclass(frozen=True)
class Plan:
    """Windows, borders and cells of one prediction.

    Parameters
    ----------
    shape : (int, int, int)
        Volume, in voxels.
    window, border, step, align : (int, int, int)
        In voxels; `step` is used when blending only.
    border_weight : float
        0 crops borders, more blends them.
    frame : int, optional
        Slices of a frame; None where all belong together.
    """

    shape: Triple
    window: Triple
    border: Triple
    step: Triple
    align: Triple
    border_weight: float
    frame: int | None = None

    @property
    def sides(self) -> Triple:
        """What is cut, (z, y, x): a frame, or the volume."""
        return self.frame or self.shape[0], *self.shape[1:]

    @property
    def grid(self) -> Grid:
        """Windows that are blended."""
        return Grid(self.shape, self.window, self.step, self.frame)

    def cells(self) -> CellPlan:
        """Cut the volume into cells: each voxel belongs to exactly one."""
        if self.border_weight > 0:
            # One step: where a window starts a cell does, and few reach into each.
            z, y, x = (
                n if w >= n else s
                for n, w, s in zip(self.sides, self.window, self.step, strict=True)
            )
            deep = z if z == self.sides[0] else _flat(z)
            return equal_cells(self.shape, (deep, y, x), self.frame)
        multiple = _flat_multiple(self.sides[0], self.window[0], self.border[0])
        return plan_cells(
            self.shape,
            self.window,
            self.border,
            align=self.align,
            multiple=(multiple, 1, 1),
            frame=self.frame,
        )

    def record(self) -> dict[str, Any]:
        """Write the plan as JSON; one without frames as it always was."""
        known = {key: _plain(value) for key, value in asdict(self).items()}
        return {key: value for key, value in known.items() if value is not None}

    def digest(self) -> str:
        """Name the plan: another plan has another name."""
        text = json.dumps(self.record(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_from_record(record: dict[str, Any]) -> Plan:
    """Read a plan from its JSON.

    Raises
    ------
    PlanError
        If numbers are missing.
    """
    try:
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in record.items()
        }
        return Plan(**values)
    except (TypeError, AttributeError) as error:
        raise PlanError(
            f"The stored plan cannot be read: {error}.",
            "Predict it again, with overwrite.",
        ) from error


def make_plan(
    predictor: Predictor,
    shape: Triple,
    settings: PredictionSettings,
    *,
    frame: int | None = None,
    voxels: int | None = None,
) -> Plan:
    """Choose windows for a volume of `shape`, the same for each of its frames.

    A window has `voxels`, or what the device bears.

    Raises
    ------
    PlanError
        If window, border and step make no sense together.
    """
    sides = (frame or shape[0], *shape[1:])
    if voxels is None:
        at_once = windows_at_once(settings, settings.device)
        voxels = voxels_for(predictor, settings.device, at_once)
    window, border = choose_sizes(
        sides,
        predictor.halo,
        predictor.align,
        settings,
        voxels,
    )
    step = settings.step or _step(window, border, predictor.align)
    if any(s > w for s, w, n in zip(step, window, sides, strict=True) if w < n):
        raise PlanError(
            f"A step of {step} is longer than a window of {window} voxels: voxels "
            "between would be left out.",
            "Take a step that is at most the window.",
        )
    return Plan(
        shape=shape,
        window=window,
        border=border,
        step=_least(step, window),
        align=predictor.align,
        border_weight=settings.border_weight,
        frame=frame,
    )


def stored_type(predictor: Predictor, settings: PredictionSettings) -> str:
    """How results are stored: grey values may be larger than float16 can hold."""
    return settings.dtype if predictor.card.restoring is None else "float32"


def windows_at_once(settings: RunnerSettings, device: str) -> int:
    """Windows that networks look at side by side: one, but on a CPU one a worker.

    There each has its share of the cores (`threads_each`): one window after another
    would leave those of the other workers idle.
    """
    if settings.runner == "serial" or str(choose_device(device)) != "cpu":
        return 1
    return workers_of(settings)


def voxels_for(predictor: Predictor, device: str, at_once: int = 1) -> int:
    """Voxels of the largest windows that a device bears, so many of them at a time."""
    needed = int(getattr(predictor, "bytes_per_voxel", None) or BYTES_PER_VOXEL)
    return voxel_budget(device, needed * at_once)


def _step(window: Triple, border: Triple, align: Triple) -> Triple:
    """One border of overlap, and windows that start where pooling allows."""
    z, y, x = (
        max(a, (w - b) // a * a) for w, b, a in zip(window, border, align, strict=True)
    )
    return _flat(z, align[0]), y, x


def _flat(depth: int, align: int = 1) -> int:
    """Longest multiple of `align` up to `depth` that chunks of some rows divide."""
    lengths = range(depth, 0, -align)
    return next((n for n in lengths if flat_part(n) >= min(n, LEAST_ROWS)), depth)


def _flat_multiple(length: int, window: int, border: int) -> int:
    """Choose what the depth of a cell is a multiple of, so that chunks can be flat."""
    if window >= length:
        return 1
    kept = window - 2 * border
    return next(part for part in (8, 4, 2, 1) if part <= kept)


def _least(values: Triple, others: Triple) -> Triple:
    z, y, x = (min(a, b) for a, b in zip(values, others, strict=True))
    return z, y, x


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
