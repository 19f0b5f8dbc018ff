"""A model is applied to pictures one by one; results are scored against labels."""

import csv
import json
import os
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import zarr
from folder_pictures import cut_short, write_data, write_pair

import napari_sashiko as ns
from napari_sashiko.errors import (
    LabelError,
    OutputError,
    SettingsError,
    VolumeError,
)
from napari_sashiko.pipeline import (
    ApplySettings,
    Message,
    PictureDone,
    PicturesDone,
    Tick,
    apply_steps,
    as_volume,
    describe,
    picture_worker,
    read_results,
)
from napari_sashiko.pipeline.comparing import folder_name
from napari_sashiko.pipeline.folder_results import tiff_of
from napari_sashiko.pipeline.folder_stamp import Stamp, read_stamp
from napari_sashiko.pipeline.overlays import draw_overlay

CPU = {"device": "cpu"}


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


@pytest.fixture
def applied(learned, data, tmp_path):
    """Results of the pictures of test."""
    ns.apply(learned[0], data / "test", tmp_path / "out", **CPU)
    return tmp_path / "out"


def ledger(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}


def test_results_have_names_sizes_and_values_of_their_pictures(learned, data, tmp_path):
    done = ns.apply(learned[0], data / "test", tmp_path / "out", **CPU)
    assert (done.written, done.kept, done.problems) == (2, 0, ())
    for name, size in (("t0", (45, 66)), ("t1", (45, 67))):
        found = iio.imread(tmp_path / "out" / f"{name}.png")
        assert found.shape == size
        assert found.dtype == np.uint8
        assert set(np.unique(found)) == {0, 255}
        labels = iio.imread(data / "test" / "labels" / f"{name}.png")
        assert (found == labels).mean() > 0.9


def test_a_picture_is_segmented_as_if_it_were_the_only_one(learned, data, tmp_path):
    ns.apply(learned[0], data / "test", tmp_path / "out", probabilities=True, **CPU)
    picture = iio.imread(data / "test" / "images" / "t1.png")
    ns.predict(learned[0], as_volume(picture), tmp_path / "o.zarr", **CPU)
    group = zarr.open_group(str(tmp_path / "o.zarr"), mode="r")
    pages = tifffile.imread(tmp_path / "out" / "t1-probabilities.tif")
    np.testing.assert_allclose(pages, np.asarray(group["mean/0"], float), atol=1e-3)
    np.testing.assert_allclose(pages.sum(axis=0), 1, atol=1e-4)
    found = iio.imread(tmp_path / "out" / "t1.png")
    np.testing.assert_array_equal(found == 255, pages.argmax(axis=0) == 1)


@pytest.fixture(scope="module")
def restorer(tmp_path_factory):
    """A model that has learned a little of how to take noise out of grey pictures."""
    place = tmp_path_factory.mktemp("restorer")
    data = write_data(place / "data")
    path = place / "restorer.sashiko-model"
    picture = iio.imread(data / "test" / "images" / "t0.png")
    ns.restore(
        picture,
        path,
        network="tunet",
        network_settings={"depth": 2, "base_channels": 4},
        members=1,
        epochs=1,
        patch=16,
        batch=4,
        dims="2",
        **CPU,
    )
    return path


def test_a_model_that_restores_does_so_with_every_picture(restorer, data, tmp_path):
    images, out = data / "test" / "images", tmp_path / "out"
    cut_short(images / "t0.png")
    done = ns.apply(restorer, data / "test", out, **CPU)
    assert (done.written, list(dict(done.problems))) == (1, ["t0.png"])
    assert {path.name for path in out.iterdir()} == {"results.json", "t1.tif"}
    picture = iio.imread(images / "t1.png")
    ns.predict(restorer, as_volume(picture), tmp_path / "o.zarr", **CPU)
    whole = np.asarray(zarr.open_array(str(tmp_path / "o.zarr" / "mean/0"), mode="r"))
    found = tifffile.imread(out / "t1.tif")
    assert found.shape == picture.shape
    np.testing.assert_allclose(found, whole[0], rtol=1e-4, atol=1e-3)
    assert "Restored images" in "\n".join(describe(out).lines)
    with pytest.raises(SettingsError, match="no probabilities"):
        ns.apply(restorer, data / "test", tmp_path / "no", probabilities=True, **CPU)
    assert not (tmp_path / "no").exists()


