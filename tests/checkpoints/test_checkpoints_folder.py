"""Laws of the model folder: whole or old, never pickled, damage said in a sentence."""

import errno
import json
import os
import pickle
import re
import threading

import numpy as np
import pytest
import torch

from napari_sashiko.checkpoints import (
    FORMAT_VERSION,
    copy_model,
    folder,
    load_card,
    load_ensemble,
    model_digest,
    save_model,
)
from napari_sashiko.errors import ModelError, OutputError
from napari_sashiko.metrics import SetCalibration

SETS = SetCalibration(strokes=12, voxels=345, coverages=(0.8, 0.95), least=(0.4, 0.0))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tiny.sashiko-model"


@pytest.fixture
def model(path, models):
    save_model(path, *models())
    return path


def files(path):
    return sorted(file.name for file in path.iterdir())


def rewrite(path, **changes):
    record = json.loads((path / "model.json").read_text())
    (path / "model.json").write_text(json.dumps(record | changes))


def test_a_model_predicts_the_same_after_a_round_trip(path, models, patch):
    card, tensors = models()
    save_model(path, card, tensors)
    first = load_ensemble(path)
    save_model(path, first.card, tensors)
    for a, b in zip(
        first.predict(patch), load_ensemble(path).predict(patch), strict=True
    ):
        assert np.array_equal(a, b)


def test_a_model_is_known_by_what_was_loaded(path, models, networks):
    card, tensors = models()
    save_model(path, card, tensors)
    ensemble = load_ensemble(path)
    before = model_digest(path)
    assert ensemble.digest == before
    # Training writes another model while this one is at work.
    save_model(path, card.model_copy(update={"temperature": 0.5}), tensors)
    assert model_digest(path) != before
    assert ensemble.digest == before


def test_a_copy_is_the_same_model_also_after_mending(path, models, tmp_path):
    save_model(path, *models())
    card = load_card(path)
    assert len(card.members) > 1
    copy = copy_model(path, tmp_path / "kept")
    assert copy.name == path.name
    assert model_digest(copy) == model_digest(path)
    assert copy_model(path, tmp_path / "kept") == copy
    # A model that lost its first member keeps the names of the others' files.
    rest = card.model_copy(update={"members": card.members[1:]})
    (path / "model.json").write_text(rest.model_dump_json())
    mended = copy_model(path, tmp_path / "kept")
    assert mended != copy
    assert model_digest(mended) == model_digest(path) != model_digest(copy)
    load_ensemble(mended)
    (path / rest.members[0].file).unlink()
    with pytest.raises(ModelError, match="cannot be used"):
        copy_model(path, tmp_path / "other")


def test_the_card_comes_back_as_it_was(path, models):
    facts = {"correction": (0.5, 2.0), "sets": SETS, "training": {"seconds": 1.5}}
    card, tensors = models(**facts)
    save_model(path, card, tensors)
    found = load_card(path)
    named = zip(card.members, found.members, strict=True)
    members = tuple(m.model_copy(update={"file": n.file}) for m, n in named)
    assert found == card.model_copy(update={"members": members})


def test_a_model_from_before_prediction_sets_has_none(model):
    record = json.loads((model / "model.json").read_text())
    del record["sets"]
    (model / "model.json").write_text(json.dumps(record))
    assert load_ensemble(model).card.sets is None


def test_prediction_sets_do_not_make_another_model(model, models):
    before = model_digest(model)
    save_model(model, *models(sets=SETS))
    assert load_card(model).sets == SETS
    assert model_digest(model) == before


def test_weights_come_back_bit_by_bit(model, networks):
    kept = load_ensemble(model).members[1].network.state_dict()
    for name, tensor in networks().state_dict().items():
        assert torch.equal(tensor, kept[name]), name


