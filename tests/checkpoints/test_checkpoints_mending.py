"""A model with a damaged member works with the others, and nothing is thrown away."""

import json

import numpy as np
import pytest

from napari_sashiko.checkpoints import (
    load_card,
    load_ensemble,
    mend_model,
    model_digest,
    save_model,
)
from napari_sashiko.errors import ModelError
from napari_sashiko.metrics import SetCalibration

SETS = SetCalibration(strokes=12, voxels=345, coverages=(0.8, 0.95), least=(0.4, 0.0))


@pytest.fixture
def model(tmp_path, models):
    save_model(tmp_path / "tiny.sashiko-model", *models(share=0.3, sets=SETS))
    return tmp_path / "tiny.sashiko-model"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def lose(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def test_a_whole_model_is_not_touched(model):
    before = contents(model)
    assert mend_model(model) == ""
    assert contents(model) == before


@pytest.mark.parametrize("harm", [cut, flip, lose, empty])
@pytest.mark.parametrize("member", [0, 1])
def test_the_members_that_are_whole_are_used(model, member, harm, patch):
    before, card = contents(model), load_card(model)
    name = card.members[member].file
    harm(model / name)
    damaged = (model / name).read_bytes() if (model / name).exists() else None
    words = mend_model(model)
    assert name in words
    assert "1 of 2 members" in words
    assert "\n" not in words
    mended = load_card(model)
    assert [m.file for m in mended.members] == [card.members[1 - member].file]
    assert [m.weight for m in mended.members] == [1.0]
    assert mended.sets is None  # were calibrated for both together
    mean, std = load_ensemble(model).predict(patch)
    assert np.isfinite(mean).all()
    assert not std.any() or mended.members[0].kind == "forest"
    after = contents(model)
    assert after["model.json.damaged"] == before["model.json"]
    if damaged is not None:
        assert after[f"{name}.damaged"] == damaged
    assert mend_model(model) == ""
    assert model_digest(model)


def test_a_model_without_a_whole_member_is_left_as_it_is(model):
    for member in load_card(model).members:
        cut(model / member.file)
    before = contents(model)
    with pytest.raises(ModelError, match="No member"):
        mend_model(model)
    assert contents(model) == before


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]"])
def test_a_damaged_card_is_said_and_left(model, content):
    (model / "model.json").write_bytes(content)
    before = contents(model)
    with pytest.raises(ModelError, match=r"damaged: .*model\.json"):
        mend_model(model)
    assert contents(model) == before


def test_saving_over_a_damaged_card_keeps_it_and_the_tensors_it_named(model, models):
    old = contents(model)
    (model / "model.json").write_bytes(b"{")
    for seed in (5, 6):  # once more: later saves must not sweep them either
        save_model(model, *models(seed))
    after = contents(model)
    assert after["model.json.damaged"] == b"{"
    for name, content in old.items():
        assert name == "model.json" or after[name] == content
    named = {member.file for member in load_card(model).members}
    tensors = {name for name in after if name.endswith(".safetensors")}
    assert tensors == named | (set(old) - {"model.json"})  # nothing of seed 5
    load_ensemble(model)


def test_damaged_tensors_are_not_taken_for_those_to_be_written(model, models, patch):
    expected = load_ensemble(model).predict(patch)[0]
    name = load_card(model).members[1].file
    cut(model / name)
    damaged = (model / name).read_bytes()
    save_model(model, *models(share=0.3, sets=SETS))
    assert np.array_equal(load_ensemble(model).predict(patch)[0], expected)
    assert (model / f"{name}.damaged").read_bytes() == damaged


def test_what_was_left_out_is_noted_in_the_card(model):
    cut(model / load_card(model).members[0].file)
    words = mend_model(model)
    record = json.loads((model / "model.json").read_text())
    assert record["training"]["mended"] in words
