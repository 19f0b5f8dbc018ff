"""Networks that do not fit into memory are refused, with the number."""

import pytest
from training_runs import make_image, run

from napari_sashiko.errors import DeviceError
from napari_sashiko.training import RestoreSettings, train_restoring
from napari_sashiko.volumes import as_volume

UNET = {"depth": 2, "base_channels": 4, "norm": "none"}
# 1 -> 4 -> 4, 4 -> 8 -> 8, up 8 -> 4, 8 -> 4 -> 4, and the last layer.
WEIGHTS = (10 + 37) * 4 + (37 + 73) * 8 + (8 * 4 + 1) * 4 + (73 + 37) * 4


def test_members_of_a_segmentation_are_counted(out, monkeypatch):
    weights = WEIGHTS + 5 * 2
    chosen = {"network": "unet", "network_settings": UNET, "members": 2}
    enough = 48 * weights
    monkeypatch.setattr(
        "napari_sashiko.runners.devices.free_memory", lambda _: enough - 1
    )
    words = rf"2 x unet, {weights:,} weights each, takes .* GB of memory.*fewer members"
    with pytest.raises(DeviceError, match=words):
        run(out, **chosen)
    monkeypatch.setattr("napari_sashiko.runners.devices.free_memory", lambda _: enough)
    run(out, **chosen)


def test_so_are_those_that_restore(out, monkeypatch):
    monkeypatch.setattr("napari_sashiko.runners.devices.free_memory", lambda _: 9)
    settings = RestoreSettings(
        network="unet", network_settings=UNET, members=1, epochs=1, device="cpu"
    )
    with pytest.raises(DeviceError, match=r"1 x unet, .* on cpu"):
        list(train_restoring(as_volume(make_image()), settings, out))
