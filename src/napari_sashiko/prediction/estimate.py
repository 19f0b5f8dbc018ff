"""What a prediction will take: blocks, memory, disk and time, before it starts."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sashiko.prediction._blend import CACHE_BYTES
from napari_sashiko.prediction._inference import count
from napari_sashiko.prediction._order import windows_seen
from napari_sashiko.prediction._sizes import BYTES_PER_VOXEL
from napari_sashiko.prediction.plan import (
    Plan,
    make_plan,
    stored_type,
    windows_at_once,
)
from napari_sashiko.prediction.predictor import Predictor
from napari_sashiko.prediction.settings import PredictionSettings
from napari_sashiko.prediction.store import Layout
from napari_sashiko.runners import workers_of
from napari_sashiko.volumes import as_seen

PROBE_VOXELS = 64**3  # smaller ones are slower by voxel, and tell too much


@dataclass(frozen=True)
class Estimate:
    """What a prediction will take at most.

    Parameters
    ----------
    cells : int
        Blocks.
    memory_bytes : int
        Main or device memory at the peak.
    disk_bytes : int
        Output before compression.
    seconds : float or None
        None when it was not measured.
    """

    cells: int
    memory_bytes: int
    disk_bytes: int
    seconds: float | None


def estimate(
    predictor: Predictor,
    volume: Any,
    settings: PredictionSettings | None = None,
    *,
    measure: bool = False,
) -> Estimate:
    """Cells, memory, disk and, if asked, time of a prediction.

    Parameters
    ----------
    predictor : Predictor
        The open model.
    volume : Volume
        The image.
    settings : PredictionSettings, optional
        As for the prediction.
    measure : bool
        Predict a small window and extrapolate; takes a few seconds on a CPU.
    """
    settings = settings or PredictionSettings()
    plan = make_plan(predictor, volume.shape, settings, frame=volume.frame)
    cells = plan.cells()
    channels = predictor.card.outputs
    layout = Layout(
        shape=volume.shape,
        cell=cells.chunk,
        channels=channels,
        dtype=stored_type(predictor, settings),
        flat=volume.flat,
        classifies=predictor.card.restoring is None,
        frame=volume.frame,
        time=volume.time,
    )
    window = int(np.prod(plan.window))
    # Each block in work holds its patch, and the mean and deviation of its cell.
    blocks = 1 if settings.runner == "serial" else workers_of(settings)
    read = 8 * volume.channels + 8 * channels
    kept = 0
    if plan.border_weight > 0:  # predicted windows: at most all of them
        windows = len(plan.grid)
        kept = min(CACHE_BYTES, 8 * channels * window * windows)
    per_voxel = getattr(predictor, "bytes_per_voxel", None) or BYTES_PER_VOXEL
    at_once = windows_at_once(settings, settings.device)
    return Estimate(
        cells=len(cells),
        memory_bytes=window * (at_once * int(per_voxel) + blocks * read) + kept,
        disk_bytes=layout.bytes,
        seconds=_seconds(predictor, volume, plan, settings) if measure else None,
    )


def _seconds(
    predictor: Predictor, volume: Any, plan: Plan, settings: PredictionSettings
) -> float:
    if plan.border_weight > 0:
        channels = predictor.card.outputs
        window = int(np.prod(plan.window))
        voxels = windows_seen(plan, channels, settings) * window
    else:
        voxels = sum(count(cell.window) for cell in plan.cells())
    probe = _probe(plan)
    known = predictor.card.normalisation
    patch = known.apply(as_seen(volume, known).read(probe))
    start = time.perf_counter()
    predictor.predict(patch, tick=_nothing)
    seconds = time.perf_counter() - start
    return seconds * voxels / int(patch[0].size)


def _probe(plan: Plan) -> tuple[slice, slice, slice]:
    """Choose a small box in the middle of the volume, or of its first frame."""
    scale = min(1.0, (PROBE_VOXELS / float(np.prod(plan.window))) ** (1 / 3))
    starts_and_sizes = []
    for n, w, a in zip(plan.sides, plan.window, plan.align, strict=True):
        length = min(n, max(1, int(w * scale)))
        starts_and_sizes.append(((n - length) // 2 // a * a, length))
    z, y, x = (slice(start, start + length) for start, length in starts_and_sizes)
    return z, y, x


def _nothing() -> None:
    """Let a probe run: it is too short to be stopped."""
