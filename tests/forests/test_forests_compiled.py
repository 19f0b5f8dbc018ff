"""Compiled loops, tensors and plain references say the same."""

import subprocess
import sys
from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from napari_sashiko.forests import FilterBank, Forest, _hands, _native, _region
from napari_sashiko.forests._walk import Paths
from napari_sashiko.forests.trees import to_arrays

SOLID = FilterBank(slants=True)
FLAT = FilterBank(dims=2, slants=True)
THICK = FilterBank(spacing=(2.5, 1.0, 1.0))
BANKS = pytest.mark.parametrize("bank", [SOLID, FLAT, THICK], ids=["3d", "2d", "thick"])
SHAPES = pytest.mark.parametrize("shape", [(24, 37, 41), (1, 50, 9), (2, 3, 1)])

native = pytest.mark.skipif(not _native.AVAILABLE, reason="numba is not installed")


def noise(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape).astype(np.float32)


def reference(bank, image):
    """The features in float64, with scipy's Gaussians and LAPACK's eigenvalues."""
    image = image.astype(np.float64)

    def smooth(values, sigma):
        for axis in bank.axes:
            reach = bank.reach(sigma, axis)
            if reach:
                width = sigma / bank.spacing[axis]
                values = gaussian_filter1d(values, width, axis, radius=reach)
        return values

    def slope(values, axis):
        if values.shape[axis] < 2:
            return np.zeros_like(values)
        return np.gradient(values, axis=axis) / bank.spacing[axis]

    features = [image]
    for sigma in bank.sigmas:
        mean = smooth(image, sigma)
        variance = smooth(image**2, sigma) - mean**2
        slopes = {a: slope(mean, a) * sigma for a in bank.axes}
        hessian = np.empty((*image.shape, len(bank.axes), len(bank.axes)))
        for i, j in combinations_with_replacement(range(len(bank.axes)), 2):
            second = slope(slopes[bank.axes[i]], bank.axes[j]) * sigma
            hessian[..., i, j] = hessian[..., j, i] = second
        values = np.linalg.eigvalsh(hessian)
        features += [
            mean,
            np.sqrt(np.maximum(variance, 0)),
            np.sqrt(sum(s**2 for s in slopes.values())),
            np.trace(hessian, axis1=-2, axis2=-1),
            *np.moveaxis(values[..., ::-1], -1, 0),
        ]
    smoothed = smooth(image, 1.0)
    for axis in bank.axes:
        energy = slope(smoothed, axis) ** 2
        features += [np.sqrt(smooth(energy, sigma)) for sigma in bank.textures]
    if bank.slants:
        product = slope(smoothed, 1) * slope(smoothed, 2)
        scales = len(bank.textures)
        lengths = zip(features[-2 * scales : -scales], features[-scales:], strict=True)
        features += [
            smooth(product, sigma) / np.maximum(down * across, 1e-8)
            for sigma, (down, across) in zip(bank.textures, list(lengths), strict=True)
        ]
    return np.stack(features)


@pytest.fixture(params=["tensors", pytest.param("rows", marks=native)])
def hand(request, monkeypatch):
    chosen = {"tensors": _hands.Tensors, "rows": _hands.Rows}[request.param]
    monkeypatch.setattr(_region, "hand_for", lambda image: chosen())
    return chosen


@BANKS
@SHAPES
def test_features_are_those_of_scipy_and_lapack(hand, bank, shape):
    image = noise(*shape) + 0.5
    whole = tuple((0, size) for size in shape)
    found = bank.features(torch.from_numpy(image)[None], whole).numpy()
    expected = reference(bank, image)
    scale = np.abs(expected).max()
    # float32 keeps seven digits; squares, and equal eigenvalues, keep half of them.
    assert np.abs(found - expected).max() < 2e-3 * scale
    assert np.abs(found - expected).mean() < 1e-5 * scale


@native
@BANKS
def test_compiled_features_are_those_of_tensors(bank, monkeypatch):
    patch = torch.from_numpy(noise(2, 30, 40, 52))
    core = ((3, 30), (0, 33), (11, 50))
    fast = bank.features(patch, core)
    monkeypatch.setattr(_region, "hand_for", lambda image: _hands.Tensors())
    slow = bank.features(patch, core)
    scale = slow.abs().amax((1, 2, 3), keepdim=True)
    assert ((fast - slow).abs() / scale).mean() < 1e-6
    assert ((fast - slow).abs() / scale).max() < 2e-3


