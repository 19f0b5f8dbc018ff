"""The reconstructing dock: a volume by back-projection, another by networks."""

import numpy as np
import pytest
from napari.layers import Image
from skimage.transform import radon

from napari_sashiko import pipeline
from napari_sashiko.gui.reconstruct_dock import ReconstructDock
from napari_sashiko.gui.result_layers import is_source
from napari_sashiko.samples import SAMPLES
from napari_sashiko.volumes import pyramid

SIDE, ANGLES = 24, 20
QUICK = {"epochs": 1, "minutes": None, "members": 1, "batch": 4, "device": "cpu"}
LONG = 120_000  # milliseconds


def discs():
    """Discs in a circle, and their sinograms ``(slice, angle, detector)``."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    slices = np.zeros((6, SIDE, SIDE), np.float32)
    for image in slices:
        v, u = rng.uniform(-5, 5, 2)
        image[(y - v) ** 2 + (x - u) ** 2 < rng.uniform(6, 20)] = 1
    ways = np.linspace(0, 180, ANGLES, endpoint=False)
    rays = [radon(image, ways, circle=True).T for image in slices]
    return np.stack(rays).astype(np.float32), slices


@pytest.fixture
def dock(make_napari_viewer, tmp_path, monkeypatch):
    """The dock beside sinograms and their slices, in a window."""
    monkeypatch.setenv("SASHIKO_HOME", str(tmp_path / "home"))
    viewer = make_napari_viewer()
    sinograms, slices = discs()
    viewer.add_layer(Image(sinograms, name="scan", scale=(2, 1, 0.5)))
    viewer.add_layer(Image(slices, name="known"))
    dock = ReconstructDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko reconstruct")
    dock.ensure_settings().set_values(**QUICK)
    yield dock
    dock.shutdown()


def choose(box, text):
    box.setCurrentIndex(box.findText(text))


def finish(dock, qtbot):
    def done():
        assert dock.form.state.text().startswith("Done"), dock.form.status.text()

    qtbot.waitUntil(done, timeout=LONG)


def learn(dock):
    choose(dock.form.models, "learn anew")
    choose(dock.form.slices, "known")


def made(dock, name):
    return dock.viewer.layers[f"scan - {name}"]


def likeness(layer, slices):
    found = np.asarray(layer.data)
    return np.corrcoef(found.ravel(), slices.ravel())[0, 1]


def test_back_projection_becomes_a_layer(dock, click, qtbot):
    assert "6 slices, 20 angles, 24 detectors" in dock.form.facts.text()
    click(dock, "reconstruct")
    finish(dock, qtbot)
    found = made(dock, "back-projection")
    assert found.data.shape == (6, SIDE, SIDE)
    assert likeness(found, discs()[1]) > 0.9
    # Slices are as wide as the detector.
    assert tuple(found.scale) == (2, 0.5, 0.5)
    assert found.contrast_limits[1] > found.contrast_limits[0]
    assert not dock.viewer.layers["scan"].visible
    assert "network" not in dock.form.state.text()
    assert is_source(found)


def test_what_lies_outside_the_circle_may_stay(dock, click, qtbot):
    dock.form.more.setChecked(True)
    assert set(dock.form.using.values()) == {"circle", "beside"}
    assert dock.form.settings.isHidden()  # nothing learns
    corners = []
    for circle in (True, False):
        dock.form.using.set_values(circle=circle)
        dock.form.say("")
        click(dock, "reconstruct")
        finish(dock, qtbot)
        corners.append(np.asarray(made(dock, "back-projection").data)[:, 0, 0])
    assert (corners[0] == 0).all()
    assert (corners[1] != 0).all()


def test_slices_are_compared_with_the_true_ones(dock, click, qtbot):
    assert not dock.scoring.button.isVisible()
    click(dock, "reconstruct")
    finish(dock, qtbot)
    slices = discs()[1]
    dock.viewer.add_layer(Image(slices, name="true"))
    truths = dock.scoring.truths
    truths.setCurrentIndex(truths.findText("true"))
    click(dock, "evaluate")
    qtbot.waitUntil(lambda: "PSNR" in dock.scoring.state.text(), timeout=LONG)
    path = made(dock, "back-projection").metadata["napari_sashiko"]["path"]
    errors = pipeline.evaluate_image(path, slices).errors
    assert f"PSNR {errors.psnr:.2f} dB" in dock.scoring.state.text()
    assert errors.pearson > 0.9


def test_a_large_volume_shows_at_all_levels(dock, click, qtbot, monkeypatch):
    monkeypatch.setattr(pyramid, "MOST", 16)
    monkeypatch.setattr(pyramid, "LEAST", 8)
    click(dock, "reconstruct")
    finish(dock, qtbot)
    layer = made(dock, "back-projection")
    assert [level.shape for level in layer.data] == [(6, SIDE, SIDE), (6, 12, 12)]
    fine, coarse = (np.asarray(level) for level in layer.data)
    pooled = fine.reshape(6, 12, 2, 12, 2).mean((2, 4))
    np.testing.assert_allclose(coarse, pooled, atol=1e-5)
    assert layer.contrast_limits[1] > layer.contrast_limits[0]
    dock.form.beside.click()  # needs its width


def test_networks_learn_and_lie_beside_the_back_projection(dock, click, qtbot):
    learn(dock)
    click(dock, "reconstruct")
    assert dock.form.stop_button.isEnabled()
    finish(dock, qtbot)
    assert dock.form.loss.lines
    one, other = made(dock, "back-projection"), made(dock, "network")
    assert not made(dock, "doubt").visible
    assert tuple(one.contrast_limits) == tuple(other.contrast_limits)
    assert one.translate[-1] == 0
    assert other.translate[-1] >= SIDE * 0.5
    dock.form.beside.click()
    assert other.translate[-1] == 0
    assert dock.form.models.count() == 3
    # Both are compared with the truth.
    slices, path = discs()[1], other.metadata["napari_sashiko"]["path"]
    dock.viewer.add_layer(Image(slices, name="true"))
    truths = dock.scoring.truths
    truths.setCurrentIndex(truths.findText("true"))
    click(dock, "evaluate")
    words = dock.scoring.state
    qtbot.waitUntil(lambda: words.text().count("PSNR") == 2, timeout=LONG)
    for part, name in (("mean", "network"), ("fbp", "back-projection")):
        errors = pipeline.evaluate_image(path, slices, part=part).errors
        assert f"{name}: Correlation {errors.pearson:.4f}" in words.text()


def test_what_was_learned_is_used_again(dock, click, qtbot):
    learn(dock)
    click(dock, "reconstruct")
    finish(dock, qtbot)
    dock.form.models.setCurrentIndex(2)
    choose(dock.form.filters, "hann: smooth")
    said = []
    dock.session.event.connect(lambda _kind, event: said.append(type(event).__name__))
    dock.form.say("")
    click(dock, "reconstruct")
    finish(dock, qtbot)
    assert "PredictionDone" in said
    assert "EpochDone" not in said


def test_stop_keeps_what_was_learned_and_resume_goes_on_with_it(dock, click, qtbot):
    learn(dock)
    dock.form.settings.set_values(epochs=10_000)
    click(dock, "reconstruct")
    qtbot.waitUntil(lambda: bool(dock.form.loss.lines), timeout=LONG)
    click(dock, "stop_reconstructing")
    qtbot.waitUntil(lambda: "Stopped" in dock.form.state.text(), timeout=LONG)
    qtbot.waitUntil(lambda: not dock.form.resume_button.isHidden(), timeout=LONG)
    click(dock, "resume_reconstructing")
    finish(dock, qtbot)
    assert "scan - network" in dock.viewer.layers


def test_angles_come_from_a_file(dock, click, qtbot, tmp_path):
    """Turned by a right angle: so is the volume."""
    file = tmp_path / "angles.txt"
    np.savetxt(file, 90 + np.linspace(0, 180, ANGLES, endpoint=False))
    dock.form.use_angles(file)
    click(dock, "reconstruct")
    finish(dock, qtbot)
    assert likeness(made(dock, "back-projection"), discs()[1]) < 0.9


def test_axes_in_the_order_of_the_detector_are_turned(dock, click, qtbot):
    dock.viewer.layers["scan"].data = discs()[0].swapaxes(0, 1).copy()
    choose(dock.form.orders, "angle, slice, detector")
    assert "6 slices, 20 angles, 24 detectors" in dock.form.facts.text()
    click(dock, "reconstruct")
    finish(dock, qtbot)
    assert likeness(made(dock, "back-projection"), discs()[1]) > 0.9


def test_what_cannot_be_done_is_said(dock, click):
    choose(dock.form.models, "learn anew")
    choose(dock.form.slices, "scan")
    click(dock, "reconstruct")
    assert "the sinograms themselves" in dock.form.status.text()
    assert dock.form.start_button.isEnabled()


def test_a_failure_is_a_sentence(dock, click, qtbot, tmp_path):
    file = tmp_path / "angles.txt"
    file.write_text("1 2 3")
    dock.form.use_angles(file)
    click(dock, "reconstruct")
    qtbot.waitUntil(lambda: "3 angles" in dock.form.status.text(), timeout=LONG)
    assert dock.form.start_button.isEnabled()


def test_the_sample_of_sinograms_is_reconstructed(
    make_napari_viewer, tmp_path, monkeypatch, click, qtbot
):
    monkeypatch.setenv("SASHIKO_HOME", str(tmp_path / "home"))
    sample = SAMPLES["sinograms"](shape=(2, 32, 32), angles=40)
    viewer = make_napari_viewer()
    viewer.add_layer(Image(sample.image, name="scan"))
    dock = ReconstructDock(viewer)
    viewer.window.add_dock_widget(dock, name="Sashiko reconstruct")
    try:
        click(dock, "reconstruct")
        finish(dock, qtbot)
        assert likeness(made(dock, "back-projection"), sample.arrays["phantom"]) > 0.8
    finally:
        dock.shutdown()
