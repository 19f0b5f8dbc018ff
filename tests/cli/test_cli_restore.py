"""Restoring on the command line: learn, make the image, look at both."""

import numpy as np
import pytest
import tifffile
import zarr

DEEP = ("--set", "network_settings.depths=2")
QUICK = ("--epochs", "2", "--members", "1", "--device", "cpu", "--set", "patch=16")


def restored(path):
    return np.asarray(zarr.open_array(str(path / "mean" / "0"), mode="r"))[0]


def test_noise_is_taken_away(sashiko, place):
    model, out = place / "clear.sashiko-model", place / "clear.zarr"
    done = sashiko("restore", "image.npy", "-o", model, "--json", *QUICK)
    assert done.code == 0, done.err
    assert done.summary["metrics"]["held_out_loss"] > 0
    assert done.summary["settings"]["members"] == 1
    assert "noisy image alone" in done.err + done.out
    made = sashiko("predict", model, "image.npy", "-o", out, "--json")
    assert made.code == 0, made.err
    assert made.summary["shape"] == [10, 40, 40]
    assert made.summary["class_names"] == []
    inside = (slice(2, 8), slice(8, 14), slice(8, 32))
    noisy = np.load(place / "image.npy")
    assert restored(out)[inside].std() < 0.9 * noisy[inside].std()
    assert restored(out)[inside].mean() == pytest.approx(noisy[inside].mean(), abs=8)
    words = sashiko("info", model)
    assert "Restores images" in words.out
    assert "Restored image, 10 x 40 x 40" in sashiko("info", out).out


def test_noise_does_not_fit_through_a_vae(sashiko, place):
    model, out = place / "clear.sashiko-model", place / "clear.zarr"
    given = ("edge=16", "latent=4", "depth=2", "base_channels=8", "beta=0.2")
    words = [w for each in given for w in ("--set", f"network_settings.{each}")]
    done = sashiko(
        *("restore", "image.npy", "-o", model, "--network", "vae", "--json"),
        *(*QUICK, *words),
    )
    assert done.code == 0, done.err
    assert "few numbers" in done.err + done.out
    assert done.summary["settings"]["network_settings"]["beta"] == 0.2
    assert sashiko("predict", model, "image.npy", "-o", out).code == 0
    assert restored(out).shape == (10, 40, 40)
    told = sashiko("info", model).out
    assert "Members: 1 (vae), 2D" in told
    assert "Restores images, through 4 numbers of 16 x 16 voxels" in told


def test_a_clean_image_may_lie_beside(sashiko, place):
    clean = np.where(np.load(place / "truth.npy") == 2, 130, 60).astype(np.uint8)
    np.save(place / "clean.npy", clean)
    model = place / "clear.sashiko-model"
    done = sashiko("restore", "image.npy", "-o", model, "--clean", "clean.npy", *QUICK)
    assert done.code == 0, done.err
    assert "one image of the other" in done.err + done.out


def test_gaps_are_filled_and_the_rest_stays(sashiko, place):
    image = np.load(place / "image.npy")
    image[:, 18:20] = 0
    np.save(place / "image.npy", image)
    model, out = place / "whole.sashiko-model", place / "whole.zarr"
    words = ("--gaps", "--missing", "0", *QUICK)
    assert sashiko("restore", "image.npy", "-o", model, *words).code == 0
    assert "Fills gaps" in sashiko("info", model).out
    assert sashiko("predict", model, "image.npy", "-o", out).code == 0
    known = image != 0
    assert np.array_equal(restored(out)[known], image[known])
    assert (restored(out)[:, 18:20] > 20).mean() > 0.9


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("image.npy", "--gaps"), "No gaps were found"),
        (("nothing.npy",), "nothing.npy"),
        (("image.npy", "--clean", "small.npy"), "has shape"),
        (("image.npy", "--members", "0"), "members"),
        (("image.npy", "--network", "unknown"), "unknown"),
        (("image.npy", "--network", "vae", *DEEP), "depths"),
        (("flat.npy",), "one grey value"),
        (("image.npy", "--set", "loss=dice"), "loss"),
        (("image.npy", "--gaps", "--clean", "image.npy"), "without a clean image"),
    ],
)
def test_bad_input_is_one_sentence(sashiko, place, words, why):
    np.save(place / "small.npy", np.zeros((10, 40, 39), np.uint8))
    np.save(place / "flat.npy", np.full((10, 40, 40), 7, np.uint8))
    model = place / "clear.sashiko-model"
    done = sashiko("restore", *words, "-o", model, *(() if "0" in words else QUICK))
    assert done.code == 2
    assert why in done.complaint
    assert not model.exists()


def test_a_restored_image_is_nothing_to_segment(sashiko, place):
    model, out = place / "clear.sashiko-model", place / "clear.zarr"
    sashiko("restore", "image.npy", "-o", model, *QUICK)
    sashiko("predict", model, "image.npy", "-o", out)
    done = sashiko("instances", out, "-o", "objects.zarr")
    assert done.code == 2
    assert "not a prediction" in done.complaint


