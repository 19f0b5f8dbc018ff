"""Scores of a result as a small table, and in a line."""

from typing import Any

from napari_sashiko.gui.pictures_words import SCORES, score_table


def scores_words(scores: Any) -> str:
    """Scores of a prediction by class, or errors of an image, as rich text.

    Parameters
    ----------
    scores : Evaluation or Comparison
    """
    return _by_class(scores) if hasattr(scores, "classes") else _of_image(scores)


def _by_class(scores: Any) -> str:
    rows = [_row(each.name, each) for each in scores.classes if each.support]
    means = (_row(f"{name} mean", getattr(scores, name)) for name in ("macro", "micro"))
    table = score_table([*rows, *means])
    missing = [each.name for each in scores.classes if not each.support]
    unscored = f" Not in the truth: {', '.join(missing)}." if missing else ""
    return (
        f"{table}{scores.voxels} voxels: accuracy {scores.accuracy:.3f}, calibration "
        f"error {scores.expected_calibration_error:.3f}.{unscored}"
    )


def _row(name: str, scores: Any) -> dict[str, Any]:
    return {"class": name, **{key: getattr(scores, key) for key in SCORES}}


def _of_image(scores: Any) -> str:
    errors = scores.errors
    if not errors.voxels:
        return "Nothing was scored: no voxel of the mask and the truth counts."
    return (
        f"Correlation {errors.pearson:.4f}, PSNR {errors.psnr:.2f} dB, SSIM "
        f"{scores.ssim:.3f}; mean absolute error {errors.mean_absolute_error:.4g}, "
        f"{errors.voxels} voxels."
    )
