"""Laws of exported models: they say what the model says, or it is said what not."""

import gc
import importlib
import json
import warnings

import numpy as np
import pytest
import torch
from exports_models import (
    GREY,
    explorer_of,
    forest_member,
    gap_member,
    model_of,
    network_member,
    reconstructor_member,
    sewn_member,
)

from napari_sashiko.checkpoints import (
    Ensemble,
    Reconstructing,
    Restoring,
    load_ensemble,
    load_explorer,
    load_reconstructors,
)
from napari_sashiko.errors import ModelError, OutputError, SettingsError
from napari_sashiko.exports._levelling import Levelled
from napari_sashiko.exports.onnx_model import trace_model
from napari_sashiko.labels import default_classes
from napari_sashiko.pipeline import Message, Progress, export, export_steps
from napari_sashiko.prediction._inference import Inference
from napari_sashiko.volumes import (
    LevelledVolume,
    Normalisation,
    as_volume,
    full_region,
)

RNG = np.random.default_rng(0)
AGREES = 1e-4


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """Some machines predict in bfloat16, the graph never does."""
    from napari_sashiko.checkpoints import _fastest  # noqa: PLC0415

    monkeypatch.setattr(_fastest, "has_fast_bfloat16", lambda _: False)


def image_of(*shape):
    """Grey values, some beyond what the model knows, some broken."""
    image = (RNG.random((1, *shape)) * 260 - 20).astype(np.float32)
    image.flat[[0, 5, 9]] = np.nan, np.inf, -np.inf
    return image


def run(path, image):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    mean, std = session.run(["mean", "std"], {"image": image[None]})
    return mean[0], std[0], session.get_modelmeta().custom_metadata_map


def needs_onnx():
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dims", "members"),
    [
        (3, [("tunet", 0, 0.5), ("msdnet", 0, 0.3), ("smsnet", 0, 0.2)]),
        (2, [("tunet", 1, 0.75), ("tunet3plus", 2, 0.25)]),
        (3, [("unet", 0, 0.5), ("segnet", 0, 0.25), ("pixelnet", 0, 0.25)]),
        (2, [("unet", 0, 0.5), ("segnet", 1, 0.25), ("pixelnet", 0, 0.25)]),
        (3, [("alexnet", 0, 0.5), ("alexnet", 0, 0.5)]),
        (2, [("alexnet", 0, 0.5), ("alexnet", 1, 0.5)]),
    ],
)
def test_a_graph_says_what_the_ensemble_says_at_any_size(tmp_path, dims, members):
    needs_onnx()
    made = [
        network_member(name, dims, neighbours, weight, seed)
        for seed, (name, neighbours, weight) in enumerate(members)
    ]
    model = model_of(tmp_path, *made, dims=dims)
    events = []
    done = export(model, tmp_path / "m.onnx", report=events.append)
    assert not [e.text for e in events if isinstance(e, Message)]
    assert done.what.startswith(f"{len(members)} networks as one graph")
    ensemble = load_ensemble(model)
    *_, facts = run(tmp_path / "m.onnx", image_of(4, 8, 12))
    align = json.loads(facts["multiple_of_zyx"])
    assert align == list(ensemble.align)
    assert json.loads(facts["voxel_size_zyx"]) == [2.0, 0.5, 0.5]
    assert list(json.loads(facts["classes"])) == ["1", "2", "3"]
    fewest = max(1, *(neighbours for _, neighbours, _ in members))
    for times in ((2, 3, 5), (3, 2, 2), (4, 7, 4), (fewest, 1, 10)):
        plane = [
            n * (a if a > 1 else 5) for n, a in zip(times[1:], align[1:], strict=True)
        ]
        image = image_of(times[0] * align[0], *plane)
        mean, std, _ = run(tmp_path / "m.onnx", image)
        expected = ensemble.predict(GREY.apply(image))
        np.testing.assert_allclose(mean, expected[0], atol=AGREES)
        np.testing.assert_allclose(std, expected[1], atol=AGREES)
        assert std.max() > 0.01


