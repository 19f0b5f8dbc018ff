"""A stopped measurement goes on, and gives what an uninterrupted one gives."""

import pytest
from pipeline_ensembles import is_of, measured, plain, steps

from napari_sashiko.pipeline import Message, Progress
from napari_sashiko.pipeline.one_member import OneMember


@pytest.fixture(scope="module")
def whole(three, arrays, tmp_path_factory):
    """The numbers of an uninterrupted run."""
    return measured(three, arrays[0], tmp_path_factory.mktemp("whole") / "m")[0]


def members_folder(out):
    return out.with_name(f".{out.name}.members")


def stop_at(work, stop):
    """Run until `stop` says so of an event."""
    for event in work:
        if stop(event):
            work.close()
            return
    raise AssertionError("it was over before")


@pytest.mark.parametrize("done", [100, 290, 450, 620, 660])
def test_a_stopped_run_goes_on_and_gives_the_same_numbers(
    whole, three, arrays, tmp_path, done
):
    out = tmp_path / "m"
    first = steps(three, arrays[0], out, runner="serial")
    stop_at(first, lambda e: isinstance(e, Progress) and e.done >= done)
    assert not out.exists()
    kept = len(list(members_folder(out).glob("member-*.json")))
    assert kept == done * 3 // 1000
    again, events = measured(three, arrays[0], out)
    assert plain(again) == plain(whole)
    started = [event for event in events if is_of(event, "MemberStarted")]
    assert [event.number for event in started] == list(range(kept + 1, 4))
    assert not members_folder(out).exists()


def test_a_half_finished_map_is_gone_on_with(three, arrays, tmp_path, monkeypatch):
    asked = []
    predict = OneMember.predict
    monkeypatch.setattr(
        OneMember,
        "predict",
        lambda self, *a, **k: asked.append(1) or predict(self, *a, **k),
    )
    measured(three, arrays[0], tmp_path / "whole", runner="serial")
    all_windows, asked[:] = len(asked), []
    first = steps(three, arrays[0], tmp_path / "m", runner="serial")
    stop_at(first, lambda e: isinstance(e, Progress) and e.done >= 200)
    before, asked[:] = len(asked), []
    measured(three, arrays[0], tmp_path / "m", runner="serial")
    assert 0 < before < all_windows
    # At most those that were in work when it was stopped are done again.
    assert before + len(asked) <= all_windows + 1


def test_other_settings_do_not_take_the_numbers_of_before(three, arrays, tmp_path):
    first = steps(three, arrays[0], tmp_path / "m", threshold=0.9)
    stop_at(first, lambda e: isinstance(e, Progress) and e.done >= 400)
    found, events = measured(three, arrays[0], tmp_path / "m")
    assert sum(is_of(event, "MemberStarted") for event in events) == 3
    assert found.settings["threshold"] == 0.5


def test_only_one_map_is_on_disk_at_a_time(three, arrays, tmp_path):
    seen = []
    for event in steps(three, arrays[0], tmp_path / "m"):
        maps = list(members_folder(tmp_path / "m").glob("member-*.zarr"))
        if is_of(event, "MemberStarted"):
            assert maps == []
        seen.append(len({path.name[:9] for path in maps}))
    assert max(seen) == 1
    assert not members_folder(tmp_path / "m").exists()


def test_kept_maps_are_not_predicted_again(three, arrays, tmp_path, monkeypatch):
    measured(three, arrays[0], tmp_path / "m", keep_maps=True)

    def refuse(*_, **__):
        raise AssertionError("predicted again")

    monkeypatch.setattr(OneMember, "predict", refuse)
    again, _ = measured(three, arrays[0], tmp_path / "m", keep_maps=True, dust="1e6")
    assert again.settings["dust"] == "1e6"
    assert again.members[0].removed > 0
    _, events = measured(three, arrays[0], tmp_path / "m", dust="1e6")
    assert any("Going on: 3" in e.text for e in events if isinstance(e, Message))
    assert not members_folder(tmp_path / "m").exists()


def test_overwrite_forgets_what_was_kept(three, arrays, tmp_path):
    measured(three, arrays[0], tmp_path / "m", keep_maps=True)
    _, events = measured(three, arrays[0], tmp_path / "m", overwrite=True)
    assert sum(is_of(event, "MemberStarted") for event in events) == 3


@pytest.mark.parametrize("name", ["member-02.json", "member-02.zarr/zarr.json"])
def test_what_is_damaged_is_made_again(whole, three, arrays, tmp_path, name):
    measured(three, arrays[0], tmp_path / "m", keep_maps=True)
    folder = members_folder(tmp_path / "m")
    (folder / name).write_text("{")
    (folder / "member-02.json").write_text("{")
    again, _ = measured(three, arrays[0], tmp_path / "m")
    assert plain(again) == plain(whole)
