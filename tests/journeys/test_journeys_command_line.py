"""From a sample to measured fibres on the command line, as the README says it."""

import csv
import json

import numpy as np
import pytest
import zarr

from napari_sashiko.cli import main
from napari_sashiko.samples import SAMPLES, write_sample

SHAPE = (32, 96, 96)


def _run(capsys, *words):
    capsys.readouterr()
    code = main([*map(str, words), "--json"])
    caught = capsys.readouterr()
    assert code == 0, caught.err
    return json.loads(caught.out.splitlines()[-1])


@pytest.mark.slow
def test_from_sample_to_measured_fibres(tmp_path, capsys):
    sample = SAMPLES["fibres"](shape=SHAPE)
    files = write_sample(sample, tmp_path / "sample")
    model, out = tmp_path / "fibres.sashiko-model", tmp_path / "fibres.zarr"
    found, table = tmp_path / "instances.zarr", tmp_path / "fibres.csv"
    trained = _run(
        *(capsys, "train", files["image"], files["labels"], "-o", model),
        *("--members", "1", "--epochs", "4", "--device", "cpu", "--set", "trees=20"),
    )
    assert {f"f1 {c.name}" for c in sample.classes} & set(trained["metrics"])
    _run(capsys, "predict", model, files["image"], "-o", out, "--device", "cpu")
    scores = _run(capsys, "evaluate", out, files["truth"], "--ignore", files["labels"])
    assert scores["macro_f1"] > 0.5
    assert scores["voxels"] == (sample.sparse_labels == 0).sum()
    counted = _run(
        *(capsys, "instances", out, "-o", found, "--class", "fibre"),
        *("--dust", "100um^3", "--table", table),
    )
    labels = np.asarray(zarr.open_group(str(found), mode="r")["labels/0"])
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert labels.max() == counted["count"] == len(rows) > 0
    voxel = 1.2**3
    for row in rows:
        assert float(row["volume"]) == pytest.approx(int(row["voxels"]) * voxel)
        assert float(row["volume"]) >= 100
    assert _run(capsys, "info", found)["class_name"] == "fibre"