@pytest.mark.slow
def test_a_forest_is_left_out_in_words_and_weights_sum_to_one(tmp_path):
    needs_onnx()
    made = [
        forest_member(0.5),
        network_member(weight=0.125, seed=1),
        network_member(weight=0.375, seed=2),
    ]
    model = model_of(tmp_path, *made)
    events = []
    export(model, tmp_path / "m.onnx", report=events.append)
    (said,) = [e for e in events if isinstance(e, Message)]
    assert said.level == "warning"
    assert "Member 1, a random forest of weight 0.5, cannot be exported" in said.text
    ensemble = load_ensemble(model)
    entries = [
        entry.model_copy(update={"weight": weight})
        for entry, weight in zip(ensemble.card.members[1:], (0.25, 0.75), strict=True)
    ]
    card = ensemble.card.model_copy(update={"members": tuple(entries)})
    alone = Ensemble(card, ensemble.members[1:], ensemble.device)
    image = image_of(4, 8, 12)
    mean, std, _ = run(tmp_path / "m.onnx", image)
    expected = alone.predict(GREY.apply(image))
    np.testing.assert_allclose(mean, expected[0], atol=AGREES)
    np.testing.assert_allclose(std, expected[1], atol=AGREES)


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
def test_the_package_passes_the_tests_of_its_library(tmp_path, dims):
    needs_onnx()
    core = pytest.importorskip("bioimageio.core")
    spec = pytest.importorskip("bioimageio.spec")
    made = [network_member(dims=dims, seed=seed, weight=0.5) for seed in (0, 1)]
    model = model_of(tmp_path, *made, dims=dims)
    events = []
    done = export(
        model,
        tmp_path / "m.zip",
        report=events.append,
        authors=["Ada Lovelace"],
        license="CC-BY-4.0",
    )
    assert not [e.text for e in events if isinstance(e, Message)]
    assert "passed the tests" in done.what
    status, facts = described(core, spec, tmp_path / "m.zip")
    assert status == "passed"
    assert [each["name"] for each in facts["authors"]] == ["Ada Lovelace"]
    assert facts["license"] == "CC-BY-4.0"
    space = {axis["id"]: axis for axis in facts["inputs"][0]["axes"][2:]}
    assert [space[a]["scale"] for a in "zyx"] == [2.0, 0.5, 0.5]
    assert {axis["unit"] for axis in space.values()} == {"micrometer"}
    names = [each.name for each in default_classes(3)]
    assert facts["outputs"][0]["axes"][1]["channel_names"] == names