def test_no_pickle_is_written_or_read(path, models, patch, monkeypatch):
    card, tensors = models()

    def refuse(*args, **kwargs):
        raise AssertionError("pickle was used")

    for name in ("load", "loads", "dump", "dumps", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(torch, "save", refuse)
    save_model(path, card, tensors)
    load_ensemble(path).predict(patch)
    model_digest(path)


def test_only_the_card_and_its_tensors_are_in_the_folder(model, models):
    for seed in (1, 2):
        save_model(model, *models(seed))
    named = [member.file for member in load_card(model).members]
    assert files(model) == sorted([*named, "model.json"])


MISFITS = {
    "a class more": (lambda c: c["classes"].append(c["classes"][0] | {"id": 9}), "3"),
    "no classes": (lambda c: c["classes"].clear(), "classes"),
    "an id twice": (lambda c: c["classes"][0].update(id=2), "share an id"),
    "a channel more": (lambda c: c.update(channels=2), "normalisation"),
    "another neighbourhood": (
        lambda c: c["members"][1].update(neighbours=4),
        "3 channels",
    ),
    "a correction missing": (lambda c: c.update(correction=[1.0]), "1 correction"),
    "nobody has a say": (
        lambda c: [member.update(weight=0) for member in c["members"]],
        "weight",
    ),
    "voxels without size": (lambda c: c.update(voxel_size=[0, 1, 1]), "voxel_size"),
    "version in letters": (lambda c: c.update(format_version="2"), "format_version"),
    "unknown network": (
        lambda c: c["members"][1]["spec"].update(name="resnet"),
        "resnet",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_card_that_does_not_fit_its_members_is_refused(case, model):
    change, words = MISFITS[case]
    card = json.loads((model / "model.json").read_text())
    change(card)
    (model / "model.json").write_text(json.dumps(card))
    said = f"{re.escape(str(model))} is damaged.*{words}"
    with pytest.raises(ModelError, match=said):
        load_ensemble(model)


def test_a_card_of_endless_brackets_is_refused(model):
    (model / "model.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match="damaged"):
        load_card(model)


def test_weights_that_changed_on_disk_are_refused(model):
    path = model / load_card(model).members[1].file
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged.*not what was written"):
        load_ensemble(model)


def test_tensors_that_did_not_change_are_not_written_again(model, models, monkeypatch):
    written = []
    keep = folder.write_file

    def write(path, content):
        written.append(path.name)
        keep(path, content)

    monkeypatch.setattr(folder, "write_file", write)
    save_model(model, *models(share=0.25))
    assert written == ["model.json"]
    assert [member.weight for member in load_card(model).members] == [0.25, 0.75]


def test_a_member_without_tensors_keeps_its_file(model, models):
    card = load_card(model)
    save_model(model, card, [None, models(seed=5)[1][1]])
    kept, changed = load_card(model).members
    assert kept.file == card.members[0].file
    assert changed.file != card.members[1].file
    load_ensemble(model)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_save_that_fails_half_way_leaves_the_old_model(
    number, model, models, patch, monkeypatch
):
    before = load_ensemble(model).predict(patch)
    digest = model_digest(model)
    keep, count = folder.write_file, iter(range(9))

    def write(path, content):
        if next(count) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        keep(path, content)

    monkeypatch.setattr(folder, "write_file", write)
    with pytest.raises(OutputError, match=r"No space left.*Free some space"):
        save_model(model, *models(seed=7))
    for a, b in zip(before, load_ensemble(model).predict(patch), strict=True):
        assert np.array_equal(a, b)
    assert model_digest(model) == digest
    monkeypatch.setattr(folder, "write_file", keep)
    save_model(model, *models(seed=7))
    assert len(files(model)) == 3
    assert model_digest(model) != digest


def test_a_full_disk_leaves_nothing_half_written(path, models, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save_model(path, *models())
    assert files(path) == []


def test_a_file_where_the_folder_should_be_is_said(tmp_path, models):
    place = tmp_path / "taken"
    place.write_text("mine")
    with pytest.raises(OutputError, match="taken"):
        save_model(place, *models())
    assert place.read_text() == "mine"


def test_a_reader_sees_the_old_model_or_the_new_one(path, models, patch):
    versions = [models(seed) for seed in (0, 1)]
    expected = []
    for version in versions:
        save_model(path, *version)
        expected.append(load_ensemble(path).predict(patch)[0])
    stop = threading.Event()

    def write():
        while not stop.is_set():
            for version in versions:
                save_model(path, *version)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            mean, _ = load_ensemble(path).predict(patch)
            assert any(np.array_equal(mean, other) for other in expected)
            model_digest(path)
    finally:
        stop.set()
        writer.join()


# Damage


def test_a_folder_that_is_no_model_is_said(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelError, match=r"is not a model.*sashiko-model"):
            load_card(place)


def test_a_file_is_no_model(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(ModelError, match="is not a model"):
        load_ensemble(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"3", b"null", b"{}"]
)
def test_a_card_that_cannot_be_read_is_damaged(model, content):
    (model / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged: .*model\.json") as caught:
        load_card(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"members": []},
        {"classes": "two"},
        {"channels": 0},
        {"dims": 4},
        {"surprise": 1},
        {"correction": [0.0, 1.0]},
    ],
)
def test_a_card_that_makes_no_sense_names_the_place(model, changes):
    rewrite(model, **changes)
    with pytest.raises(ModelError, match=f"damaged: {next(iter(changes))}"):
        load_card(model)


def test_a_newer_model_asks_for_an_update(model):
    rewrite(model, format_version=FORMAT_VERSION + 1, members="unknown kinds")
    with pytest.raises(ModelError, match=f"format {FORMAT_VERSION + 1}.*Update"):
        load_card(model)


@pytest.mark.parametrize("member", [0, 1])
@pytest.mark.parametrize("size", [0, 4, 100, -10])
def test_truncated_tensors_are_damage(model, member, size):
    place = model / load_card(model).members[member].file
    place.write_bytes(place.read_bytes()[:size])
    with pytest.raises(ModelError, match=f"damaged: {place.name}") as caught:
        load_ensemble(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("member", [0, 1])
@pytest.mark.parametrize("read", [load_ensemble, model_digest])
def test_missing_tensors_are_damage(model, member, read):
    place = model / load_card(model).members[member].file
    place.unlink()
    with pytest.raises(ModelError, match=f"damaged: {place.name}"):
        read(model)


def test_tensors_of_another_member_are_damage(model):
    forest, network = load_card(model).members
    content = (model / forest.file).read_bytes()
    (model / forest.file).write_bytes((model / network.file).read_bytes())
    with pytest.raises(ModelError, match="damaged: member-00"):
        load_ensemble(model)
    (model / forest.file).write_bytes(content)
    (model / network.file).write_bytes(content)
    with pytest.raises(ModelError, match="damaged: member-01"):
        load_ensemble(model)


@pytest.mark.parametrize("spec", [{}, {"name": "tunet"}, {"surprise": 1}])
@pytest.mark.parametrize("member", [0, 1])
def test_a_member_that_cannot_be_rebuilt_is_damage(model, member, spec):
    if (member, spec) == (0, {}):
        spec = {"sigmas": "many"}  # a bank has defaults for everything
    record = json.loads((model / "model.json").read_text())
    record["members"][member]["spec"] = spec
    (model / "model.json").write_text(json.dumps(record))
    with pytest.raises(ModelError):
        load_ensemble(model)


# Digest


def test_the_digest_is_that_of_what_predicts(path, models):
    save_model(path, *models())
    same = model_digest(path)
    save_model(path, *models(name="other", training={"seconds": 3.0}))
    assert model_digest(path) == same


@pytest.mark.parametrize(
    "changes", [{"share": 0.25}, {"correction": (0.5, 2.0)}, {"temperature": 0.5}]
)
def test_the_digest_changes_with_what_is_said_of_members(path, models, changes):
    save_model(path, *models())
    before = model_digest(path)
    save_model(path, *models(**changes))
    assert model_digest(path) != before


@pytest.mark.parametrize("member", [0, 1])
def test_the_digest_changes_with_any_number_of_a_member(path, models, member):
    card, tensors = models()
    save_model(path, card, tensors)
    before = model_digest(path)
    name = "threshold" if member == 0 else next(iter(tensors[1]))
    changed = tensors[member][name].copy()
    changed.flat[0] += 1e-6
    tensors[member] = {**tensors[member], name: changed}
    save_model(path, card, tensors)
    assert model_digest(path) != before


def test_two_folders_with_one_model_have_one_digest(tmp_path, models):
    for name in "ab":
        save_model(tmp_path / name, *models())
    assert model_digest(tmp_path / "a") == model_digest(tmp_path / "b")
