"""Files appear whole; what killed writers left goes; damaged files are kept."""

import errno
import json
import os
import subprocess
import sys
import time

import pytest

from napari_sashiko.volumes import (
    FolderLock,
    finish_replacing,
    keep_copy,
    new_folder_beside,
    remove_abandoned,
    set_aside,
    temporary,
    temporary_beside,
    write_file,
    written_file,
    written_whole,
)
from napari_sashiko.volumes import lock as locks
from napari_sashiko.volumes.temporary import is_abandoned, process_lives


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def dead_process():
    """Number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def left_by(path, number, host=None):
    """Where a process of this number would write `path`."""
    mark = f"{host or temporary._host()}-{number}-0123abcd"
    return path.with_name(f".{path.name}.{mark}.partial")


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_file_appears_when_it_is_whole(tmp_path, before):
    path = tmp_path / "a" / "card.json"
    if before is not None:
        write_file(path, before)
    with written_file(path) as file:
        file.write(b"half")
        file.flush()
        assert (path.read_bytes() if path.exists() else None) == before
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert names(path.parent) == ["card.json"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_write_that_fails_changes_nothing(tmp_path, error):
    path = tmp_path / "card.json"
    write_file(path, "old")

    def write_half():
        with written_file(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["card.json"]


def test_a_disk_that_cannot_keep_its_word_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "card.json"
    write_file(path, "old")

    def full(_number):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["card.json"]


def test_what_a_dead_process_left_is_removed_and_nothing_else(tmp_path):
    path, dead = tmp_path / "card.json", dead_process()
    gone = left_by(path, dead)
    gone.write_text("half")
    folder = left_by(tmp_path / "p.zarr", dead)
    (folder / "mean").mkdir(parents=True)
    (folder / "mean" / "0").write_text("x")
    mine = temporary_beside(path)
    mine.write_text("in work")
    elsewhere = left_by(path, dead, host="ffffff")
    elsewhere.write_text("in work on another machine")
    precious = tmp_path / ".notes.partial"
    precious.write_text("not ours")
    remove_abandoned(tmp_path)
    assert set(names(tmp_path)) == {mine.name, elsewhere.name, precious.name}
    yesterday = time.time() - 2 * temporary.DAY
    os.utime(elsewhere, (yesterday, yesterday))
    remove_abandoned(tmp_path)
    assert set(names(tmp_path)) == {mine.name, precious.name}


def test_only_leftovers_of_the_named_file_are_removed(tmp_path):
    dead = dead_process()
    for name in ("a.zarr", "b.zarr"):
        left_by(tmp_path / name, dead).mkdir()
    new_folder_beside(tmp_path / "a.zarr")
    left = names(tmp_path)
    assert left_by(tmp_path / "b.zarr", dead).name in left
    assert left_by(tmp_path / "a.zarr", dead).name not in left


def test_a_folder_that_is_gone_has_nothing_abandoned(tmp_path):
    remove_abandoned(tmp_path / "nowhere")
    assert not is_abandoned(left_by(tmp_path / "a", 1, host="ffffff"))


def test_processes_are_known_to_live():
    assert process_lives(os.getpid())
    assert not process_lives(dead_process())
    assert not process_lives(0)


def test_no_damaged_file_replaces_another(tmp_path):
    kept = []
    for content in ("one", "two", "three"):
        path = tmp_path / "card.json"
        path.write_text(content)
        kept.append((keep_copy if content == "two" else set_aside)(path))
    assert [path.name for path in kept] == [
        "card.json.damaged",
        "card.json.damaged-2",
        "card.json.damaged-3",
    ]
    assert [path.read_text() for path in kept] == ["one", "two", "three"]


def test_a_result_whose_process_died_while_it_was_replaced_comes_back(tmp_path):
    target = tmp_path / "p.zarr"
    (tmp_path / ".p.zarr.old").mkdir()
    (tmp_path / ".p.zarr.old" / "zarr.json").write_text("old")
    finish_replacing(target)
    assert (target / "zarr.json").read_text() == "old"
    assert names(tmp_path) == ["p.zarr"]


def test_a_result_that_was_replaced_stays(tmp_path):
    target = tmp_path / "p.zarr"
    for folder, content in ((target, "new"), (tmp_path / ".p.zarr.old", "old")):
        folder.mkdir()
        (folder / "zarr.json").write_text(content)
    with pytest.raises(KeyboardInterrupt), written_whole(target):
        raise KeyboardInterrupt
    assert (target / "zarr.json").read_text() == "new"
    assert names(tmp_path) == ["p.zarr"]


# The lock


HOLDER = """
import sys
from pathlib import Path
from napari_sashiko.volumes import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


def hold(folder):
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_lock_tells_who_holds_it_and_ends_with_its_process(tmp_path):
    with hold(tmp_path) as other:
        assert other.stdout.readline().strip() == "None"
        mine = FolderLock(tmp_path)
        holder = mine.take()
        assert holder is not None
        assert holder.pid == other.pid
        assert str(other.pid) in str(holder)
        assert not mine.held
        other.kill()
        other.wait()
        assert mine.take() is None
        assert mine.held
    mine.release()


def test_two_windows_of_one_program_exclude_each_other(tmp_path):
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert first.take() is None
    assert first.take() is None  # again is fine
    assert second.take().pid == os.getpid()
    first.release()
    assert second.take() is None
    second.release()
    assert (tmp_path / locks.LOCK).read_text() == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\0" * 50])
def test_a_lock_file_of_nonsense_blocks_nobody(tmp_path, content):
    (tmp_path / locks.LOCK).write_text(content)
    mine = FolderLock(tmp_path)
    assert mine.take() is None
    mine.release()


@pytest.mark.parametrize(
    ("alive", "host", "age", "taken"),
    [
        (True, None, 0, False),
        (False, None, 0, True),
        (False, "node7", 60, False),
        (False, "node7", 13 * 3600, True),
    ],
)
def test_where_the_disk_knows_no_locks_the_text_decides(
    tmp_path, monkeypatch, alive, host, age, taken
):
    monkeypatch.setattr(locks, "_lock", lambda _file: None)
    number = os.getppid() if alive else dead_process()
    facts = {
        "pid": number,
        "host": host or locks.socket.gethostname(),
        "since": "2024-01-01T00:00:00+00:00",
    }
    path = tmp_path / locks.LOCK
    path.write_text(json.dumps(facts))
    os.utime(path, (time.time() - age,) * 2)
    mine = FolderLock(tmp_path)
    holder = mine.take()
    assert mine.held == taken
    assert (holder is None) == taken
    mine.release()


def test_a_folder_that_cannot_be_written_needs_no_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_opened", lambda _path: None)
    assert FolderLock(tmp_path).take() is None
