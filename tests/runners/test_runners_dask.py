"""The same laws on a cluster of this machine."""

import operator

import pytest

from napari_sashiko.errors import SettingsError
from napari_sashiko.runners import run_tasks

distributed = pytest.importorskip("distributed")


def test_a_cluster_gives_the_same_answers():
    results = run_tasks(operator.neg, range(6), runner="dask", workers=1, heartbeat=0.2)
    found = dict(item for item in results if item is not None)
    assert found == {i: -i for i in range(6)}


def test_a_scheduler_that_does_not_answer_is_named():
    with pytest.raises(SettingsError, match="nowhere"):
        next(
            run_tasks(
                operator.neg, [1], runner="dask", scheduler="tcp://nowhere.invalid:1"
            )
        )
