"""Score a result against the truth: a segmentation by classes, an image by errors."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.pipeline.inputs import open_image
from napari_sashiko.pipeline.results import Prediction, open_result
from napari_sashiko.prediction import (
    Comparison,
    Evaluation,
    compare_image_steps,
    evaluate_steps,
)
from napari_sashiko.runners import Event


@dataclass(frozen=True)
class ResultScored(Event):
    """All voxels that count were compared.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr of the result.
    scores : Evaluation or Comparison
        Of a prediction, or of an image.
    """

    path: Path
    scores: Evaluation | Comparison


def score_steps(
    result: Path | str,
    truth: Any,
    *,
    ignore: Any = None,
    only: Any = None,
    part: str | None = None,
) -> Iterator[Event]:
    """Score a prediction, a restored image or a reconstruction, block by block.

    Parameters
    ----------
    result : path
        Folder NAME.zarr, finished.
    truth : path, array or Volume
        Class ids 1..C, 0 is not scored; or the image as it should be.
    ignore : path, array or Volume, optional
        Voxels that are not 0 here are not scored, for example the strokes.
    only : path, array or Volume, optional
        Of an image: voxels that are 0 here are not scored.
    part : {"mean", "fbp"}, optional
        Of a reconstruction: by networks, or by filtered back-projection. When left out,
        the former if there is one.

    Yields
    ------
    Event
        `Progress`, `ResultScored`.

    Raises
    ------
    SashikoError
        If there is no such result, it is not finished, or shapes or classes do not fit.
    """
    path = Path(result)
    found = open_result(path)
    axes = found.stack.axes
    true = open_image(truth, unnamed=axes)
    left_out, chosen = (
        None if each is None else open_image(each, unnamed=axes)
        for each in (ignore, only)
    )
    steps: Generator[Event, None, Evaluation | Comparison]
    if isinstance(found, Prediction):
        if chosen is not None:
            raise SettingsError(
                "Of a prediction, voxels cannot be chosen by a mask.",
                "Set the truth to 0 where it is not to be scored.",
            )
        _check_volume(true, path)
        steps = evaluate_steps(path, true, left_out)
    else:
        steps = compare_image_steps(path, true, ignore=left_out, only=chosen, part=part)
    scores = yield from steps
    yield ResultScored(path, scores)


def _check_volume(truth: Any, prediction: Path) -> None:
    if truth.separate and truth.time is None:
        raise LabelError(
            f"{truth.name!r} is a folder of pictures, {prediction} a prediction of one "
            "volume.",
            "Compare it with results of sashiko apply.",
        )
