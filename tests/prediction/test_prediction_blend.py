"""Laws of blending: the weighted mean of all windows, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Event

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prediction_fakes import Blur, image_of

from napari_sashiko.errors import Cancelled, OutputError
from napari_sashiko.patches import Grid, border_weights, stitch, window_starts
from napari_sashiko.prediction import (
    CellDone,
    PredictionSettings,
    estimate,
    predict,
)
from napari_sashiko.prediction._blend import Blender
from napari_sashiko.prediction._inference import Inference
from napari_sashiko.prediction._order import tasks_of
from napari_sashiko.prediction._pieces import Pieces
from napari_sashiko.prediction.plan import Plan, make_plan
from napari_sashiko.prediction.store import Layout
from napari_sashiko.volumes import as_volume

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


def make_blender(predictor, weight=0.3, cache_bytes=1 << 30):
    """A blender, and its cells in their order."""
    volume = as_volume(image_of(SHAPE))
    settings = PredictionSettings(**SIZES, border_weight=weight)
    plan = make_plan(predictor, SHAPE, settings)
    inference = Inference(predictor, volume, plan.border)
    blender = Blender(inference, plan, cache_bytes=cache_bytes)
    return blender, [cell for (cell,) in tasks_of(plan, 2, settings)]


def blended(blender, cells):
    """Mean and deviation of the whole, cell by cell."""
    found = np.full((2, 2, *SHAPE), np.nan, np.float32)
    for cell in cells:
        found[(slice(None), slice(None), *cell.cell)] = blender.predict(cell)
    return found


def grid():
    return Grid(SHAPE, SIZES["window"], SIZES["step"])


def test_each_window_is_predicted_once_if_what_is_shared_fits_the_cache():
    predictor = Blur()
    blender, cells = make_blender(predictor)
    blender.expect(cells)
    blended(blender, cells)
    assert len(predictor.windows) == len(grid()) > 10
    assert blender._pieces.bytes == 0  # each piece was used


@pytest.mark.parametrize("cache_bytes", [0, 10_000, 30_000])
def test_what_the_cache_forgot_is_computed_again_to_the_same(cache_bytes):
    predictor = Blur()
    blender, cells = make_blender(Blur())
    truth = blended(blender, cells)
    blender, _ = make_blender(predictor, cache_bytes=cache_bytes)
    blender.expect(cells)
    assert np.array_equal(blended(blender, cells), truth)
    assert len(grid()) < len(predictor.windows)
    assert blender._pieces.bytes == 0  # nothing is held for cells that are done


def test_the_order_of_cells_does_not_show():
    blender, cells = make_blender(Blur())
    truth = blended(blender, cells)
    mixed = [cells[i] for i in np.random.default_rng(0).permutation(len(cells))]
    blender.expect(mixed[::2])  # and the others come unexpected
    assert np.array_equal(blended(blender, mixed), truth)


def test_the_sum_of_a_voxel_runs_over_windows_in_row_major_order():
    image, total = image_of(SHAPE), np.zeros((2, 2, *SHAPE), np.float32)
    norm = np.zeros(SHAPE, np.float32)
    profiles = border_weights(grid(), SIZES["border"], 0.3)
    counts = [len(starts) for starts in grid().starts]
    for index, box in zip(np.ndindex(*counts), grid(), strict=True):
        z, y, x = (
            factors[i].astype(np.float32)
            for factors, i in zip(profiles, index, strict=True)
        )
        weights = np.minimum(np.minimum(z[:, None, None], y[:, None]), x)
        both = np.stack(Blur().predict(image[box][None]))
        total[(slice(None), slice(None), *box)] += both * weights
        norm[box] += weights
    assert np.array_equal(blended(*make_blender(Blur())), total / norm)


def test_the_cache_is_bounded():
    blender, cells = make_blender(Blur(), cache_bytes=30_000)
    blender.expect(cells)
    held = []
    for cell in cells:
        blender.predict(cell)
        held.append(blender._pieces.bytes)
    assert 20_000 < max(held) <= 30_000


def test_where_room_is_short_the_pieces_that_are_needed_last_are_dropped():
    pieces = Pieces(1000)
    order = [(0, 0, 2), (0, 0, 0), (0, 0, 3), (0, 0, 1)]
    pieces.expect(order)
    made = []

    def take(cell, window):
        def make():
            made.append(window)
            return {each: (np.zeros(50, np.float32),) * 2 for each in order}

        pieces.take(cell, window, make)

    take(order[0], (0, 0, 0))  # 400 bytes each: two of the three fit
    assert pieces.bytes == 800
    take(order[1], (0, 0, 0))
    take(order[2], (0, 0, 0))
    assert len(made) == 1
    take(order[3], (0, 0, 0))
    assert len(made) == 2


def test_given_up_cells_hold_no_memory():
    blender, cells = make_blender(Blur())
    blender.expect(cells)
    blender.predict(cells[0])
    blender.forget(cells)
    assert blender._pieces.bytes == 0
    blender.predict(cells[1])
    assert blender._pieces.bytes == 0


@given(
    axes=st.tuples(
        *[
            st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(1, 9))
            for _ in range(3)
        ]
    ),
    weight=st.sampled_from([0.1, 1.0]),
    cache_bytes=st.sampled_from([0, 3000, 1 << 30]),
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_any_shape_and_step_is_sewn_as_patches_are(axes, weight, cache_bytes):
    shape, window, step = zip(*axes, strict=True)
    window = tuple(min(pair) for pair in zip(shape, window, strict=True))
    step = tuple(min(pair) for pair in zip(step, window, strict=True))
    border = tuple((w - 1) // 4 for w in window)
    image, predictor = image_of(shape), Blur(radius=1)
    plan = Plan(shape, window, border, step, (1, 1, 1), weight)
    inference = Inference(predictor, as_volume(image), border)
    blender = Blender(inference, plan, cache_bytes=cache_bytes)
    cells = list(plan.cells())
    blender.expect(cells)
    found = np.full((2, 2, *shape), np.nan)
    for cell in cells:
        found[(slice(None), slice(None), *cell.cell)] = blender.predict(cell)
    windows = Grid(shape, window, step)
    both = [np.stack(Blur(radius=1).predict(image[box][None])) for box in windows]
    for name in (0, 1):
        patches = [pair[name] for pair in both]
        expected = stitch(patches, windows, border, weight)
        assert np.allclose(found[name], expected, atol=1e-6)
    if cache_bytes > 3000:
        assert len(predictor.windows) == len(windows)


def run(out, predictor=None, **values):
    settings = PredictionSettings(**{**SIZES, "border_weight": 0.3, **values})
    volume = as_volume(image_of(SHAPE))
    return list(predict(predictor or Blur(), volume, out, settings))


def test_threads_predict_each_window_once_and_write_the_bytes_of_serial(tmp_path):
    written = []
    for runner, workers in (("serial", None), ("threads", 3)):
        predictor = Blur()
        run(tmp_path / runner, predictor, runner=runner, workers=workers)
        assert len(predictor.windows) == len(grid())
        written.append(
            {
                str(p.relative_to(tmp_path / runner)): p.read_bytes()
                for p in (tmp_path / runner).rglob("*")
                if p.is_file() and p.name != "zarr.json"
            }
        )
    assert len(written[0]) > 20
    assert written[0] == written[1]


def test_a_window_that_one_thread_fails_to_predict_is_tried_by_the_other():
    started, go_on = Event(), Event()

    class Failing(Blur):
        def predict(self, patch, **more):
            if not started.is_set():
                started.set()
                go_on.wait(60)
                raise Cancelled("Stopped.")
            return super().predict(patch, **more)

    blender, cells = make_blender(Failing())
    with ThreadPoolExecutor(2) as pool:
        fails = pool.submit(blender.predict, cells[0])
        assert started.wait(60)
        waits = pool.submit(lambda: np.array(blender.predict(cells[1])))
        go_on.set()
        with pytest.raises(Cancelled):
            fails.result(60)
        found = waits.result(60)
    blender, _ = make_blender(Blur())
    assert np.array_equal(found, blender.predict(cells[1]))


def test_the_pencil_in_view_comes_first():
    shape, sizes = (60, 60, 60), {"window": (8, 8, 8), "step": (6, 6, 6)}
    settings = PredictionSettings(
        **sizes, border=(2, 2, 2), border_weight=0.3, center=(57, 3, 20)
    )
    plan = make_plan(Blur(), shape, settings)
    order = [cell.index for (cell,) in tasks_of(plan, 2, settings)]
    assert sorted(order) == [cell.index for cell in plan.cells()]
    first = order[: 2 * 8 * 10]  # two rows of cells are left at the far side
    assert {z for z, _, _ in first} == {8, 9}
    assert {y for _, y, _ in first} == set(range(8))
    assert [x for _, _, x in first] == sorted(x for _, _, x in first)


@pytest.mark.parametrize("step", [(5, 6, 7), (17, 9, 9), (1, 1, 1), (40, 20, 20)])
def test_cells_are_one_step_long_and_their_chunks_are_not_thin(step):
    shape = (200, 100, 100)
    window = tuple(s + 3 for s in step)
    plan = Plan(shape, window, (1, 1, 1), step, (1, 1, 1), 0.5)
    z, y, x = plan.cells().chunk
    assert (y, x) == step[1:]
    assert 0 <= step[0] - z < 8
    layout = Layout(shape, (z, y, x), 2, "float32", False)
    assert layout.chunk[0] >= min(z, 8)


@pytest.mark.parametrize("workers", [1, 4])
def test_tasks_for_a_cluster_are_several_cells_and_enough_for_all_workers(workers):
    settings = PredictionSettings(
        window=(8, 8, 8),
        step=(6, 6, 6),
        border=(1, 1, 1),
        border_weight=0.5,
        runner="dask",
        workers=workers,
    )
    plan = make_plan(Blur(), (60, 60, 60), settings)
    tasks = list(tasks_of(plan, 2, settings))
    assert len(tasks) >= 4 * workers
    assert 20 < max(len(task) for task in tasks) <= 64
    cells = sorted(cell.index for task in tasks for cell in task)
    assert cells == [cell.index for cell in plan.cells()]
    for task in tasks:
        spans = np.ptp([cell.index for cell in task], axis=0)
        assert spans.max() < 4


def test_an_estimate_of_blending_counts_windows(tmp_path):
    volume = as_volume(image_of(SHAPE))

    class Slow(Blur):
        def predict(self, patch, **more):
            self.seconds = patch[0].size * 1e-5 / 2
            return super().predict(patch, **more)

    settings = PredictionSettings(**SIZES, border_weight=0.3)
    told = estimate(Slow(), volume, settings, measure=True)
    assert told.seconds > 0.5 * len(grid()) * np.prod(SIZES["window"]) * 1e-5
    assert told.cells == sum(isinstance(e, CellDone) for e in run(tmp_path / "p.zarr"))
    crop = estimate(Slow(), volume, PredictionSettings(**SIZES))
    assert told.memory_bytes > crop.memory_bytes


def test_a_prediction_that_was_cut_into_other_cells_is_refused(tmp_path):
    out = tmp_path / "p.zarr"
    run(out)
    attributes = zarr.open_group(str(out), mode="r+").attrs
    attributes["sashiko"] = {**attributes["sashiko"], "cell": [10, 12, 14]}
    with pytest.raises(OutputError, match="other windows"):
        run(out)
    run(out, overwrite=True)
    assert run(out)[0].done == run(out)[0].cells


def test_out_of_memory_in_a_window_goes_on_in_pieces(tmp_path):
    image = image_of(SHAPE)
    settings = PredictionSettings(**SIZES, border_weight=0.2, dtype="float32")
    predictor = Blur(most_voxels=500)
    list(predict(predictor, as_volume(image), tmp_path / "p.zarr", settings))
    found = zarr.open_array(str(tmp_path / "p.zarr/mean/0"), mode="r")[...]
    # Pieces see less context at faces that no window has: inside, they are exact.
    assert np.isfinite(found).all()
    assert np.abs(found - by_hand(image, 0.2)[0]).mean() < 0.02