def test_pieces_do_not_show(hand, monkeypatch):
    patch = torch.from_numpy(noise(1, 20, 26, 30))
    core = ((2, 20), (0, 26), (4, 25))
    at_once = SOLID.features(patch, core)
    monkeypatch.setattr(_region, "PIECE", 900)
    torch.testing.assert_close(
        SOLID.features(patch, core), at_once, atol=1e-3, rtol=1e-4
    )


@pytest.mark.parametrize("core", [((0, 1), (0, 9), (2, 7)), ((3, 90), (1, 2), (0, 1))])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_pieces_cover_the_core_once(core, threads, monkeypatch):
    monkeypatch.setattr(_region, "PIECE", 10)
    seen = np.zeros((100, 10, 10), int)
    for piece in _region._cut(core, threads):
        seen[tuple(slice(*span) for span in piece)] += 1
    expected = np.zeros_like(seen)
    expected[tuple(slice(*span) for span in core)] = 1
    assert np.array_equal(seen, expected)


@native
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("classes", [2, 5])
def test_compiled_votes_are_those_of_scikit_learn(kind, classes):
    x, asked = noise(500, 7), noise(9_000, 7, seed=1)
    y = np.digitize(x[:, 0] + x[:, 1], np.linspace(-1, 1, classes - 1))
    teacher = kind(11, random_state=0).fit(x, y)
    # Half of the questions lie where the trees split.
    thresholds = np.concatenate([t.tree_.threshold for t in teacher.estimators_])
    asked[::2] = np.resize(thresholds, asked[::2].shape)
    paths = Paths.of(to_arrays([member.tree_ for member in teacher.estimators_]))
    sums = paths.votes(np.ascontiguousarray(asked.T), groups=3)
    found = sums.sum(0).T / 11
    np.testing.assert_allclose(found, teacher.predict_proba(asked), atol=1e-6)
    # The third group has trees 2, 5 and 8.
    third = [member.predict_proba(asked) for member in teacher.estimators_[2::3]]
    np.testing.assert_allclose(sums[2].T, np.sum(third, axis=0), atol=1e-5)


@native
def test_a_tree_that_is_a_leaf_answers_all_alike():
    x = noise(20, 3)
    teacher = RandomForestClassifier(4, max_leaf_nodes=2, random_state=0)
    teacher.fit(x, (x[:, 0] > 5).astype(int))
    paths = Paths.of(to_arrays([member.tree_ for member in teacher.estimators_]))
    found = paths.votes(x.T.copy())
    assert np.array_equal(found, np.full((1, 1, 20), 4, np.float32))


WITHOUT = """
import sys
sys.modules["numba"] = None
import importlib.util as u
find = u.find_spec
u.find_spec = lambda name, *rest: None if name == "numba" else find(name, *rest)
import numpy as np, torch
from napari_sashiko.forests import FilterBank, Forest, _native
assert not _native.AVAILABLE
with np.load(sys.argv[1]) as file:
    arrays = dict(file)
patch = torch.from_numpy(arrays.pop("patch"))
forest = Forest.from_arrays(FilterBank(slants=True), arrays)
core = tuple((0, n) for n in patch.shape[1:])
np.save(sys.argv[2], forest.probabilities(patch, core).numpy())
"""


@native
def test_without_numba_the_same_model_says_the_same(tmp_path):
    patch = torch.from_numpy(noise(1, 12, 20, 24))
    core = tuple((0, n) for n in patch.shape[1:])
    rows = SOLID.features(patch, core).flatten(1).T.numpy()
    forest = Forest.fit(SOLID, rows, (rows[:, 1] > 0).astype(np.intp), trees=6)
    model, answer = tmp_path / "model.npz", tmp_path / "answer.npy"
    np.savez(model, patch=patch.numpy(), **forest.arrays())
    command = [sys.executable, "-c", WITHOUT, str(model), str(answer)]
    subprocess.run(command, check=True, timeout=200)
    difference = np.abs(np.load(answer) - forest.probabilities(patch, core).numpy())
    # A threshold may fall between two roundings of one feature, rarely.
    assert (difference > 1e-5).mean() < 0.01
