"""Laws of blending: the weighted mean of all windows, in bounded memory."""

from itertools import product

import numpy as np
import pytest
import zarr
from prediction_fakes import Blur, image_of

from napari_sashiko.patches import window_starts
from napari_sashiko.prediction import CellDone, PredictionSettings, predict
from napari_sashiko.prediction._blend import Blender
from napari_sashiko.prediction._inference import Inference
from napari_sashiko.volumes import as_volume, full_region

SHAPE = (13, 19, 22)
SIZES = {"window": (8, 9, 10), "step": (5, 6, 7), "border": (2, 2, 1)}


def inside(start, window, length, border):
    """Voxels of a window off its border; faces of the volume are no border."""
    place = np.arange(start, start + window)
    low = border if start > 0 else 0
    high = border if start + window < length else 0
    return (place >= start + low) & (place < start + window - high)


def by_hand(image, weight):
    """The definition: sum(w p) / sum(w), window by window over the whole volume."""
    total = np.zeros((2, 2, *SHAPE))
    norm = np.zeros(SHAPE)
    starts = [
        window_starts(n, w, s)
        for n, w, s in zip(SHAPE, SIZES["window"], SIZES["step"], strict=True)
    ]
    for corner in product(*starts):
        box = tuple(
            slice(s, s + w) for s, w in zip(corner, SIZES["window"], strict=True)
        )
        z, y, x = (
            inside(s, w, n, b)
            for s, w, n, b in zip(
                corner, SIZES["window"], SHAPE, SIZES["border"], strict=True
            )
        )
        full = z[:, None, None] & y[:, None] & x
        weights = np.where(full, 1.0, weight)
        total[(slice(None), slice(None), *box)] += weights * np.stack(
            Blur().predict(image[box][None])
        )
        norm[box] += weights
    return total / norm


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("runner", ["serial", "threads"])
def test_blending_is_the_weighted_mean_of_all_windows(tmp_path, weight, runner):
    image = image_of(SHAPE)
    settings = PredictionSettings(
        **SIZES, border_weight=weight, dtype="float32", runner=runner
    )
    events = list(predict(Blur(), as_volume(image), tmp_path / "p.zarr", settings))
    assert sum(isinstance(event, CellDone) for event in events) > 1
    expected = by_hand(image, weight)
    for name, values in zip(("mean", "std"), expected, strict=True):
        found = zarr.open_array(str(tmp_path / "p.zarr" / name / "0"), mode="r")[...]
        assert np.allclose(found, values, atol=1e-6)


def test_what_the_cache_forgot_is_computed_again_to_the_same(tmp_path):
    volume = as_volume(image_of(SHAPE))
    sizes = (SIZES["window"], SIZES["step"], SIZES["border"])
    results, counts = [], []
    for cache_bytes in (1 << 30, 0):
        predictor = Blur()
        blender = Blender(
            Inference(predictor, volume, (2, 2, 2)),
            *sizes,
            weight=0.3,
            cache_bytes=cache_bytes,
        )
        halves = [(slice(0, 7), *full_region(SHAPE)[1:])]
        halves.append((slice(7, SHAPE[0]), *full_region(SHAPE)[1:]))
        results.append(np.concatenate([blender.predict(r)[0] for r in halves], 1))
        counts.append(len(predictor.windows))
    assert np.array_equal(*results)
    assert counts[0] < counts[1]


def test_the_cache_is_bounded():
    blender = Blender(
        Inference(Blur(), as_volume(image_of(SHAPE)), (2, 2, 2)),
        *(SIZES["window"], SIZES["step"], SIZES["border"]),
        weight=0.3,
        cache_bytes=100_000,
    )
    blender.predict(full_region(SHAPE))
    assert 0 < blender._recent.bytes <= 100_000


def test_out_of_memory_in_a_window_goes_on_in_pieces(tmp_path):
    image = image_of(SHAPE)
    settings = PredictionSettings(**SIZES, border_weight=0.2, dtype="float32")
    predictor = Blur(most_voxels=500)
    list(predict(predictor, as_volume(image), tmp_path / "p.zarr", settings))
    found = zarr.open_array(str(tmp_path / "p.zarr/mean/0"), mode="r")[...]
    # Pieces see less context at faces that no window has: inside, they are exact.
    assert np.isfinite(found).all()
    assert np.abs(found - by_hand(image, 0.2)[0]).mean() < 0.02
