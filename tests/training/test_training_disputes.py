"""A stroke of the wrong class is noticed by members that have not seen it."""

import numpy as np
import pytest
from training_runs import make_labels, run

from napari_sashiko.checkpoints import load_card


@pytest.mark.parametrize("members", [0, 2])
def test_a_model_keeps_which_held_out_strokes_are_called_another_class(
    tmp_path, members
):
    labels = make_labels()
    wrong = np.s_[2, 16, 3:18]
    assert (labels[wrong] == 1).all()
    labels[wrong] = 2  # on the dark side
    run(tmp_path / "m", labels=labels, members=members)
    kept = load_card(tmp_path / "m").training["disputes"]
    for each in kept:
        z, y, x = each["coords"]
        assert labels[z, y, x] == each["painted"] != each["called"]
        assert 0.5 < each["probability"] <= 1
    if members == 0:  # all strokes are held out
        assert kept[0]["coords"][:2] == [2, 16]
        assert (kept[0]["painted"], kept[0]["called"]) == (2, 1)


def test_of_paint_that_is_right_nothing_is_disputed(tmp_path):
    run(tmp_path / "m", members=0)
    assert load_card(tmp_path / "m").training["disputes"] == []
