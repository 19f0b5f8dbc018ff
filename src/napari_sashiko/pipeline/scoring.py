"""Score a result against the truth: a segmentation by classes, an image by errors."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.pipeline.inputs import open_beside
from napari_sashiko.pipeline.results import (
    Prediction,
    Reconstructed,
    open_prediction,
    open_result,
)
from napari_sashiko.prediction import (
    Comparison,
    Evaluation,
    compare_image_steps,
    evaluate_steps,
)
from napari_sashiko.runners import Event
from napari_sashiko.volumes import Stacking

PARTS = ("mean", "fbp")  # of a reconstruction, that have a truth


@dataclass(frozen=True)
class ResultScored(Event):
    """All voxels that count were compared.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr of the result.
    scores : Evaluation or Comparison
        Of a prediction; or of a restored image or a reconstruction.
    part : str
        Of a reconstruction: which of its images.
    """

    path: Path
    scores: Evaluation | Comparison
    part: str = ""


def score_steps(
    result: Path | str, truth: Any, *, ignore: Any = None, only: Any = None
) -> Iterator[Event]:
    """Score a prediction, a restored image or a reconstruction, block by block.

    Of a reconstruction the image of networks is scored, and then back-projection, as
    far as they are there.

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

    Yields
    ------
    Event
        `Progress`, `ResultScored`.

    Raises
    ------
    SashikoError
        If there is no such result, it is not finished, or shapes or classes do not fit;
        or if `only` is given for a prediction.
    """
    found = open_result(result)
    if not isinstance(found, Prediction):
        images = found.images if isinstance(found, Reconstructed) else {}
        parts: list[str | None] = [each for each in PARTS if each in images]
        for part in parts or [None]:
            yield from score_image_steps(
                result, truth, ignore=ignore, only=only, part=part
            )
        return
    if only is not None:
        raise SettingsError(
            "A mask says where an image is scored, not where a prediction is.",
            "Set the truth to 0 elsewhere.",
        )
    yield from score_prediction_steps(result, truth, ignore=ignore)


def score_prediction_steps(
    prediction: Path | str, truth: Any, *, ignore: Any = None
) -> Iterator[Event]:
    """Score a prediction against class ids; see `score_steps`."""
    path = Path(prediction)
    stack = open_prediction(path).stack
    true, left_out = _opened(truth, stack), _opened(ignore, stack)
    if true.separate and true.time is None:
        raise LabelError(
            f"{true.name!r} is a folder of pictures, {prediction} a prediction of one "
            "volume.",
            "Compare it with results of sashiko apply.",
        )
    scores = yield from evaluate_steps(path, true, left_out)
    yield ResultScored(path, scores)


def score_image_steps(
    made: Path | str,
    truth: Any,
    *,
    ignore: Any = None,
    only: Any = None,
    part: str | None = None,
) -> Iterator[Event]:
    """Score a restored image or a reconstruction; see `evaluate_image`."""
    path = Path(made)
    stack = open_result(path).stack
    scores = yield from compare_image_steps(
        path,
        _opened(truth, stack),
        ignore=_opened(ignore, stack),
        only=_opened(only, stack),
        part=part,
    )
    yield ResultScored(path, scores, part or "")


def _opened(image: Any, stack: Stacking) -> Any:
    return None if image is None else open_beside(image, stack)
