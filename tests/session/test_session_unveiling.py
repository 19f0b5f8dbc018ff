"""A prediction that waits for the layers of its results."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event as Room

import pytest

from napari_sashiko.runners import Event, Tick
from napari_sashiko.session import PredictionOpened, unveiling
from napari_sashiko.session.unveiling import unveiled


@dataclass(frozen=True)
class PredictionStarted(Event):
    path: str
    cells: int
    done: int


@dataclass(frozen=True)
class CellDone(Event):
    number: int


@pytest.fixture
def closed():
    return []


@pytest.fixture
def steps(closed):
    def work():
        try:
            yield PredictionStarted("a/b.zarr", 2, 0)
            yield CellDone(1)
        finally:
            closed.append(True)

    return work()


def test_files_are_opened_before_the_first_block(steps):
    room = Room()
    room.set()
    opened, cell = unveiled(steps, lambda path: path.name, room)
    assert opened == PredictionOpened("b.zarr", 0, 2)
    assert cell == CellDone(1)


def test_no_block_is_computed_before_there_is_room(steps):
    room = Room()
    work = unveiled(steps, Path, room)
    assert isinstance(next(work), PredictionOpened)
    assert [next(work) for _ in range(5)] == [Tick()] * 5
    room.set()
    assert next(work) == CellDone(1)


def test_it_goes_on_when_nobody_makes_room(steps, monkeypatch):
    monkeypatch.setattr(unveiling, "MOST_SECONDS", 0.1)
    *ticks, cell = list(unveiled(steps, Path, Room()))[1:]
    assert set(ticks) == {Tick()}
    assert cell == CellDone(1)


def test_a_stop_while_waiting_ends_the_prediction(steps, closed):
    work = unveiled(steps, Path, Room())
    next(work)
    next(work)
    work.close()
    assert closed == [True]
