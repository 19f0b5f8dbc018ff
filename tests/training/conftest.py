"""For tests of training: a place for the model, a model that is there."""

import pytest
import torch
from training_runs import run

from napari_sashiko.training import TrainingDone, painting


@pytest.fixture
def out(tmp_path):
    return tmp_path / "m.sashiko-model"


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A model that was trained to its end, and what was said meanwhile."""
    path = tmp_path_factory.mktemp("trained") / "m.sashiko-model"
    events = run(path)
    assert isinstance(events[-1], TrainingDone)
    return path, events


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def hurry(monkeypatch):
    """Nobody waits for the hand of a test to rest."""
    monkeypatch.setattr(painting, "REST", 0.0)
    monkeypatch.setattr(painting, "LATEST", 0.0)
