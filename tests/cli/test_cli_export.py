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
