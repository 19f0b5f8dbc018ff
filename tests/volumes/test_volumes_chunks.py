"""Laws of reading by kept chunks, of writing chunks, and of memory used again."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import (
    ChunkWriter,
    Recent,
    Scratch,
    WindowReader,
    as_volume,
    create_ome_image,
    open_volume,
    padded,
    remove_torn,
)


def numbers(shape, dtype="uint16"):
    return np.random.default_rng(0).integers(0, 999, shape).astype(dtype)


class Counting:
    """An array that counts how often it is read."""

    def __init__(self, values, chunks):
        self.values, self.chunks, self.reads = values, chunks, 0
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, key):
        self.reads += 1
        return self.values[key]


WINDOWS = [
    (slice(z, z + 50), slice(y, y + 45), slice(x, x + 40))
    for z in (0, 30)
    for y in (0, 25)
    for x in (0, 30, 60)
]


@pytest.mark.parametrize("most_bytes", [1 << 30, 600_000, 0])
def test_windows_hold_what_the_volume_holds_whatever_is_kept(most_bytes):
    values = numbers((80, 70, 100))
    reader = WindowReader(as_volume(Counting(values, (40, 32, 50))), most_bytes)
    for window in WINDOWS:
        assert np.array_equal(reader.read(window)[0], values[window])


def test_every_chunk_is_read_once_while_there_is_room():
    array = Counting(numbers((80, 70, 100)), (40, 32, 50))
    reader = WindowReader(as_volume(array))
    for window in WINDOWS:
        reader.read(window)
    assert array.reads == 2 * 3 * 2


def test_channels_and_flat_images_are_read_by_chunks_too(tmp_path):
    values = numbers((3, 200, 300), "float32")
    zarr.save_array(str(tmp_path / "a.zarr"), values)
    array = zarr.open_array(str(tmp_path / "a.zarr"), mode="r")
    volume = as_volume(array, axes="cyx")
    reader = WindowReader(volume)
    window = (slice(0, 1), slice(20, 170), slice(90, 300))
    assert np.array_equal(reader.read(window), volume.read(window))


def test_a_damaged_chunk_is_said_each_time(tmp_path):
    path = tmp_path / "a.zarr"
    array = zarr.create_array(
        str(path), shape=(80, 64, 64), chunks=(40, 64, 64), dtype="uint16"
    )
    array[...] = numbers(array.shape)
    (path / "c" / "1" / "0" / "0").write_bytes(b"not a chunk")
    reader = WindowReader(open_volume(path))
    whole = (slice(0, 40), slice(0, 64), slice(0, 64))
    assert reader.read(whole).any()
    for _ in range(2):
        with pytest.raises(VolumeError, match="damaged"):
            reader.read((slice(30, 50), *whole[1:]))


def test_threads_that_want_the_same_make_it_once():
    made, found = [], []
    recent = Recent(100, len)

    def make():
        time.sleep(0.05)
        made.append(1)
        return b"value"

    def ask():
        found.append(recent.get("key", make))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), found) == (1, [b"value"] * 5)


def test_the_oldest_is_forgotten_first():
    recent, made = Recent(20, len), []
    for key in "abacab":  # a is asked for often: b and c go
        recent.get(key, lambda key=key: made.append(key) or bytes(10))
    assert made == ["a", "b", "c", "b"]
    assert recent.bytes == 20


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
def test_chunks_are_the_bytes_that_zarr_writes(tmp_path, dtype):
    values = (numbers((2, 21, 18, 30)) / 999).astype(dtype)
    values[1, :8] = 0  # zarr leaves out what is empty
    roots = [tmp_path / name for name in ("ours", "theirs")]
    facts = {"dtype": dtype, "axes": "czyx", "voxel_size": (1, 1, 1)}
    arrays = [
        create_ome_image(
            zarr.create_group(str(root)),
            "mean",
            shape=values.shape,
            chunks=(1, 8, 10, 30),
            **facts,
        )
        for root in roots
    ]
    writer = ChunkWriter(roots[0] / "mean" / "0", arrays[0])
    room = np.full(writer.shape, 7, dtype)
    for c, z, y in np.ndindex(2, 3, 2):
        box = np.s_[c : c + 1, 8 * z : 8 * z + 8, 10 * y : 10 * y + 10]
        writer.write((c, z, y, 0), padded(values[box], room))
    arrays[1][...] = values
    ours, theirs = (
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in roots
    )
    assert ours == theirs


def test_what_was_written_and_is_now_empty_is_gone(tmp_path):
    array = create_ome_image(
        zarr.create_group(str(tmp_path)),
        "a",
        shape=(4, 4),
        chunks=(4, 4),
        dtype="uint8",
        axes="yx",
        voxel_size=(1, 1),
    )
    writer = ChunkWriter(tmp_path / "a" / "0", array)
    for value in (5, 0):
        writer.write((0, 0), np.full((4, 4), value, np.uint8))
        assert (array[...] == value).all()


def test_what_a_killed_writer_left_is_swept(tmp_path, monkeypatch):
    group = zarr.create_group(str(tmp_path / "p.zarr"))
    array = create_ome_image(
        group,
        "mean",
        shape=(4, 4),
        chunks=(4, 4),
        dtype="float32",
        axes="yx",
        voxel_size=(1.0, 1.0),
        unit="pixel",
    )
    folder = tmp_path / "p.zarr" / "mean" / "0"

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        ChunkWriter(folder, array).write((0, 0), np.ones((4, 4), np.float32))
    before = {path for path in folder.rglob("*") if path.is_file()}
    remove_torn(tmp_path)
    left = {path for path in folder.rglob("*") if path.is_file()}
    assert len(before - left) == 1
    assert {path.name for path in left} == {"zarr.json"}


def test_scratch_is_used_again_and_never_shared_between_threads():
    scratch = Scratch()
    first = scratch.array("a", (3, 4), "float32")
    again = scratch.array("a", (2, 4), "int16")
    assert np.shares_memory(first, again)
    assert not np.shares_memory(first, scratch.array("b", (3, 4), "float32"))
    others = []
    thread = threading.Thread(
        target=lambda: others.append(scratch.array("a", (3, 4), "float32"))
    )
    thread.start()
    thread.join()
    assert not np.shares_memory(first, others[0])