def test_restored_pictures_are_kept_renewed_and_made_anew(
    restorer, learned, data, tmp_path
):
    out = tmp_path / "out"
    ns.apply(restorer, data / "test", out, **CPU)
    change(data / "test" / "images" / "t1.png", later=5)
    done = ns.apply(restorer, data / "test", out, **CPU)
    assert (done.written, done.kept, done.renewed) == (1, 1, 1)
    tifffile.imwrite(out / "mine.tif", np.zeros((3, 3), np.uint8))
    with pytest.raises(OutputError, match="another model"):
        ns.apply(learned[0], data / "test", out, **CPU)
    ns.apply(learned[0], data / "test", out, overwrite=True, **CPU)
    names = {"results.json", "t0.png", "t1.png", "mine.tif"}
    assert {path.name for path in out.iterdir()} == names


@pytest.mark.parametrize("channels", [1, 3, 2])
def test_a_restored_picture_says_what_it_was_made_of(tmp_path, channels):
    pixels = np.random.default_rng(0).random((channels, 5, 7)).astype(np.float32)
    stamp = Stamp("model", 3, 4, "content")
    (tmp_path / "a.tif").write_bytes(tiff_of(pixels, stamp.text()))
    assert read_stamp(tmp_path / "a.tif") == stamp
    found = tifffile.imread(tmp_path / "a.tif")
    found = np.moveaxis(found, -1, 0) if channels == 3 else found
    np.testing.assert_array_equal(found.reshape(pixels.shape), pixels)
    (tmp_path / "a.tif").write_bytes(tiff_of(pixels))
    assert read_stamp(tmp_path / "a.tif") is None


def test_a_picture_larger_than_a_window_has_no_seams(
    learned, data, tmp_path, monkeypatch
):
    write_pair(data / "large", "l", 3, (300, 400))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    wide = {"probabilities": True, **CPU}
    ns.apply(learned[0], data / "large", whole, **wide)
    monkeypatch.setattr("napari_sashiko.prediction._sizes.VOXELS_ON_CPU", 150 * 200)
    monkeypatch.setattr("napari_sashiko.prediction._sizes.BORDER_SHARE", 3)
    ns.apply(learned[0], data / "large", parts, **wide)
    pages = [tifffile.imread(out / "l-probabilities.tif") for out in (whole, parts)]
    assert (np.abs(pages[0] - pages[1]) > 0.02).mean() < 0.01


def test_a_bad_picture_is_skipped_and_reported(learned, data, tmp_path):
    images = data / "test" / "images"
    cut_short(images / "t0.png")
    colours = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    iio.imwrite(images / "colours.png", colours)
    tifffile.imwrite(images / "t1.tif", np.ones((30, 30), np.uint8))
    (images / "notes.txt").write_text("no picture")
    said = []
    done = ns.apply(learned[0], images, tmp_path / "out", report=said.append, **CPU)
    assert done.written == 1
    problems = dict(done.problems)
    assert set(problems) == {"t0.png", "colours.png", "t1.tif"}
    assert "damaged" in problems["t0.png"]
    assert "3 channel" in problems["colours.png"]
    assert "another picture" in problems["t1.tif"]
    told = [event.text for event in said if isinstance(event, Message)]
    assert len(told) == 3
    assert read_results(tmp_path / "out").problems == done.problems
    assert [event.done for event in said if isinstance(event, PictureDone)] == [
        1, 2, 3, 4,
    ]  # fmt: skip


def test_levelled_pictures_may_be_of_any_depth_others_may_not(learned, data, tmp_path):
    images = data / "test" / "images"
    deep = 257 * iio.imread(images / "t0.png").astype(np.uint16)
    iio.imwrite(images / "deep.png", deep)
    ns.apply(learned[0], images, tmp_path / "out", **CPU)
    np.testing.assert_array_equal(
        *(iio.imread(tmp_path / "out" / name) for name in ("deep.png", "t0.png"))
    )
    model = tmp_path / "plain.sashiko-model"
    shutil.copytree(learned[0], model)
    card = json.loads((model / "model.json").read_text("utf-8"))
    card["normalisation"]["levelled"] = False
    (model / "model.json").write_text(json.dumps(card), "utf-8")
    done = ns.apply(model, images, tmp_path / "plain", **CPU)
    assert "uint16" in dict(done.problems)["deep.png"]


