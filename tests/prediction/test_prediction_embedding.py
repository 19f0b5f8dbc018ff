"""Laws of embedding: every patch at its place, few in memory, a table that is whole."""

import sys

import numpy as np
import pytest
import tifffile
import torch
from small_pictures import fenced

from napari_sashiko.checkpoints import Explorer, Exploring, MemberCard, ModelCard
from napari_sashiko.errors import OutputError, SettingsError, VolumeError
from napari_sashiko.networks import build_encoder
from napari_sashiko.prediction import (
    EmbedDone,
    EmbedSettings,
    embed,
    embedding,
    read_embedding,
)
from napari_sashiko.prediction.embedding import choose_places
from napari_sashiko.prediction.reducing import reduce_to_two
from napari_sashiko.runners import Progress
from napari_sashiko.volumes import Normalisation, as_volume

EDGE, LATENT = 12, 3
SHAPE = (3, 30, 41)


@pytest.fixture(scope="module")
def explorer():
    """An encoder that has learned nothing, which is enough to look at patches."""
    network = build_encoder(
        "autoencoder", 1, edge=EDGE, latent=LATENT, seed=0, depth=2, base_channels=4
    ).eval()
    plain = Normalisation(low=(-9.0,), high=(9.0,), center=(0.0,), scale=(1.0,))
    card = ModelCard(
        name="explorer",
        created="2020-01-01T00:00:00+00:00",
        classes=(),
        exploring=Exploring(
            edge=EDGE, latent=LATENT, distance_limit=2.0, error_limit=50.0, chance=0.05
        ),
        channels=1,
        voxel_size=(1.0, 1.0, 1.0),
        unit="pixel",
        dims=2,
        normalisation=plain,
        members=(MemberCard(kind="network", weight=1.0, spec=network.spec),),
    )
    known = torch.randn(40, LATENT, generator=torch.Generator().manual_seed(0))
    return Explorer(card, network, known)


def test_of_a_shrunk_image_places_are_those_of_the_image(explorer, tmp_path):
    small = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    wide = np.kron(small, np.ones((1, 5, 5), np.float32))
    wide = np.pad(wide, ((0, 0), (0, 2), (0, 4)))  # less than a square
    limits = explorer.exploring.model_copy(update={"shrink": 5})
    card = explorer.card.model_copy(update={"exploring": limits})
    shrinking = Explorer(card, explorer.network, explorer.known)
    tables = []
    for each, image, step in ((explorer, small, 6), (shrinking, wide, 30)):
        out = tmp_path / f"{step}.csv"
        settings = EmbedSettings.checked(step=step)
        list(embed(each, as_volume(image), out, settings))
        tables.append(read_embedding(out))
    first, second = tables
    assert second.edge == 5 * EDGE
    assert np.array_equal(second.places, first.places * [1, 5, 5])
    np.testing.assert_allclose(second.latents, first.latents, atol=1e-4)


def test_no_patch_lies_beyond_the_edge_of_a_picture(explorer, tmp_path):
    volume = fenced(((40, 48), (14, 48), (40, 13)))
    settings = EmbedSettings.checked(step=5)
    list(embed(explorer, volume, tmp_path / "table.csv", settings))
    places = read_embedding(tmp_path / "table.csv").places
    for z, y, x in places:
        height, width = volume.extent(z)
        assert y + EDGE <= height
        assert x + EDGE <= width
    assert set(places[:, 0]) == {0, 1, 2}
    assert len(np.unique(places, axis=0)) == len(places)


def make_image(shape=SHAPE):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def table_of(explorer, image, out, made=None, **settings):
    chosen = EmbedSettings.checked(device="cpu", **settings)
    events = list(embed(explorer, as_volume(image), out, chosen, made))
    return read_embedding(out), events