def described(core, spec, path):
    """What the library says of a package; files that it leaves open are closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status = core.test_model(path).status
        facts = spec.load_description(path).model_dump(mode="json")
        gc.collect()
    return status, facts


def test_a_package_that_is_refused_leaves_nothing(tmp_path):
    needs_onnx()
    pytest.importorskip("bioimageio.core")
    model = model_of(tmp_path, network_member())
    with pytest.raises(ModelError, match=r"bioimage\.io refuses the package"):
        export(model, tmp_path / "m.zip", license="no such license")
    assert not (tmp_path / "m.zip").exists()


def test_forests_alone_cannot_be_exported(tmp_path):
    needs_onnx()
    model = model_of(tmp_path, forest_member(1.0))
    with pytest.raises(
        ModelError, match="random forest only, which cannot be exported"
    ):
        export(model, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


TARGET = Normalisation(low=(0.0,), high=(9.0,), center=(500.0,), scale=(20.0,))


def restoring(**changes):
    """Facts of a model that makes grey values, of which some were not measured."""
    return {
        "classes": (),
        "correction": (),
        "temperature": 1.0,
        "normalisation": GREY.model_copy(update={"missing": 77.0}),
        "restoring": Restoring(target=TARGET, **changes),
    }


@pytest.mark.slow
def test_a_graph_restores_what_the_ensemble_restores(tmp_path):
    needs_onnx()
    made = [network_member(classes=1, seed=seed, weight=0.5) for seed in (0, 1)]
    model = model_of(tmp_path, *made, **restoring())
    events = []
    export(model, tmp_path / "m.onnx", report=events.append)
    assert not [e.text for e in events if isinstance(e, Message)]
    image = image_of(4, 8, 12)
    image[0, 1, 2, 3:6] = 77.0
    mean, std, facts = run(tmp_path / "m.onnx", image)
    assert json.loads(facts["restores"]) is True
    ensemble = load_ensemble(model)
    seen = ensemble.card.normalisation.apply(image)
    assert (seen[0, 1, 2, 3:6] == 0).all()
    expected = ensemble.predict(seen)
    np.testing.assert_allclose(mean, expected[0], atol=20 * AGREES)
    np.testing.assert_allclose(std, expected[1], atol=20 * AGREES)
    assert abs(mean.mean() - 500) < 200


@pytest.mark.slow
def test_a_package_of_restoring_networks_passes_the_tests_of_its_library(tmp_path):
    needs_onnx()
    core = pytest.importorskip("bioimageio.core")
    spec = pytest.importorskip("bioimageio.spec")
    model = model_of(tmp_path, network_member(classes=1), **restoring())
    export(model, tmp_path / "m.zip", authors=["Ada"], license="CC-BY-4.0")
    status, facts = described(core, spec, tmp_path / "m.zip")
    assert status == "passed"
    assert "image-restoration" in facts["tags"]
    assert facts["outputs"][0]["axes"][1]["channel_names"] == ["channel 1"]
    assert "Restored grey values" in facts["outputs"][0]["description"]


def levelled():
    """A model of separate pictures: its constants are those of levelled ones."""
    known = {"low": (-2.0,), "high": (2.5,), "center": (0.1,), "scale": (0.9,)}
    return {"normalisation": Normalisation(**known, levelled=True)}


def pictures():
    """Grey values of four pictures, each taken in another light."""
    light = np.array([1.0, 2.0, 5.0, 9.0], np.float32)[:, None, None]
    return (RNG.random((1, 4, 32, 40)).astype(np.float32) * 50 + 20) * light


@pytest.mark.slow
def test_the_graph_of_a_model_of_pictures_wants_them_levelled(tmp_path):
    needs_onnx()
    made = [network_member(dims=2, seed=seed, weight=0.5) for seed in (0, 1)]
    model = model_of(tmp_path, *made, dims=2, **levelled())
    events = []
    export(model, tmp_path / "m.onnx", report=events.append)
    (said,) = [e.text for e in events if isinstance(e, Message)]
    assert "clip each to its percentiles 0.5 and 99.5" in said
    image = pictures()
    ours = LevelledVolume(as_volume(image[0])).read(full_region(image.shape[1:]))
    seen = np.empty_like(image)  # by hand, as it is said
    for number, picture in enumerate(image[0]):
        clipped = picture.clip(*np.percentile(picture, (0.5, 99.5)))
        seen[0, number] = (clipped - clipped.mean()) / clipped.std()
    np.testing.assert_allclose(seen, ours, atol=1e-4)
    mean, std, facts = run(tmp_path / "m.onnx", seen)
    assert json.loads(facts["levelled"]) is True
    ensemble = load_ensemble(model)
    expected = ensemble.predict(ensemble.card.normalisation.apply(ours))
    np.testing.assert_allclose(mean, expected[0], atol=5 * AGREES)
    np.testing.assert_allclose(std, expected[1], atol=5 * AGREES)


@pytest.mark.parametrize("shape", [(3, 16, 20), (1, 5, 7)])
def test_pictures_are_levelled_in_a_graph_as_in_a_stack(shape):
    image = (RNG.random((2, *shape)) * 50 + 2e4).astype(np.float32)
    image[:, -1] *= 4
    image[0, 0, 1, 2:5] = np.nan, np.inf, -np.inf
    image[0, -1] = 7  # one value
    image[1, 0] = 5
    image[1, 0, 0, 0] = 9  # an outlier is all the contrast that there is
    ours = [
        LevelledVolume(as_volume(each, axes="zyx")).read(full_region(shape))[0]
        for each in image
    ]
    found = Levelled()(torch.from_numpy(image[None]))[0].numpy()
    np.testing.assert_allclose(found, np.stack(ours), atol=2e-3)
    nothing = torch.full((1, 1, 1, 3, 4), torch.nan)
    assert torch.isnan(Levelled()(nothing)).all()


@pytest.mark.slow
def test_a_graph_may_level_the_pictures_itself(tmp_path):
    needs_onnx()
    onnxruntime = pytest.importorskip("onnxruntime")
    made = [network_member(dims=2, seed=seed, weight=0.5) for seed in (0, 1)]
    model = model_of(tmp_path, *made, dims=2, **levelled())
    steps, said = trace_model(model, levels=True), []
    try:
        while True:
            said.append(next(steps))
    except StopIteration as end:
        traced = end.value
    assert not [each.text for each in said if isinstance(each, Message)]
    session = onnxruntime.InferenceSession(traced.content)
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["levelled"]) is False  # it takes pictures as they are
    ensemble = load_ensemble(model)
    for image in (pictures(), pictures()[:, :3, :16, :24]):
        image[0, 1, 2:4, 3] = np.nan
        ours = LevelledVolume(as_volume(image[0]))
        seen = ours.read(full_region(image.shape[1:]))
        expected = ensemble.predict(ensemble.card.normalisation.apply(seen))
        mean, std = session.run(["mean", "std"], {"image": image[None]})
        np.testing.assert_allclose(mean[0], expected[0], atol=5 * AGREES)
        np.testing.assert_allclose(std[0], expected[1], atol=5 * AGREES)


@pytest.mark.slow
def test_a_package_of_a_model_of_pictures_takes_them_as_they_are(tmp_path):
    needs_onnx()
    core = pytest.importorskip("bioimageio.core")
    spec = pytest.importorskip("bioimageio.spec")
    made = [network_member(dims=2, seed=seed, weight=0.5) for seed in (0, 1)]
    model = model_of(tmp_path, *made, dims=2, **levelled())
    events = []
    facts = {"authors": ["Ada"], "license": "CC-BY-4.0"}
    export(model, tmp_path / "m.zip", report=events.append, **facts)
    assert not [e.text for e in events if isinstance(e, Message)]
    status, facts = described(core, spec, tmp_path / "m.zip")
    assert status == "passed"
    assert "give it whole pictures" in facts["inputs"][0]["description"]


def pierced(shape, known):
    """Grey values with gaps: lines, a block as large as may be, single voxels."""
    image = (RNG.random((known.channels, *shape)) * 190 + 10).astype(np.float32)
    image[:, 0, :, 3:6] = known.normalisation.missing
    image[0, -1, 1:, 2:] = np.nan
    image[RNG.random(image.shape) < 0.05] = np.inf
    return image


@pytest.mark.slow
@pytest.mark.parametrize(("dims", "shows"), [(2, True), (3, True), (3, False)])
def test_a_graph_fills_the_gaps_that_the_model_fills(tmp_path, dims, shows):
    needs_onnx()
    make = gap_member if shows else network_member
    kind = {} if shows else {"classes": 1}
    first = 1 if dims == 2 else 0
    made = [
        make(dims=dims, neighbours=first, weight=0.7, seed=0, **kind),
        make(dims=dims, weight=0.3, seed=1, **kind),
    ]
    facts = restoring(fills_gaps=True, shows_gaps=shows)
    model = model_of(tmp_path, *made, dims=dims, **facts)
    events = []
    export(model, tmp_path / "m.onnx", report=events.append)
    assert not [e.text for e in events if isinstance(e, Message)]
    ensemble = load_ensemble(model)
    # As blocks are predicted: what was measured stays, on machines of full precision.
    for shape in ((2, 10, 6), (7, 8, 14), (4, 30, 22)):
        size = [n + n % a for n, a in zip(shape, ensemble.align, strict=True)]
        image = pierced(size, ensemble.card)
        whole = tuple(slice(0, n) for n in size)
        reader = Inference(ensemble, as_volume(image[0]), (0, 0, 0))
        expected = reader.predict(whole, whole)
        mean, std, facts = run(tmp_path / "m.onnx", image)
        assert json.loads(facts["fills_gaps"]) is True
        assert json.loads(facts["missing"]) == 77.0
        known = np.isfinite(image) & (image != 77.0)
        assert (mean[known] == image[known]).all()
        assert (std[known] == 0).all()
        assert (std[~known] > 0).any()
        np.testing.assert_allclose(mean, expected[0], atol=20 * AGREES)
        np.testing.assert_allclose(std, expected[1], atol=20 * AGREES)


@pytest.mark.slow
def test_a_package_of_networks_that_fill_gaps_passes_its_tests(tmp_path):
    needs_onnx()
    core = pytest.importorskip("bioimageio.core")
    spec = pytest.importorskip("bioimageio.spec")
    facts = restoring(fills_gaps=True, shows_gaps=True)
    model = model_of(tmp_path, gap_member(), **facts)
    export(model, tmp_path / "m.zip", authors=["Ada"], license="CC-BY-4.0")
    status, facts = described(core, spec, tmp_path / "m.zip")
    assert status == "passed"
    assert "inpainting" in facts["tags"]
    assert "gaps are not finite, or 77" in facts["inputs"][0]["description"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_a_graph_keeps_the_numbers_of_a_patch_that_the_model_keeps(tmp_path, name):
    needs_onnx()
    onnxruntime = pytest.importorskip("onnxruntime")
    model = explorer_of(tmp_path, name)
    events = []
    done = export(model, tmp_path / "m.onnx", report=events.append)
    assert not [e.text for e in events if isinstance(e, Message)]
    assert done.what == "an encoder as a graph, 5 numbers of 12 x 12 voxels"
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    facts = session.get_modelmeta().custom_metadata_map
    assert (facts["edge"], facts["latent"]) == ("12", "5")
    explorer = load_explorer(model)
    for count in (1, 4, 7):
        patches = image_of(2, count, 12, 12)[0]
        patches[0, 0, 3:6] = 77.0
        seen = explorer.card.normalisation.apply(patches).swapaxes(0, 1)
        expected = explorer.look(seen.copy(), np.ones((count, 1, 12, 12), bool))
        (latent,) = session.run(["latent"], {"image": patches.swapaxes(0, 1)})
        assert latent.std() > 0.01
        np.testing.assert_allclose(latent, expected.latents, atol=AGREES)


def test_a_package_of_a_model_that_explores_is_refused(tmp_path):
    needs_onnx()
    pytest.importorskip("bioimageio.core")
    pytest.importorskip("bioimageio.spec")
    with pytest.raises(ModelError, match="makes numbers of patches"):
        export(explorer_of(tmp_path), tmp_path / "m.zip")


def reconstructors(folder, *names):
    """A model that makes slices of 9 x 9 of sinograms of 7 angles x 10 detectors."""
    ways = tuple(range(0, 175, 25))
    made = Reconstructing(target=TARGET, angles=ways, detectors=10, size=9)
    facts = restoring() | {"restoring": None, "reconstructing": made}
    members = [
        reconstructor_member(name, (7, 10), 9, weight=1 + n, seed=n)
        for n, name in enumerate(names)
    ]
    return model_of(folder, *members, dims=2, **facts)


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [("conv_reconstruct", "dense_reconstruct", "automap"), ("conv_reconstruct",)],
)
def test_a_graph_makes_the_slices_of_sinograms_that_the_model_makes(tmp_path, names):
    needs_onnx()
    onnxruntime = pytest.importorskip("onnxruntime")
    model = reconstructors(tmp_path, *names)
    events = []
    done = export(model, tmp_path / "m.onnx", report=events.append)
    assert not [e.text for e in events if isinstance(e, Message)]
    assert "7 angles x 10 detectors to slices of 9 x 9" in done.what
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["angles"]) == list(range(0, 175, 25))
    assert (facts["detectors"], facts["size"]) == ("10", "9")
    ensemble = load_reconstructors(model)
    for count in (1, 4, 7):
        sinograms = image_of(count, 7, 10)[0]
        sinograms[0, 2, 3:6] = 77.0  # not measured
        mean, *std = session.run(None, {"image": sinograms[:, None]})
        expected = ensemble.predict(sinograms)
        np.testing.assert_allclose(mean[:, 0], expected[0], atol=20 * AGREES)
        assert mean.std() > 1
        assert len(std) == (len(names) > 1)
        for each in std:
            np.testing.assert_allclose(each[:, 0], expected[1], atol=20 * AGREES)


def test_a_package_of_a_model_that_makes_slices_of_sinograms_is_refused(tmp_path):
    needs_onnx()
    pytest.importorskip("bioimageio.core")
    pytest.importorskip("bioimageio.spec")
    model = reconstructors(tmp_path, "conv_reconstruct")
    with pytest.raises(ModelError, match="makes slices of sinograms"):
        export(model, tmp_path / "m.zip")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dims", "edge", "neighbours"),
    [
        ("autoencoder", 2, 8, 0),
        ("autoencoder", 2, 9, 1),
        ("autoencoder", 3, 8, 0),
        ("vae", 2, 8, 0),
    ],
)
def test_a_graph_sews_the_patches_that_the_model_sews(
    tmp_path, name, dims, edge, neighbours
):
    needs_onnx()
    members = [
        sewn_member(name, dims, edge, seed, 0.5, neighbours=neighbours)
        for seed in (0, 1)
    ]
    model = model_of(tmp_path, *members, dims=dims, **restoring())
    events = []
    export(model, tmp_path / "m.onnx", report=events.append)
    assert not [e.text for e in events if isinstance(e, Message)]
    ensemble = load_ensemble(model)
    half = ensemble.align[2]
    _, _, facts = run(tmp_path / "m.onnx", image_of(4 * half, 4 * half, 5 * half))
    least = json.loads(facts["least_zyx"])
    assert least[1:] == [3 * half] * 2
    for more in ((0, 0, 0), (1, 2, 4)):
        steps = zip(least, more, ensemble.align, strict=True)
        image = image_of(*(n + k * a for n, k, a in steps))
        mean, std, _ = run(tmp_path / "m.onnx", image)
        expected = ensemble.predict(ensemble.card.normalisation.apply(image))
        np.testing.assert_allclose(mean, expected[0], atol=20 * AGREES)
        np.testing.assert_allclose(std, expected[1], atol=20 * AGREES)
        assert mean.std() > 1e-2


@pytest.mark.slow
def test_a_package_of_networks_that_sew_passes_its_tests(tmp_path):
    needs_onnx()
    core = pytest.importorskip("bioimageio.core")
    spec = pytest.importorskip("bioimageio.spec")
    model = model_of(tmp_path, sewn_member(), dims=2, **restoring())
    export(model, tmp_path / "m.zip", authors=["Ada"], license="CC-BY-4.0")
    status, facts = described(core, spec, tmp_path / "m.zip")
    assert status == "passed"
    sizes = {axis["id"]: axis["size"] for axis in facts["inputs"][0]["axes"][2:]}
    assert sizes["x"]["step"] == 4


def test_closing_midway_leaves_nothing(tmp_path):
    needs_onnx()
    model = model_of(tmp_path, network_member())
    there = sorted(tmp_path.iterdir())
    steps = export_steps(model, tmp_path / "m.onnx")
    for event in steps:
        if isinstance(event, Progress) and event.done == 1:
            break
    steps.close()
    assert sorted(tmp_path.iterdir()) == there


def test_more_than_a_file_holds_is_refused(tmp_path, monkeypatch):
    needs_onnx()
    tracing = importlib.import_module("napari_sashiko.exports._tracing")
    monkeypatch.setattr(tracing, "MOST_BYTES", 1000)
    with pytest.raises(ModelError, match="an ONNX file holds"):
        export(model_of(tmp_path, network_member()), tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("m.onnx", "onnxscript", "onnx"), ("m.zip", "bioimageio.spec", "bioimageio")],
)
def test_a_missing_package_says_how_to_install_it(
    tmp_path, monkeypatch, name, package, extra
):
    model = model_of(tmp_path, network_member())
    wanted = importlib.import_module

    def missing(module, *rest):
        if module == package:
            raise ModuleNotFoundError(module)
        return (
            object() if module.startswith(("onnx", "bioim")) else wanted(module, *rest)
        )

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(OutputError, match=rf"{package}.*napari-sashiko\[{extra}\]"):
        export(model, tmp_path / name)


def test_what_a_model_cannot_become_is_said(tmp_path):
    model = model_of(tmp_path, network_member())
    with pytest.raises(OutputError, match=r"m\.tif.*\.onnx.*\.zip"):
        export(model, tmp_path / "m.tif")
    with pytest.raises(SettingsError, match="no parts"):
        export(model, tmp_path / "m.onnx", part="mean")
    (tmp_path / "m.onnx").write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists"):
        export(model, tmp_path / "m.onnx")
