"""Devices: what is free on one, and threads that take turns where they must."""

import importlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import torch

import napari_sashiko
from napari_sashiko.prediction import _sizes
from napari_sashiko.runners import free_memory, in_turns, release_memory, turn

MPS, CPU = torch.device("mps"), torch.device("cpu")
FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"


def test_what_torch_has_kept_of_earlier_work_is_free(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3, 24))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 20)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 5)
    assert free_memory("cuda:0") == 18


def test_memory_is_given_back_on_a_mac_too(monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: emptied.append(True))
    release_memory()
    assert emptied == [True]


def test_threads_compute_one_at_a_time_where_the_device_bears_no_more():
    together, inside = [], []

    def work():
        for _ in range(5):
            inside.append(1)
            time.sleep(0.005)
            together.append(len(inside))
            inside.pop()
            yield
        return "done"

    def drain():
        found = []

        def outer():
            found.append((yield from in_turns(work(), MPS)))

        assert len(list(outer())) == 5
        return found

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(drain) for _ in range(2)]
    assert [each.result() for each in results] == [["done"]] * 2
    assert max(together) == 1


def test_elsewhere_nobody_waits():
    with turn(CPU), ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: turn(CPU).__enter__()).result() is None


def test_a_turn_is_given_back_between_two_events_and_work_is_closed():
    closed = []

    def work():
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    going = in_turns(work(), MPS)
    assert next(going) == 1
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: turn(MPS).acquire(timeout=30)).result()
        pool.submit(lambda: turn(MPS).release()).result()
    going.close()
    assert closed == [True]


def test_maps_of_a_window_stay_below_what_metal_gives_to_a_tensor(monkeypatch):
    monkeypatch.setattr(_sizes, "choose_device", lambda name: name)
    monkeypatch.setattr(_sizes, "free_memory", lambda _: 10**12)
    assert 4 * 256 * _sizes.voxel_budget("mps") < 2**32
    assert _sizes.voxel_budget("cuda:0") > _sizes.voxel_budget("mps")


def test_on_a_mac_torch_may_fall_back_to_the_cpu(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv(FALLBACK, "0")
    importlib.reload(napari_sashiko)
    assert os.environ[FALLBACK] == "0"  # who has chosen is left alone
    monkeypatch.delenv(FALLBACK)
    importlib.reload(napari_sashiko)
    assert os.environ[FALLBACK] == "1"