def test_grey_in_three_channels_is_grey(learned, data, tmp_path):
    images = data / "test" / "images"
    ns.apply(learned[0], images, tmp_path / "grey", **CPU)
    picture = iio.imread(images / "t0.png")
    iio.imwrite(images / "t0.png", np.repeat(picture[..., None], 3, axis=2))
    ns.apply(learned[0], images, tmp_path / "colours", **CPU)
    np.testing.assert_array_equal(
        *(iio.imread(tmp_path / name / "t0.png") for name in ("grey", "colours"))
    )


def test_what_is_there_is_kept_and_the_rest_is_done(learned, data, applied):
    before = ledger(applied)
    (applied / "t1.png").unlink()
    done = ns.apply(learned[0], data / "test", applied, **CPU)
    assert (done.written, done.kept) == (1, 1)
    after = ledger(applied)
    assert after["t0.png"] == before["t0.png"]
    assert after["t1.png"] > before["t1.png"]
    done = ns.apply(learned[0], data / "test", applied, probabilities=True, **CPU)
    assert (done.written, done.kept) == (2, 0)


def change(picture, *, later=0):
    """Turn a picture around; its time is another one after `later` seconds."""
    iio.imwrite(picture, iio.imread(picture)[::-1])
    found = picture.stat()
    os.utime(picture, ns=(found.st_atime_ns, found.st_mtime_ns + later * 10**9))


def test_a_picture_that_has_changed_is_segmented_again(
    learned, data, applied, tmp_path
):
    before = {name: iio.imread(applied / name) for name in ("t0.png", "t1.png")}
    change(data / "test" / "images" / "t1.png", later=5)
    said = []
    done = ns.apply(learned[0], data / "test", applied, report=said.append, **CPU)
    assert (done.written, done.kept, done.renewed) == (1, 1, 1)
    told = [event.text for event in said if isinstance(event, Message)]
    assert len(told) == 1
    assert "that of t1.png is one" in told[0]
    np.testing.assert_array_equal(iio.imread(applied / "t0.png"), before["t0.png"])
    found = iio.imread(applied / "t1.png")
    assert (
        (found[::-1] == before["t1.png"]).mean() > 0.95 > (found == found[::-1]).mean()
    )
    ns.apply(learned[0], data / "test", tmp_path / "new", **CPU)
    assert (tmp_path / "new" / "t1.png").read_bytes() == (
        applied / "t1.png"
    ).read_bytes()


def test_a_picture_that_was_only_copied_is_not_segmented_again(learned, data, applied):
    before = ledger(applied)
    os.utime(data / "test" / "images" / "t1.png", (1, 1))
    done = ns.apply(learned[0], data / "test", applied, **CPU)
    assert (done.written, done.kept, done.renewed) == (0, 2, 0)
    assert ledger(applied) == before


def test_no_result_of_an_earlier_picture_stays(learned, data, tmp_path):
    out, wide = tmp_path / "out", {"probabilities": True, **CPU}
    ns.apply(learned[0], data / "test", out, **wide)
    change(data / "test" / "images" / "t0.png", later=5)
    cut_short(data / "test" / "images" / "t1.png")
    done = ns.apply(learned[0], data / "test", out, **CPU)
    assert (done.written, done.kept, list(dict(done.problems))) == (1, 0, ["t1.png"])
    assert {path.name for path in out.iterdir()} == {"results.json", "t0.png"}


def test_a_result_of_another_model_is_not_taken_for_done(
    learned, data, applied, tmp_path
):
    whole = (applied / "t0.png").read_bytes()
    other = tmp_path / "other.sashiko-model"
    shutil.copytree(learned[0], other)
    card = json.loads((other / "model.json").read_text())
    (other / "model.json").write_text(json.dumps(card | {"temperature": 0.5}))
    ns.apply(other, data / "test", tmp_path / "other", **CPU)
    shutil.copy(tmp_path / "other" / "t0.png", applied / "t0.png")
    done = ns.apply(learned[0], data / "test", applied, **CPU)
    assert (done.written, done.kept, done.renewed) == (1, 1, 1)
    assert (applied / "t0.png").read_bytes() == whole