def test_each_row_is_what_the_model_says_of_its_patch(explorer, tmp_path):
    image = make_image()
    found, events = table_of(explorer, image, tmp_path / "t.csv")
    assert found.edge == EDGE
    assert len(found.places) == 3 * 3 * 4
    for row in (0, 7, 35):
        z, y, x = found.places[row]
        patch = image[None, None, z, y : y + EDGE, x : x + EDGE]
        seen = explorer.look(patch, np.ones(patch.shape, bool))
        np.testing.assert_allclose(found.latents[row], seen.latents[0], rtol=1e-3)
        np.testing.assert_allclose(found.errors[row], seen.errors[0], rtol=1e-3)
        np.testing.assert_allclose(found.distances[row], seen.distances[0], rtol=1e-3)
    score = np.maximum(found.distances / 2.0, found.errors / 50.0)
    np.testing.assert_allclose(found.outside, score, rtol=1e-4)
    done = events[-1]
    assert isinstance(done, EmbedDone)
    assert done.patches == 36
    assert done.outside == (score > 1).sum()


def test_the_whole_image_is_covered():
    places = choose_places(SHAPE, EDGE, EmbedSettings.checked())
    covered = np.zeros(SHAPE, bool)
    for z, y, x in places:
        covered[z, y : y + EDGE, x : x + EDGE] = True
    assert covered.all()
    assert (places + np.array([1, EDGE, EDGE]) <= SHAPE).all()


def test_of_a_large_image_so_many_patches_are_drawn_all_over_it():
    settings = EmbedSettings.checked(most=500, step=1)
    places = choose_places((2000, 1000, 1000), EDGE, settings)
    assert places.shape == (500, 3)
    assert len(np.unique(places, axis=0)) == 500
    assert np.array_equal(places, choose_places((2000, 1000, 1000), EDGE, settings))
    assert np.histogram(places[:, 0], 10, (0, 2000))[0].min() >= 45


def test_few_patches_are_in_memory_together(explorer, tmp_path, monkeypatch):
    sizes = []
    look = explorer.look

    def watch(patches, measured):
        sizes.append(len(patches))
        return look(patches, measured)

    monkeypatch.setattr(explorer, "look", watch)
    monkeypatch.setattr(embedding, "AT_ONCE", 5)
    found, events = table_of(explorer, make_image(), tmp_path / "t.csv")
    assert max(sizes) == 5
    assert sum(sizes) == len(found.places)
    assert len([e for e in events if isinstance(e, Progress)]) == len(sizes)


def test_an_image_smaller_than_a_patch_is_mirrored(explorer, tmp_path):
    found, _ = table_of(explorer, make_image((2, 5, 7)), tmp_path / "t.csv")
    assert found.places.tolist() == [[0, 0, 0], [1, 0, 0]]
    assert np.isfinite(found.latents).all()


def test_what_was_not_measured_is_no_error(explorer, tmp_path):
    image = make_image((1, EDGE, EDGE))
    image[0, 3] = np.nan
    found, _ = table_of(explorer, image, tmp_path / "t.csv")
    filled = np.nan_to_num(image)
    with torch.no_grad():
        made = explorer.network(torch.from_numpy(filled[None])).image.numpy()[0]
    expected = np.sqrt(np.nanmean((made - image) ** 2))
    assert found.errors[0] == pytest.approx(expected, rel=1e-4)