def test_a_model_that_restores_tells_no_classes(sashiko, place):
    """Wherever classes are wanted it is refused in one sentence."""
    model, pictures = place / "clear.sashiko-model", place / "pictures"
    sashiko("restore", "image.npy", "-o", model, *QUICK)
    pictures.mkdir()
    tifffile.imwrite(pictures / "a.tif", np.load(place / "image.npy")[0])
    for words in (
        ("apply", model, pictures, "-o", "applied", "--probabilities"),
        ("measure", model, "image.npy", "-o", "measured"),
        ("train", "image.npy", "labels.npy", "-o", "m.sashiko-model", "--from", model),
    ):
        done = sashiko(*words)
        assert done.code == 2, words
        assert done.complaint.startswith("sashiko: ")
        assert "clear" in done.complaint, words


def test_a_folder_of_pictures_is_restored_and_a_bad_one_told_of(sashiko, place):
    model, pictures = place / "clear.sashiko-model", place / "pictures"
    image = np.load(place / "image.npy")[0]
    sashiko("restore", "image.npy", "-o", model, *QUICK)
    pictures.mkdir()
    tifffile.imwrite(pictures / "a.tif", image)
    (pictures / "b.tif").write_bytes(b"nonsense")
    done = sashiko("apply", model, pictures, "-o", "applied", "--device", "cpu")
    assert done.code == 2
    assert "1 of 2 pictures have no result. The first is b.tif" in done.err
    assert tifffile.imread(place / "applied" / "a.tif").shape == image.shape


def test_a_restored_image_is_scored(sashiko, place):
    clean = np.where(np.load(place / "truth.npy") == 2, 130, 60).astype(np.uint8)
    np.save(place / "clean.npy", clean)
    model, out = place / "clear.sashiko-model", place / "clear.zarr"
    sashiko("restore", "image.npy", "-o", model, "--clean", "clean.npy", *QUICK)
    sashiko("predict", model, "image.npy", "-o", out)
    done = sashiko("evaluate", out, "clean.npy", "--json")
    assert done.code == 0, done.err
    found = restored(out)
    assert done.summary["pearson"] == pytest.approx(
        np.corrcoef(found.ravel(), clean.ravel())[0, 1], abs=1e-6
    )
    np.save(place / "bars.npy", (np.load(place / "truth.npy") == 2).astype(np.uint8))
    inside = sashiko("evaluate", out, "clean.npy", "--only", "bars.npy", "--json")
    assert inside.summary["voxels"] == np.load(place / "bars.npy").sum()
    assert inside.summary["mean_absolute_error"] == pytest.approx(
        np.abs(found - 130.0)[np.load(place / "bars.npy") == 1].mean(), rel=1e-4
    )
    np.save(place / "small.npy", np.zeros((10, 40, 39), np.uint8))
    wrong = sashiko("evaluate", out, "small.npy")
    assert wrong.code == 2
    assert "(10, 40, 39)" in wrong.complaint


def test_restored_pictures_of_a_folder_are_scored(sashiko, place):
    clean = np.where(np.load(place / "truth.npy") == 2, 130, 60).astype(np.uint8)
    np.save(place / "clean.npy", clean)
    model = place / "clear.sashiko-model"
    sashiko("restore", "image.npy", "-o", model, "--clean", "clean.npy", *QUICK)
    for folder in ("noisy", "pure"):
        (place / folder).mkdir()
    for z in range(3):
        tifffile.imwrite(place / "noisy" / f"{z}.tif", np.load(place / "image.npy")[z])
        tifffile.imwrite(place / "pure" / f"{z}.tif", clean[z])
    (place / "pure" / "2.tif").unlink()
    sashiko("apply", model, "noisy", "-o", "made", "--device", "cpu")
    done = sashiko("evaluate", "made", "pure", "--json")
    assert done.code == 0, done.err
    assert "2.tif is left out: it has no clean picture" in done.err
    assert done.summary["problems"] == {"2.tif": "it has no clean picture."}
    found = [tifffile.imread(place / "made" / f"{z}.tif") for z in range(2)]
    errors = [np.abs(found[z] - clean[z]).mean() for z in range(2)]
    (mean,) = done.summary["scores"]
    assert mean["mean_absolute_error"] == pytest.approx(np.mean(errors), rel=1e-5)
    rows = (place / "made/evaluation/scores.csv").read_text("utf-8").splitlines()
    assert [row.split(",")[0] for row in rows] == ["picture", "0", "1", "mean"]
    lines = sashiko("evaluate", "made", "pure").out.splitlines()
    assert lines[0].split() == ["pearson", "psnr", "ssim", "mae", "rmse", "pixels"]
    words = lines[1].split()
    assert words[0] == "mean"
    assert float(words[4]) == pytest.approx(np.mean(errors), rel=1e-3)
    assert int(words[-1]) == 2 * 40 * 40
    wrong = sashiko("evaluate", "made", "noisy")
    assert wrong.code == 2
    assert "pictures that were restored" in wrong.complaint
    wrong = sashiko("evaluate", "made", "pure", "--class", "1")
    assert wrong.code == 2
    assert "no classes" in wrong.complaint