def test_a_result_that_somebody_has_changed_is_left_as_it_is(learned, data, applied):
    mine = np.zeros((45, 66), np.uint8)
    iio.imwrite(applied / "t0.png", mine)
    done = ns.apply(learned[0], data / "test", applied, **CPU)
    assert (done.written, done.kept) == (0, 1)
    assert "left as it is" in dict(done.problems)["t0.png"]
    np.testing.assert_array_equal(iio.imread(applied / "t0.png"), mine)
    done = ns.apply(learned[0], data / "test", applied, overwrite=True, **CPU)
    assert (done.written, done.problems) == (2, ())


def test_a_picture_that_changes_while_it_is_read_has_no_result(
    learned, data, tmp_path, monkeypatch
):
    read = picture_worker.read_picture

    def disturbed(file):
        picture = read(file)
        if file.name == "t0.png":
            change(file, later=5)
        return picture

    monkeypatch.setattr(picture_worker, "read_picture", disturbed)
    done = ns.apply(learned[0], data / "test", tmp_path / "out", **CPU)
    assert "changed while it was read" in dict(done.problems)["t0.png"]
    assert not (tmp_path / "out" / "t0.png").exists()


def results_of(folder):
    """Bytes of all files, but for the index, which tells when."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name != "results.json"
    }


def test_threads_write_the_bytes_of_serial(learned, data, tmp_path):
    cut_short(data / "test" / "images" / "t0.png")
    found = {}
    for runner, workers in (("serial", 2), ("threads", 2)):
        where = {"runner": runner, "workers": workers, "probabilities": True, **CPU}
        done = ns.apply(learned[0], data / "test", tmp_path / runner, **where)
        assert list(dict(done.problems)) == ["t0.png"]
        found[runner] = results_of(tmp_path / runner)
    assert set(found["serial"]) == {"t1.png", "t1-probabilities.tif"}
    assert found["threads"] == found["serial"]


def test_a_cluster_writes_the_bytes_of_serial(learned, data, tmp_path):
    pytest.importorskip("distributed")
    write_pair(data / "test", "t2", 30, (40, 41))
    cut_short(data / "test" / "images" / "t0.png")
    found, problems = {}, {}
    for runner in ("serial", "dask"):
        where = {"runner": runner, "workers": 1, "probabilities": True, **CPU}
        done = ns.apply(learned[0], data / "test", tmp_path / runner, **where)
        found[runner], problems[runner] = results_of(tmp_path / runner), done.problems
        assert done.written == 2
    assert found["dask"] == found["serial"]
    assert problems["dask"] == problems["serial"]
    assert read_results(tmp_path / "dask").problems == problems["dask"]


def test_a_scheduler_that_does_not_answer_is_told_before_anything_is_written(
    learned, data, tmp_path
):
    pytest.importorskip("distributed")
    nobody = {"runner": "dask", "scheduler": "tcp://127.0.0.1:1", **CPU}
    with pytest.raises(SettingsError, match="No Dask scheduler"):
        ns.apply(learned[0], data / "test", tmp_path / "out", **nobody)
    assert not (tmp_path / "out").exists()


def test_what_is_stopped_leaves_whole_results_and_goes_on(learned, data, tmp_path):
    settings = ApplySettings(probabilities=True, device="cpu")
    steps = apply_steps(learned[0], data / "test", tmp_path / "out", settings)
    next(event for event in steps if isinstance(event, PictureDone))
    event = next(steps)  # into the second picture, if it takes that long
    steps.close()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    whole = {"results.json", "t0.png", "t0-probabilities.tif"}
    if isinstance(event, Tick):
        assert names == whole
    assert whole <= names
    assert not any("partial" in name for name in names)
    again = list(apply_steps(learned[0], data / "test", tmp_path / "out", settings))
    assert again[-1].kept >= 1
    assert isinstance(again[-1], PicturesDone)
    assert {path.stem for path in (tmp_path / "out").glob("*.png")} == {"t0", "t1"}


def test_results_of_another_model_are_not_mixed(learned, data, applied, fast, tmp_path):
    other = tmp_path / "other.sashiko-model"
    ns.train(data, None, other, folder={"unlabelled": "none"}, **fast)
    before = ledger(applied)
    with pytest.raises(OutputError, match="another model"):
        ns.apply(other, data / "test", applied, **CPU)
    assert ledger(applied) == before
    (data / "test" / "images" / "t1.png").unlink()
    ns.apply(other, data / "test", applied, overwrite=True, **CPU)
    assert read_results(applied).model == "other"
    assert set(ledger(applied)) == {"t0.png"}


def test_pictures_and_files_of_others_are_never_overwritten(learned, data, tmp_path):
    images = data / "test" / "images"
    before = (images / "t0.png").read_bytes()
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="folder of the pictures"):
            ns.apply(learned[0], images, images, overwrite=overwrite, **CPU)
        with pytest.raises(OutputError, match="is no result"):
            ns.apply(
                learned[0], images, data / "test" / "labels", overwrite=overwrite, **CPU
            )
    assert (images / "t0.png").read_bytes() == before
    assert not (data / "test" / "labels" / "results.json").exists()


def test_what_somebody_put_among_the_results_stays_when_they_are_made_anew(
    learned, data, tmp_path
):
    out, wide = tmp_path / "out", {"probabilities": True, **CPU}
    ns.apply(learned[0], data / "test", out, **wide)
    (data / "test" / "images" / "t1.png").unlink()
    mine = ["figure.png", "figure-probabilities.tif", "other-probabilities.tif"]
    for name in mine:
        (out / name).write_bytes(b"mine")
    ns.apply(learned[0], data / "test", out, overwrite=True, **CPU)
    assert {path.name for path in out.iterdir()} == {"results.json", "t0.png", *mine}
    assert all((out / name).read_bytes() == b"mine" for name in mine)


def test_results_of_an_earlier_version_are_read_and_not_gone_on_with(
    learned, data, applied
):
    record = json.loads((applied / "results.json").read_text(encoding="utf-8"))
    record["format_version"] = 1
    (applied / "results.json").write_text(json.dumps(record), encoding="utf-8")
    assert read_results(applied).model == "m"
    with pytest.raises(OutputError, match="earlier version"):
        ns.apply(learned[0], data / "test", applied, **CPU)
    done = ns.apply(learned[0], data / "test", applied, overwrite=True, **CPU)
    assert done.written == 2


@pytest.mark.parametrize("harm", ["{", "[]", '{"format_version": 1}', '{"a": 1}'])
def test_a_damaged_index_is_named(applied, harm):
    (applied / "results.json").write_text(harm, encoding="utf-8")
    with pytest.raises(OutputError, match=r"results\.json is damaged"):
        read_results(applied)


def test_a_newer_index_is_refused(applied):
    record = json.loads((applied / "results.json").read_text(encoding="utf-8"))
    record["format_version"] = 99
    (applied / "results.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(OutputError, match="format 99"):
        read_results(applied)


def test_a_model_of_a_volume_gives_class_ids(arrays, fast, data, tmp_path):
    model, said = tmp_path / "m.sashiko-model", []
    ns.train(arrays[0], arrays[1], model, **fast)
    out = tmp_path / "out"
    ns.apply(model, data / "test", out, report=said.append, **CPU)
    assert set(np.unique(iio.imread(out / "t0.png"))) <= {1, 2}
    assert any("neighbouring slices" in getattr(each, "text", "") for each in said)


def test_colours_come_back_as_colours(fast, tmp_path):
    for number in range(3):
        inside = write_pair(tmp_path / "train", f"a{number}", number, (40, 50))
        colours = np.array([[0, 0, 255], [255, 0, 0]], np.uint8)[inside.astype(int)]
        iio.imwrite(tmp_path / "train" / "labels" / f"a{number}.png", colours)
    model, out = tmp_path / "m.sashiko-model", tmp_path / "out"
    ns.train(tmp_path, None, model, **fast)
    ns.apply(model, tmp_path / "train", out, **CPU)
    found = iio.imread(out / "a0.png")
    assert found.shape == (40, 50, 3)
    assert {tuple(c) for c in found.reshape(-1, 3).tolist()} == {
        (0, 0, 255),
        (255, 0, 0),
    }
    scores = ns.evaluate_folder(out, tmp_path / "train")
    assert scores.rows[-1]["accuracy"] > 0.9


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["picture"], row["class"]): row for row in csv.DictReader(file)}


def put_truth(data, name, truth):
    iio.imwrite(data / "test" / "labels" / f"{name}.png", truth)


def test_the_table_holds_what_counting_gives(applied, data):
    done = ns.evaluate_folder(applied, data / "test")
    rows = rows_of(applied / "evaluation" / "scores.csv")
    assert len(rows) == 12
    both = []
    for name in ("t0", "t1"):
        found = iio.imread(applied / f"{name}.png") == 255
        true = iio.imread(data / "test" / "labels" / f"{name}.png") == 255
        both.append((found.ravel(), true.ravel()))
    found, true = (np.concatenate(each) for each in zip(*both, strict=True))
    for picture, (f, t) in (("t0", both[0]), ("t1", both[1]), ("all", (found, true))):
        row = rows[picture, "grey 255"]
        hit = (f & t).sum()
        assert int(row["pixels"]) == t.sum()
        assert float(row["precision"]) == pytest.approx(hit / f.sum(), abs=1e-6)
        assert float(row["recall"]) == pytest.approx(hit / t.sum(), abs=1e-6)
        assert float(row["iou"]) == pytest.approx(hit / (f | t).sum(), abs=1e-6)
        dice = 2 * hit / (f.sum() + t.sum())
        assert float(row["f1"]) == pytest.approx(dice, abs=1e-6)
        assert row["dice"] == row["f1"]
        assert float(row["accuracy"]) == pytest.approx((f == t).mean(), abs=1e-6)
    assert done.rows[-1]["accuracy"] == pytest.approx((found == true).mean())
    assert (done.pictures, done.problems) == (2, ())


def test_means_are_taken_over_classes_and_over_pixels(applied, data):
    ns.evaluate_folder(applied, data / "test")
    rows = rows_of(applied / "evaluation" / "scores.csv")
    classes = [rows["all", name] for name in ("grey 0", "grey 255")]
    macro, micro = rows["all", "macro mean"], rows["all", "micro mean"]
    for score in ("f1", "iou", "precision", "recall", "dice"):
        mean = np.mean([float(row[score]) for row in classes])
        assert float(macro[score]) == pytest.approx(mean, abs=2e-6)
    pixels = [int(row["pixels"]) for row in classes]
    right = sum(
        float(row["recall"]) * n for row, n in zip(classes, pixels, strict=True)
    )
    share = right / sum(pixels)
    for score in ("f1", "precision", "recall", "dice", "accuracy"):
        assert float(micro[score]) == pytest.approx(share, abs=2e-6)
    assert float(micro["iou"]) == pytest.approx(share / (2 - share), abs=2e-6)
    assert macro["accuracy"] == micro["accuracy"]
    assert int(micro["pixels"]) == sum(pixels)
    assert {picture for picture, _ in rows} == {"t0", "t1", "all"}


def test_what_cannot_be_divided_is_left_empty(applied, data):
    name = "t0"
    found = iio.imread(applied / f"{name}.png")
    iio.imwrite(applied / f"{name}.png", np.zeros_like(found))
    put_truth(data, name, np.zeros_like(found))
    ns.evaluate_folder(applied, data / "test")
    row = rows_of(applied / "evaluation" / "scores.csv")[name, "grey 255"]
    assert [row[key] for key in ("f1", "iou", "precision", "recall")] == [""] * 4
    assert float(row["accuracy"]) == 1


def test_overlays_are_green_where_too_much_is_found_and_magenta_where_too_little(
    applied, data
):
    found = iio.imread(applied / "t0.png") == 255
    truth = found.copy()
    truth[:10] = ~truth[:10]
    put_truth(data, "t0", truth.astype(np.uint8) * 255)
    done = ns.evaluate_folder(applied, data / "test")
    overlay = iio.imread(
        applied / "evaluation" / "overlays" / "2-grey-255" / "t0.png"
    ).astype(int)
    red, green, blue = np.moveaxis(overlay, -1, 0)
    np.testing.assert_array_equal(green > red, found & ~truth)
    np.testing.assert_array_equal(red > green, truth & ~found)
    np.testing.assert_array_equal(red, blue)
    right = found == truth
    picture = iio.imread(data / "test" / "images" / "t0.png")
    assert np.corrcoef(green[right], picture[right])[0, 1] > 0.99
    assert done.overlays.endswith("overlays")


def test_overlays_are_drawn_of_the_class_that_is_asked_for(applied, data, tmp_path):
    for asked in ("grey 0", 1):
        out = tmp_path / f"by {asked}"
        ns.evaluate_folder(applied, data / "test", out, label_class=asked)
        assert [each.name for each in (out / "overlays").iterdir()] == ["1-grey-0"]
    done = ns.evaluate_folder(applied, data / "test", tmp_path / "none", overlays=False)
    assert done.overlays == ""
    assert not (tmp_path / "none" / "overlays").exists()
    with pytest.raises(LabelError, match="no class 'x'"):
        ns.evaluate_folder(applied, data / "test", label_class="x")


def test_what_is_not_labelled_is_neither_scored_nor_painted():
    shape = (6, 8)
    found, true = np.ones(shape, bool), np.zeros(shape, bool)
    scored = np.zeros(shape, bool)
    scored[2:4] = True
    picture = np.arange(48, dtype=np.uint16).reshape(shape)
    red, green, _ = np.moveaxis(draw_overlay(picture, found, true, scored), -1, 0)
    np.testing.assert_array_equal(green.astype(int) > red, scored)


def test_a_result_without_labels_is_left_out(applied, data):
    (data / "test" / "labels" / "t0.png").unlink()
    said = []
    done = ns.evaluate_folder(applied, data / "test", report=said.append)
    assert done.pictures == 1
    assert dict(done.problems) == {"t0.png": "it has no labels."}
    iio.imwrite(data / "test" / "labels" / "t0.png", np.zeros((9, 9), np.uint8))
    done = ns.evaluate_folder(applied, data / "test", report=said.append)
    assert "9 x 9" in dict(done.problems)["t0.png"]
    shutil.rmtree(data / "test" / "images")
    (applied / "t0.png").unlink()
    ns.evaluate_folder(applied, data / "test", report=said.append)
    told = " ".join(event.text for event in said if isinstance(event, Message))
    assert "t0.png is left out: it has no labels." in told
    assert "1 label pictures have no result, t0.png" in told
    assert "drawn on black" in told


def test_truth_of_other_classes_is_refused(applied, data):
    put_truth(data, "t0", np.full((45, 66), 128, np.uint8))
    with pytest.raises(LabelError, match=r"t0\.png cannot be used.*128.*0, 255"):
        ns.evaluate_folder(applied, data / "test")


def test_nothing_to_compare_is_an_error(applied, data, tmp_path):
    with pytest.raises(OutputError, match="no results"):
        ns.evaluate_folder(tmp_path, data / "test")
    with pytest.raises(VolumeError, match="no pictures"):
        ns.evaluate_folder(applied, data)
    for label in (data / "test" / "labels").iterdir():
        label.rename(label.with_name(f"x{label.name}"))
    with pytest.raises(LabelError, match="None of the 2 results"):
        ns.evaluate_folder(applied, data / "test")


def test_results_say_what_they_are(applied):
    found = ns.pipeline.describe(applied)
    assert found.kind == "pictures"
    assert found.lines[:2] == (
        "Results of 2 pictures by the model 'm'",
        "Values: 0 grey 0, 255 grey 255",
    )
    assert found.facts["pictures"] == 2


def test_results_are_labels_again(applied, data):
    done = ns.evaluate_folder(applied, applied)
    assert done.rows[-1]["accuracy"] == 1
    assert done.rows[-1]["f1"] == 1


def test_folders_of_overlays_have_plain_names():
    names = [
        folder_name(each)
        for each in (
            ns.pipeline.LabelClass(id=3, name="#ff0000", color="#ff0000"),
            ns.pipeline.LabelClass(id=4, name="α / β", color="#ff0000"),
            ns.pipeline.LabelClass(id=5, name="..", color="#ff0000"),
        )
    ]
    assert names == ["3-ff0000", "4-α-β", "5"]
