"""The volumes in `sample_data/` are those that its script makes."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"


def test_the_script_makes_the_volumes_that_lie_beside_it(tmp_path, monkeypatch):
    script = SAMPLE_DATA / "make.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path), "--small"])
    runpy.run_path(str(script), run_name="__main__")
    for name in ("fibres-small", "filaments-small"):
        for part in ("labels", "truth"):
            there, made = (
                tifffile.imread(folder / name / f"{part}.tif")
                for folder in (SAMPLE_DATA, tmp_path)
            )
            np.testing.assert_array_equal(there, made)
        there, made = (
            tifffile.imread(folder / name / "image.tif").astype(float)
            for folder in (SAMPLE_DATA, tmp_path)
        )
        # Libraries may round otherwise; a photon more or less is no other sample.
        assert np.corrcoef(there.ravel(), made.ravel())[0, 1] == pytest.approx(
            1, abs=1e-3
        )
