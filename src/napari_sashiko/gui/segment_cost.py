"""What a segmentation would cost, and what there is of an earlier one."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_sashiko.errors import OutputError
from napari_sashiko.volumes import Volume


@dataclass(frozen=True)
class Cost:
    """What is known about a model and a volume before the start.

    Parameters
    ----------
    refusal, warning : str
        What does not fit; empty if all does.
    estimate : Estimate or None
        Blocks, memory, disk and time.
    done, total : int
        Blocks of an earlier run that are on disk; `total` is 0 when there was none.
    other : str
        Why that earlier run is not of this model and image; empty when it is.
    kept : Path or None
        The model as it was in that earlier run, if it has learned since.
    """

    refusal: str = ""
    warning: str = ""
    estimate: Any = None
    done: int = 0
    total: int = 0
    other: str = ""
    kept: Path | None = None

    @property
    def is_begun(self) -> bool:
        """Whether there are blocks that can be gone on with."""
        return (self.kept is not None or not self.other) and 0 < self.done < self.total


def with_begun(engine: Any, cost: Cost, model: Path, volume: Volume, out: Path) -> Cost:
    """Say also what there is of an earlier run.

    Parameters
    ----------
    engine : Any
        The pipeline.
    cost : Cost
        What is known so far.
    model : Path
        The chosen model.
    volume : Volume
        The image.
    out : Path
        Folder NAME.zarr of the run.
    """
    try:
        found = engine.check_prediction(model, volume, out)
    except OutputError as error:
        # A path cannot be wrapped: it would push the dock wider.
        other = error.what.replace(str(out), out.name)
        kept = engine.kept_for(model, out)
        if kept is None:
            return replace(cost, other=other)
        return _with_kept(engine, replace(cost, other=other), kept, volume, out)
    return cost if found is None else replace(cost, done=found[0], total=found[1])


def _with_kept(engine: Any, cost: Cost, kept: Path, volume: Volume, out: Path) -> Cost:
    """Also whether the model as it was can finish what it began."""
    try:
        found = engine.check_prediction(kept, volume, out)
    except OutputError:  # the image is another, too
        return cost
    done, total = found or (0, 0)
    if not 0 < done < total:
        return cost
    other = f"{kept.stem} has learned since: Resume finishes with it as it was."
    return replace(cost, done=done, total=total, other=other, kept=kept)
