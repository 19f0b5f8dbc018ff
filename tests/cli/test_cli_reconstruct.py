"""Reconstruction on the command line: sinograms to volumes, alone and by a model."""

import numpy as np
import pytest
import tifffile
import zarr
from small_phantoms import ANGLES, make_sinograms, make_slices

from napari_sashiko.pipeline import open_reconstructed
from napari_sashiko.volumes import open_volume, pyramid

QUICK = ("--network", "dense_reconstruct", "--set", "network_settings.hidden=16")
QUICK = (*QUICK, "--members", "1", "--epochs", "1", "--device", "cpu")
LEARN = ("train-reconstruct", "sinograms.npy", "slices.npy", "-o", "m.sashiko-model")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with sinograms, their slices and their angles."""
    slices = make_slices(20)
    np.save(tmp_path / "slices.npy", slices)
    np.save(tmp_path / "sinograms.npy", make_sinograms(slices))
    angles = np.linspace(0, 180, ANGLES, endpoint=False)
    np.save(tmp_path / "angles.npy", angles)
    (tmp_path / "angles.txt").write_text("\n".join(map(str, angles)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def image(path, name):
    return np.asarray(zarr.open_array(str(path / name / "0"), mode="r"))[0]


def test_back_projection_needs_no_model(sashiko, place):
    done = sashiko("reconstruct", "sinograms.npy", "-o", "made.zarr", "--json")
    assert done.code == 0, done.err
    assert done.summary["images"] == ["fbp"]
    assert done.summary["shape"] == [20, 24, 24]
    slices = np.load(place / "slices.npy")
    found = image(place / "made.zarr", "fbp")
    assert np.sqrt(np.mean((found - slices) ** 2)) < 0.6 * slices.std()
    words = sashiko("info", "made.zarr").out
    assert "Reconstruction, 20 x 24 x 24" in words
    assert "none, filtered back-projection alone" in words
    again = sashiko("reconstruct", "sinograms.npy", "-o", "made.zarr")
    assert "2 of 2 blocks were finished" in again.err


def test_a_volume_is_scored_like_an_image(sashiko, place):
    sashiko("reconstruct", "sinograms.npy", "-o", "made.zarr")
    done = sashiko("evaluate", "made.zarr", "slices.npy", "--json")
    assert done.code == 0, done.err
    assert done.summary["pearson"] > 0.8
    assert done.summary["ssim"] > 0
    assert "reconstruction" in done.summary
    again = sashiko("evaluate", "made.zarr", "slices.npy", "--part", "fbp")
    assert "correlation" in again.out
    wrong = sashiko("evaluate", "made.zarr", "slices.npy", "--part", "mean")
    assert wrong.code == 2
    assert "Choose from: fbp" in wrong.err


def test_a_project_is_a_recipe_of_both_steps(sashiko, place):
    home = place / "a.sashiko"
    out = home / "reconstructed" / "made.zarr"
    words = ("reconstruct", "sinograms.npy", "--json")
    done = sashiko(*words, "-o", out, "--filter", "hann", "--overwrite")
    assert done.code == 0, done.err
    model = home / "reconstructors" / "m.sashiko-model"
    done = sashiko(*LEARN[:-1], model, *QUICK, "--seed", "7")
    assert done.code == 0, done.err
    again = sashiko(*words, "-o", "again.zarr", "--recipe", home)
    assert again.code == 0, again.err
    assert again.summary["settings"]["filter"] == "hann"
    assert again.summary["settings"]["overwrite"] is False  # what is there stays
    again = sashiko(*LEARN, "--recipe", home, "--epochs", "1", "--json")
    assert again.code == 0, again.err
    assert again.summary["settings"]["seed"] == 7
    assert again.summary["settings"]["network"] == "dense_reconstruct"


def test_a_large_volume_gets_coarser_levels(sashiko, place, monkeypatch):
    monkeypatch.setattr(pyramid, "MOST", 16)
    monkeypatch.setattr(pyramid, "LEAST", 8)
    done = sashiko("reconstruct", "sinograms.npy", "-o", "made.zarr")
    assert done.code == 0, done.err
    coarse = open_volume(place / "made.zarr" / "fbp", level=1)
    assert coarse.shape[1:] == (12, 12)
    assert len(open_reconstructed(place / "made.zarr").coarser["fbp"]) == 1


def write_projections(path, sinograms):
    """Projections with a level where 2 x 2 pixels of the detector are one."""
    fine = np.ascontiguousarray(sinograms.swapaxes(0, 1), np.float32)
    angles, slices, detectors = fine.shape
    squares = fine.reshape(angles, slices // 2, 2, detectors // 2, 2)
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(fine, subifds=1, metadata={"axes": "ZYX"})
        tiff.write(squares.mean((2, 4)), subfiletype=1)


def test_sinograms_are_read_at_a_level(sashiko, place):
    write_projections(place / "turned.ome.tif", np.load("sinograms.npy"))
    stack = ("turned.ome.tif", "--order", "projections", "--level", "1", "--json")
    done = sashiko("reconstruct", *stack, "-o", "made.zarr", "--angles", "angles.txt")
    assert done.code == 0, done.err
    assert done.summary["shape"] == [10, 12, 12]
    found = image(place / "made.zarr", "fbp")
    slices = np.load("slices.npy")
    coarse = slices.reshape(10, 2, 12, 2, 12, 2).mean((1, 3, 5))
    # Along a ray there are half as many voxels, with the same sum.
    assert np.corrcoef(found.ravel(), coarse.ravel())[0, 1] > 0.8
    assert found.sum() / coarse.sum() == pytest.approx(2, rel=0.1)
    np.save("coarse.npy", coarse)
    words = ("coarse.npy", "-o", "m.sashiko-model", *QUICK)
    done = sashiko("train-reconstruct", stack[0], *words, *stack[1:])
    assert done.code == 0, done.err
    words = sashiko("info", "m.sashiko-model").out
    assert "slices of 12 x 12 from sinograms of 18 angles x 12 detectors" in words
    wrong = sashiko("reconstruct", "sinograms.npy", "--level", "1", "-o", "no.zarr")
    assert (wrong.code, "has no level 1" in wrong.complaint) == (2, True)


@pytest.mark.parametrize("name", ["angles.npy", "angles.txt"])
def test_angles_come_from_a_file(sashiko, place, name):
    sashiko("reconstruct", "sinograms.npy", "-o", "even.zarr")
    done = sashiko("reconstruct", "sinograms.npy", "-o", "made.zarr", "--angles", name)
    assert done.code == 0, done.err
    assert np.array_equal(
        image(place / "made.zarr", "fbp"), image(place / "even.zarr", "fbp")
    )


def test_a_model_is_learned_and_used(sashiko, place):
    done = sashiko(*LEARN, "--json", *QUICK)
    assert done.code == 0, done.err
    assert done.summary["metrics"]["held_out_loss"] > 0
    words = sashiko("info", "m.sashiko-model").out
    assert "slices of 24 x 24 from sinograms of 18 angles x 24 detectors" in words
    words = ("--model", "m.sashiko-model", "--device", "cpu", "--json")
    done = sashiko("reconstruct", "sinograms.npy", "-o", "made.zarr", *words)
    assert done.code == 0, done.err
    assert done.summary["images"] == ["mean", "std", "fbp"]
    assert sashiko("mend", "made.zarr").code == 0
    for part in ("mean", "fbp"):
        done = sashiko("export", "made.zarr", "-o", f"{part}.tif", "--part", part)
        assert done.code == 0, done.err
        found = tifffile.imread(place / f"{part}.tif")
        assert np.array_equal(found, image(place / "made.zarr", part))


def test_other_commands_refuse_model_and_result(sashiko, place):
    sashiko(*LEARN, *QUICK)
    sashiko("reconstruct", "sinograms.npy", "-o", "made.zarr")
    for words in (
        ("predict", "m.sashiko-model", "slices.npy", "-o", "out.zarr"),
        ("predict", "m.sashiko-model", "slices.npy", "-o", "made.zarr"),
        ("export", "m.sashiko-model", "-o", "model.zip"),
        ("instances", "made.zarr", "-o", "out.zarr"),
        ("export", "made.zarr", "-o", "out.tif", "--part", "mean"),
    ):
        done = sashiko(*words)
        assert done.code == 2, words
        assert done.complaint.startswith("sashiko: ")
    assert not (place / "out.zarr").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nothing.npy",), "nothing.npy"),
        (("sinograms.npy", "--filter", "box"), "filter"),
        (("sinograms.npy", "--order", "zyx"), "order"),
        (("sinograms.npy", "--angles", "few.txt"), "3 angles"),
        (("sinograms.npy", "--angles", "slices.npy"), "have shape"),
        (("sinograms.npy", "--angles", "words.txt"), "cannot be read"),
        (("sinograms.npy", "--angles", "nothing.txt"), "cannot be read"),
        (("sinograms.npy", "--model", "nothing.sashiko-model"), "not a model"),
        (("gaps.npy",), "slice 2"),
        (("colours.npy", "--axes", "czyx"), "channels"),
    ],
)
def test_bad_input_is_one_sentence(sashiko, place, words, why):
    (place / "few.txt").write_text("0, 60, 120")
    (place / "words.txt").write_text("zero ninety")
    gaps = np.load(place / "sinograms.npy")
    gaps[2, 3] = np.nan
    np.save(place / "gaps.npy", gaps)
    np.save(place / "colours.npy", np.stack([gaps, gaps]))
    done = sashiko("reconstruct", *words, "-o", "made.zarr")
    assert done.code == 2
    assert why in done.complaint


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--network", "unet"), "conv_reconstruct"),
        (("--set", "network_settings.width=3"), "width"),
        (("--set", "network_settings.size=3"), "volume of slices decides"),
        (("--order", "projections"), "sinograms"),
        (("--angles", "slices.npy"), "have shape"),
    ],
)
def test_bad_lessons_are_one_sentence(sashiko, place, words, why):
    done = sashiko(*LEARN, *words)
    assert done.code == 2
    assert why in done.complaint
    assert not (place / "m.sashiko-model").exists()


def test_too_large_a_network_is_refused_with_the_number(sashiko, place):
    np.save(place / "sinograms.npy", np.zeros((2, 250, 256), np.float32))
    np.save(place / "slices.npy", np.zeros((2, 256, 256), np.float32))
    done = sashiko(*LEARN, "--network", "automap", "--members", "8")
    assert done.code == 2
    assert "GB of memory" in done.complaint
    assert "8,489,509,633 weights" in done.complaint