def test_patches_are_kept_as_they_are_made_again(explorer, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "AT_ONCE", 5)
    image = make_image()
    found, events = table_of(
        explorer, image, tmp_path / "t.csv", made=tmp_path / "made.tif"
    )
    made = tifffile.imread(tmp_path / "made.tif")
    assert made.shape == (len(found.places), EDGE, EDGE)
    patches = np.stack(
        [image[z, y : y + EDGE, x : x + EDGE] for z, y, x in found.places]
    )
    errors = np.sqrt(np.mean((made - patches) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(errors, found.errors, rtol=1e-3)
    expected = np.corrcoef(made.ravel(), patches.ravel())[0, 1]
    assert events[-1].correlation == pytest.approx(expected, abs=1e-5)


def test_made_patches_have_the_grey_values_of_the_image(explorer, tmp_path):
    grey = Normalisation(low=(-400.0,), high=(1400.0,), center=(500.0,), scale=(100.0,))
    card = explorer.card.model_copy(update={"normalisation": grey})
    other = Explorer(card, explorer.network, explorer.known)
    image = make_image()
    table_of(explorer, image, tmp_path / "t.csv", made=tmp_path / "plain.tif")
    table_of(other, 500 + 100 * image, tmp_path / "t.csv", made=tmp_path / "grey.tif")
    plain, found = (tifffile.imread(tmp_path / f"{n}.tif") for n in ("plain", "grey"))
    np.testing.assert_allclose(found, 500 + 100 * plain, rtol=1e-3, atol=0.01)


def test_what_was_not_measured_does_not_count_for_the_correlation(explorer, tmp_path):
    image = make_image((1, EDGE, EDGE))
    image[0, 3] = np.nan
    _, events = table_of(explorer, image, tmp_path / "t.csv", made=tmp_path / "m.tif")
    made, known = tifffile.imread(tmp_path / "m.tif"), np.isfinite(image[0])
    expected = np.corrcoef(made[known], image[0][known])[0, 1]
    assert events[-1].correlation == pytest.approx(expected, abs=1e-5)


def test_principal_components_are_the_same_for_every_image():
    rng = np.random.default_rng(0)
    known = rng.normal(size=(60, 4)).astype(np.float32) * [9, 3, 1, 0.1]
    some = rng.normal(size=(8, 4)).astype(np.float32)
    alone = reduce_to_two(some[:3], known, "pca", 0)
    np.testing.assert_allclose(reduce_to_two(some, known, "pca", 1)[:3], alone)
    points = reduce_to_two(known, known, "pca", 0)
    assert np.cov(points.T)[0, 1] == pytest.approx(0, abs=1e-2)
    assert points[:, 0].std() > points[:, 1].std() > 2


@pytest.mark.parametrize("latent", [1, 2])
def test_few_latent_numbers_still_give_two_coordinates(latent):
    known = np.random.default_rng(0).normal(size=(5, latent)).astype(np.float32)
    assert reduce_to_two(known, known, "pca", 0).shape == (5, 2)


@pytest.mark.parametrize("kind", ["one number", "on a line", "all alike"])
def test_tsne_of_latents_without_a_second_direction_gives_two_coordinates(kind):
    latents = np.random.default_rng(0).normal(size=(12, 1)).astype(np.float32)
    if kind != "one number":
        latents = np.repeat(latents, 3, axis=1)
    if kind == "all alike":
        latents[:] = 1
    points = reduce_to_two(latents, latents, "tsne", 0)
    assert points.shape == (12, 2)
    assert np.isfinite(points).all()


def test_tsne_keeps_clusters_apart():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(40, 4)).astype(np.float32)
    latents[20:] += 30
    points = reduce_to_two(latents, latents, "tsne", 0)
    assert points.shape == (40, 2)
    one, other = points[:20], points[20:]
    apart = np.linalg.norm(one.mean(0) - other.mean(0))
    assert apart > np.linalg.norm(one - one.mean(0), axis=1).max()


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
@pytest.mark.parametrize("count", [5, 40])
def test_umap_keeps_clusters_apart(count):
    pytest.importorskip("umap", reason="the extra explore is not installed")
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(count, 4)).astype(np.float32)
    half = count // 2
    latents[half:] += 30
    points = reduce_to_two(latents, latents, "umap", 0)
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    assert np.array_equal(points, reduce_to_two(latents, latents, "umap", 0))
    if count > 15:  # of fewer, all are neighbours
        apart = np.linalg.norm(points[:half].mean(0) - points[half:].mean(0))
        spread = np.linalg.norm(points[:half] - points[:half].mean(0), axis=1).max()
        assert apart > spread


def test_few_patches_are_too_few_for_tsne(explorer, tmp_path):
    with pytest.raises(SettingsError, match="2 patches are too few for tsne"):
        table_of(explorer, make_image((2, 5, 7)), tmp_path / "t.csv", method="tsne")
    assert not (tmp_path / "t.csv").exists()


def test_umap_says_what_to_install(explorer, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(SettingsError, match=r"umap-learn.*explore"):
        table_of(explorer, make_image(), tmp_path / "t.csv", method="umap")


def test_images_of_other_channels_are_refused(explorer, tmp_path):
    volume = as_volume(make_image((2, *SHAPE)), axes="czyx")
    with pytest.raises(VolumeError, match="2 channel"):
        list(embed(explorer, volume, tmp_path / "t.csv", EmbedSettings.checked()))


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "z,y,x,edge,u,v,error,distance,outside,latent_0\n1,2\n"]
)
def test_other_tables_are_refused(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OutputError, match="no table of patches"):
        read_embedding(path)
