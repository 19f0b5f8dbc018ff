"""``sashiko export``: a file, a summary, and one sentence where it cannot be."""

import numpy as np
import pytest
import tifffile
import zarr


def test_a_result_becomes_a_tiff(sashiko, trained, tmp_path):
    out = tmp_path / "fibre.tif"
    done = sashiko(
        "export", trained / "forest.zarr", "-o", out, "--class", "fibre", "--json"
    )
    assert done.code == 0
    assert done.summary["file"] == str(out)
    assert done.summary["bytes"] == out.stat().st_size
    assert done.summary["what"].startswith("Probability of fibre, 10 x 40 x 40")
    mean = zarr.open_array(str(trained / "forest.zarr" / "mean" / "0"), mode="r")
    np.testing.assert_array_equal(tifffile.imread(out), np.float32(mean[1]))
    again = sashiko("export", trained / "forest.zarr", "-o", out)
    assert (again.code, "exists" in again.complaint) == (2, True)
    assert (
        sashiko("export", trained / "forest.zarr", "-o", out, "--overwrite").code == 0
    )
    assert set(np.unique(tifffile.imread(out))) == {1, 2}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.zarr", "-o", "a.tif"], "nothing at"),
        (["forest.zarr", "-o", "a.jpg"], "a.jpg"),
        (["forest.zarr", "-o", "a.tif", "--part", "half"], "half"),
        (["forest.zarr", "-o", "a.tif", "--class", "7"], "1 resin, 2 fibre"),
        (["image.npy", "-o", "a.tif"], "is not a result"),
    ],
)
def test_what_cannot_be_exported_is_said(sashiko, trained, monkeypatch, words, said):
    monkeypatch.chdir(trained)
    done = sashiko("export", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.complaint
    assert not (trained / words[2]).exists()


def test_a_level_of_a_pyramid_is_predicted_with_its_voxel_size(
    sashiko, trained, tmp_path
):
    fine = np.load(trained / "image.npy").repeat(2, axis=1).repeat(2, axis=2)
    coarse = np.load(trained / "image.npy")
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 1.0}
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        file.write(fine, subifds=1, tile=(16, 16), metadata={"axes": "ZYX"} | sizes)
        file.write(coarse, subfiletype=1, tile=(16, 16))
    model, out = trained / "forest.sashiko-model", tmp_path / "a.zarr"
    words = ("predict", model, tmp_path / "a.ome.tif", "-o", out, "--device", "cpu")
    assert sashiko(*words, "--level", "1", "--json").summary["shape"] == [10, 40, 40]
    ours, known = (
        zarr.open_array(str(path / "classes" / "0"), mode="r")[...]
        for path in (out, trained / "forest.zarr")
    )
    np.testing.assert_array_equal(ours, known)
    assert sashiko("info", out, "--json").summary["voxel_size"] == [1.0, 1.0, 1.0]
    wrong = sashiko(*words, "--level", "2", "--overwrite")
    assert (wrong.code, "no level 2" in wrong.complaint) == (2, True)
