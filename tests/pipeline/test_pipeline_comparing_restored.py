"""Restored pictures are scored against clean ones of their names."""

import csv
import math
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import napari_sashiko as ns
from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.labels import LabelValues
from napari_sashiko.pipeline import Message
from napari_sashiko.pipeline.folder_results import FolderResults, tiff_of, write_result

SIZES = {"a": (20, 30), "b": (26, 18), "c": (9, 12)}
SCORES = (
    *("pearson", "psnr", "ssim"),
    *("mean_absolute_error", "root_mean_square_error"),
)


def clean_picture(name):
    """Grey values of a smooth picture."""
    y, x = np.mgrid[: SIZES[name][0], : SIZES[name][1]]
    return np.round(100 + 40 * np.sin(x / 3 + len(name)) + 30 * np.cos(y / 4))


@pytest.fixture
def folders(tmp_path):
    """Noisy pictures, what was made of them, and clean ones, all of three names."""
    rng = np.random.default_rng(0)
    noisy, results = tmp_path / "data" / "test" / "images", tmp_path / "results"
    clean = tmp_path / "clean"
    for place in (noisy, results, clean):
        place.mkdir(parents=True)
    for name in SIZES:
        picture = clean_picture(name).astype(np.uint8)
        iio.imwrite(clean / f"{name}.png", picture)
        iio.imwrite(noisy / f"{name}.png", picture // 2)
        made = picture + rng.normal(0, 6, picture.shape)
        put_result(results, name, made[None])
    nothing = LabelValues((), (), 0)
    FolderResults(results, "m", "digest", noisy, (), nothing, restores=True).write()
    return results, clean


def put_result(results, name, channels):
    write_result(results / f"{name}.tif", tiff_of(channels.astype(np.float32)))


def rows_of(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return {row["picture"]: row for row in csv.DictReader(file)}


def wanted(made, clean):
    """Scores by another library, or by their formulas."""
    made, clean = made.astype(float), clean.astype(float)
    span = float(np.ptp(clean))
    off = made - clean
    return (
        np.corrcoef(made.ravel(), clean.ravel())[0, 1],
        peak_signal_noise_ratio(clean, made, data_range=span),
        structural_similarity(clean, made, data_range=span),
        np.abs(off).mean(),
        math.sqrt((off**2).mean()),
    )


def test_the_table_has_the_scores_of_each_picture_and_their_mean(folders):
    results, clean = folders
    done = ns.evaluate_folder(results, clean)
    assert (done.pictures, done.problems, done.overlays) == (3, (), "")
    assert Path(done.table) == results / "evaluation" / "scores.csv"
    rows = rows_of(done.table)
    assert list(rows) == ["a", "b", "c", "mean"]
    assert tuple(rows["a"]) == ("picture", "pixels", *SCORES)
    found = []
    for name, size in SIZES.items():
        right = wanted(tifffile.imread(results / f"{name}.tif"), clean_picture(name))
        found.append([float(rows[name][score]) for score in SCORES])
        np.testing.assert_allclose(found[-1], right, rtol=1e-5)
        assert int(rows[name]["pixels"]) == size[0] * size[1]
    mean = [float(rows["mean"][score]) for score in SCORES]
    np.testing.assert_allclose(mean, np.mean(found, axis=0), rtol=1e-5)
    assert int(rows["mean"]["pixels"]) == sum(y * x for y, x in SIZES.values())
    (row,) = done.rows
    np.testing.assert_allclose([row[score] for score in SCORES], mean, rtol=1e-5)


def test_clean_pictures_are_found_in_the_part_of_the_pictures(folders, tmp_path):
    results, clean = folders
    first = ns.evaluate_folder(results, clean).rows
    for part in ("test", "train"):
        (tmp_path / "parts" / part / "images").mkdir(parents=True)
    for file in clean.iterdir():
        dark = np.zeros_like(iio.imread(file))
        iio.imwrite(tmp_path / "parts" / "train" / "images" / file.name, dark)
        file.rename(tmp_path / "parts" / "test" / "images" / file.name)
    for place in ("parts", "parts/test", "parts/test/images"):
        assert ns.evaluate_folder(results, tmp_path / place).rows == first


def test_pictures_without_a_counterpart_are_named(folders):
    results, clean = folders
    (clean / "a.png").rename(clean / "other.png")
    iio.imwrite(clean / "b.png", np.zeros((5, 6), np.uint8))
    said = []
    done = ns.evaluate_folder(results, clean, report=said.append)
    assert done.pictures == 1
    assert dict(done.problems) == {
        "a.tif": "it has no clean picture.",
        "b.tif": "it has 26 x 18 pixels, its clean picture has 5 x 6.",
    }
    told = [event.text for event in said if isinstance(event, Message)]
    assert told == [
        "1 clean pictures have no result, other.png is one.",
        "a.tif is left out: it has no clean picture.",
        "b.tif is left out: it has 26 x 18 pixels, its clean picture has 5 x 6.",
    ]
    assert list(rows_of(done.table)) == ["c", "mean"]


def test_a_damaged_clean_picture_is_named(folders):
    results, clean = folders
    (clean / "a.png").write_bytes(b"no picture")
    done = ns.evaluate_folder(results, clean)
    assert "clean picture that cannot be used. a.png" in dict(done.problems)["a.tif"]
    assert done.pictures == 2


def test_what_cannot_be_computed_is_left_empty_and_counts_for_no_mean(folders):
    results, clean = folders
    put_result(results, "a", clean_picture("a")[None])  # as it should be
    iio.imwrite(clean / "b.png", np.full(SIZES["b"], 7, np.uint8))
    done = ns.evaluate_folder(results, clean)
    rows = rows_of(done.table)
    assert (rows["a"]["psnr"], rows["a"]["mean_absolute_error"]) == ("", "0.0")
    assert (rows["b"]["pearson"], rows["b"]["ssim"]) == ("", "")
    assert rows["mean"]["psnr"] == rows["c"]["psnr"]
    assert float(rows["mean"]["ssim"]) == pytest.approx(
        (1 + float(rows["c"]["ssim"])) / 2, rel=1e-5
    )


def test_what_was_not_measured_does_not_count(folders):
    results, clean = folders
    made = clean_picture("a") + 3
    made[:4] = np.nan
    put_result(results, "a", made[None])
    row = rows_of(ns.evaluate_folder(results, clean).table)["a"]
    assert int(row["pixels"]) == 16 * 30
    assert float(row["mean_absolute_error"]) == pytest.approx(3)


def test_colours_are_compared_channel_by_channel(folders):
    results, clean = folders
    colours = np.stack([clean_picture("a") + n for n in (0, 20, 40)])
    made = colours + np.array([1, 2, 6])[:, None, None]
    put_result(results, "a", made)
    iio.imwrite(clean / "a.png", np.moveaxis(colours, 0, -1).astype(np.uint8))
    done = ns.evaluate_folder(results, clean)
    row = rows_of(done.table)["a"]
    assert float(row["mean_absolute_error"]) == pytest.approx(3)
    assert int(row["pixels"]) == 20 * 30
    put_result(results, "a", made[:1])
    problems = dict(ns.evaluate_folder(results, clean).problems)
    assert "3 channel(s), 1 were expected" in problems["a.tif"]


def test_small_grey_values_keep_their_digits(folders):
    results, clean = folders
    faint = 1e-7 * clean_picture("a")
    put_result(results, "a", faint[None] + 2e-7)
    tifffile.imwrite(clean / "a.tif", faint.astype(np.float32))
    (clean / "a.png").unlink()
    row = rows_of(ns.evaluate_folder(results, clean).table)["a"]
    assert float(row["mean_absolute_error"]) == pytest.approx(2e-7, rel=1e-3)


def test_what_was_restored_is_no_truth(folders, tmp_path):
    results, _ = folders
    for place in ("data", "data/test", "data/test/images"):
        with pytest.raises(VolumeError, match=r"were restored.*clean pictures"):
            ns.evaluate_folder(results, tmp_path / place)
    assert not (results / "evaluation").exists()


def test_what_makes_no_sense_is_an_error(folders, tmp_path):
    results, clean = folders
    with pytest.raises(LabelError, match="no classes"):
        ns.evaluate_folder(results, clean, label_class="disc")
    with pytest.raises(VolumeError, match="cannot be read"):
        ns.evaluate_folder(results, tmp_path / "nowhere")
    for file in list(clean.iterdir()):
        file.rename(clean / f"x{file.name}")
    with pytest.raises(VolumeError, match=r"None of the 3 results.*no clean picture"):
        ns.evaluate_folder(results, clean)
