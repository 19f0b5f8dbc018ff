"""Laws of places: where it hesitates over something, far apart, the same each time."""

import math
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prediction_fakes import Alone, Blur, Voters, image_of, whole

from napari_sashiko.errors import LabelError, OutputError, SettingsError, VolumeError
from napari_sashiko.labels import (
    Dispute,
    LabelledVoxels,
    labelled_voxels,
    stroke_components,
)
from napari_sashiko.metrics import doubt
from napari_sashiko.prediction import (
    Place,
    PlacesFound,
    PlacesSettings,
    PredictionSettings,
    find_places,
    places_in_prediction,
    predict,
)
from napari_sashiko.prediction._spread import block_count, choose, spread_blocks
from napari_sashiko.prediction._unsure import Rules, contrast, near_paint, scale_of
from napari_sashiko.runners import Job, Progress
from napari_sashiko.volumes import Volume, as_volume, full_region

PLAIN = Rules(ids=(1, 4), scale=(1.0, 1.0, 1.0), apart=8.0, away=3.0, count=20)
SHAPE = (24, 64, 64)
# Centres of cubes of 7 voxels about which the members contradict each other.
SPOTS = ((4, 10, 12), (5, 50, 50), (12, 30, 30), (19, 12, 50), (20, 52, 14))

places = st.builds(
    Place,
    coords=st.tuples(st.integers(0, 19), st.integers(0, 30), st.integers(0, 30)),
    score=st.floats(0, 1, exclude_min=True),
    kind=st.just("unsure"),
    classes=st.just((1, 4)),
    probability=st.just(0.5),
    std=st.just(0.3),
)


def spotted(shape=SHAPE, spots=SPOTS):
    """Dark and bright halves, and grey cubes between both; a little noise."""
    image = np.zeros(shape, np.float32)
    image[:, :, shape[2] // 2 :] = 1
    for center in spots:
        image[tuple(slice(max(c - 3, 0), c + 4) for c in center)] = 0.5
    noise = np.random.default_rng(0).normal(0, 0.02, shape)
    return image + noise.astype(np.float32)


def search(predictor, image, paint=None, disputes=(), **values):
    """All events of a search; the image is an array or a volume."""
    volume = image if isinstance(image, Volume) else as_volume(image)
    chosen = PlacesSettings(**{"seconds": None, "device": "cpu", **values})
    return list(find_places(predictor, volume, paint, chosen, disputes=disputes))


def found(*arguments, **values):
    last = search(*arguments, **values)[-1]
    assert isinstance(last, PlacesFound)
    assert last.complete
    return last


def box_distance(a, b):
    """The largest distance along any axis."""
    return max(abs(int(x) - int(y)) for x, y in zip(a, b, strict=True))


def distance(a, b, scale=(1.0, 1.0, 1.0)):
    pairs = zip(a.coords, b.coords, scale, strict=True)
    return math.sqrt(sum(((x - y) * s) ** 2 for x, y, s in pairs))


# ---- blocks ---------------------------------------------------------------------


@settings(max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 30)] * 3),
    size=st.tuples(*[st.integers(1, 12)] * 3),
    count=st.integers(1, 60),
    seed=st.integers(0, 5),
)
def test_blocks_are_distinct_and_as_many_as_asked_for(shape, size, count, seed):
    blocks = list(spread_blocks(shape, size, count, seed))
    assert len(blocks) == min(count, block_count(shape, size))
    seen = np.zeros(shape, int)
    for block in blocks:
        seen[block] += 1
    assert seen.max() == 1
    if len(blocks) == block_count(shape, size):
        assert seen.all()
    assert blocks == list(spread_blocks(shape, size, count, seed))


@pytest.mark.parametrize("seed", range(20))
def test_wherever_a_search_ends_its_blocks_lie_in_all_parts(seed):
    blocks = list(spread_blocks((160, 160, 160), (4, 4, 4), 24, seed))
    for axis in range(3):
        quarters = {block[axis].start // 40 for block in blocks}
        assert quarters == {0, 1, 2, 3}


# ---- the list -------------------------------------------------------------------


@settings(max_examples=150)
@given(
    candidates=st.lists(places, max_size=60),
    count=st.integers(1, 12),
    apart=st.sampled_from([1.0, 6.0, 25.0]),
    scale=st.sampled_from([(1.0, 1.0, 1.0), (3.0, 1.0, 1.0)]),
)
def test_chosen_places_are_ranked_apart_and_leave_out_none_without_reason(
    candidates, count, apart, scale
):
    rules = {"count": count, "apart": apart, "scale": scale, "depth": 20}
    chosen = choose(candidates, **rules)
    scores = [place.score for place in chosen]
    assert scores == sorted(scores, reverse=True)
    assert len(chosen) <= count
    gaps = [
        distance(a, b, scale) for i, a in enumerate(chosen) for b in chosen[i + 1 :]
    ]
    assert all(gap >= apart for gap in gaps)
    if len(chosen) < count:
        near = [min(distance(p, c, scale) for c in chosen) for p in candidates]
        assert all(gap < apart for gap in near)
    assert chosen == choose(candidates[::-1], **rules)


@settings(max_examples=150)
@given(candidates=st.lists(places, max_size=80), count=st.integers(1, 12))
def test_no_fifth_of_the_depth_takes_a_list_that_others_could_fill(candidates, count):
    chosen = choose(candidates, count=count, apart=4.0, scale=(1, 1, 1), depth=20)
    most = math.ceil(0.4 * count)
    taken = [sum(p.coords[0] // 4 == slab for p in chosen) for slab in range(5)]
    if max(taken) <= most:
        return
    for place in candidates:
        if taken[place.coords[0] // 4] < most:
            assert min(distance(place, c) for c in chosen) < 4.0


# ---- what makes a place ---------------------------------------------------------


def test_places_lie_where_members_contradict_each_other():
    known = found(Voters(), spotted(), count=len(SPOTS), apart=12)
    assert known.disagrees == ()
    hit = set()
    for place in known.unsure:
        gaps = [box_distance(place.coords, spot) for spot in SPOTS]
        assert min(gaps) <= 4
        hit.add(int(np.argmin(gaps)))
        assert place.kind == "unsure"
        assert set(place.classes) == {1, 4}
        assert 0.1 < place.std <= 0.5
    assert len(hit) == len(SPOTS)


def test_where_nothing_is_seen_there_is_no_place():
    assert found(Voters(), np.full(SHAPE, 0.5, np.float32)).places == ()


def test_where_members_agree_there_is_no_place():
    assert found(Voters(), spotted(spots=())).places == ()


def test_a_single_member_hesitates_where_no_class_is_probable():
    image = spotted()
    known = found(Alone(), image, count=len(SPOTS), apart=12)
    assert len(known.unsure) == len(SPOTS)
    for place in known.unsure:
        assert place.std == 0
        assert min(box_distance(place.coords, spot) for spot in SPOTS) <= 4


@settings(max_examples=30)
@given(
    mean=st.lists(st.floats(0, 1), min_size=3, max_size=3),
    std=st.lists(st.sampled_from([0.0, 0.1, 0.4]), min_size=3, max_size=3),
)
def test_doubt_is_the_deviation_unless_there_is_none(mean, std):
    mean, std = (np.array(v, np.float32)[:, None] for v in (mean, std))
    expected = std.max() if std.any() else 1 - mean.max()
    assert doubt(mean, std).item() == pytest.approx(expected)


def test_contrast_is_a_deviation_between_none_and_full():
    rng = np.random.default_rng(1)
    image = rng.normal(0, 0.15, (1, 12, 40, 40)).astype(np.float32)
    seen = contrast(image, PLAIN)
    assert 0.26 < seen.mean() < 0.31  # half the image's own deviation is full
    np.testing.assert_allclose(contrast(image + 100, PLAIN), seen, atol=1e-3)
    assert contrast(np.ones_like(image), PLAIN).max() == 0
    assert contrast(image * 100, PLAIN).max() == 1
    two = np.concatenate([np.zeros_like(image), image])
    np.testing.assert_array_equal(contrast(two, PLAIN), seen)


@settings(max_examples=40)
@given(
    coords=st.sets(st.tuples(*[st.integers(0, 11)] * 3), max_size=4),
    low=st.tuples(*[st.integers(0, 8)] * 3),
    reach=st.tuples(*[st.integers(0, 4)] * 3),
)
def test_near_paint_is_a_box_around_every_painted_voxel(coords, low, reach):
    region = tuple(slice(start, start + 4) for start in low)
    rows = np.array(sorted(coords), np.int32).reshape(-1, 3)
    paint = LabelledVoxels(rows, np.ones(len(rows), np.uint8), (12, 12, 12))
    expected = np.zeros((12, 12, 12), bool)
    for place in coords:
        low = np.maximum(np.subtract(place, reach), 0)
        box = map(slice, low, np.add(place, reach) + 1)
        expected[tuple(box)] = True
    np.testing.assert_array_equal(near_paint(region, paint, reach), expected[region])


def test_distances_count_in_voxels_of_the_finest_axis():
    assert scale_of((4.0, 2.0, 2.0), flat=False) == (2.0, 1.0, 1.0)
    assert scale_of((1.0, 50.0, 25.0), flat=True) == (1.0, 2.0, 1.0)
    assert replace(PLAIN, scale=(4.0, 1.0, 1.0), away=6.0).reach == (2, 6, 6)


def test_no_place_lies_near_to_paint():
    labels = np.zeros(SHAPE, np.uint8)
    labels[SPOTS[0]] = labels[SPOTS[2]] = 1
    paint = labelled_voxels(labels)
    known = found(Voters(), spotted(), paint, away=9, apart=12)
    assert known.reach == (9, 9, 9)
    assert known.unsure
    for place in known.unsure:
        for row in paint.coords:
            assert box_distance(place.coords, row) > 9


# ---- paint ----------------------------------------------------------------------


def graded_paint(image):
    """Strokes of two classes at random places."""
    rng = np.random.default_rng(3)
    labels = np.zeros(image.shape, np.uint8)
    for number in range(14):
        z, y, x = (int(rng.integers(n - 12)) for n in image.shape)
        labels[z, y : y + 2, x : x + 12] = (1, 4)[number % 2]
    return labelled_voxels(labels)


def test_a_stroke_is_judged_by_its_mean_probability():
    image = image_of((20, 40, 40))
    paint = graded_paint(image)
    known = found(Blur(), image, paint, count=1000)
    mean, _ = whole(Blur(), image)
    strokes, expected = stroke_components(paint), {}
    for stroke in np.unique(strokes):
        rows = strokes == stroke
        chances = mean[(slice(None), *paint.coords[rows].T)].mean(axis=1)
        painted, said = (1, 4).index(paint.values[rows][0]), int(chances.argmax())
        if said != painted and chances[said] > 0.5:
            expected[stroke] = (float(chances[said]), ((1, 4)[painted], (1, 4)[said]))
    assert 1 < len(expected) < strokes.max()
    assert known.strokes == strokes.max() + 1
    listed = {}
    for place in known.disagrees:
        row = int(np.flatnonzero((paint.coords == place.coords).all(axis=1))[0])
        listed[strokes[row]] = (pytest.approx(place.probability), place.classes)
    assert expected == listed
    scores = [place.score for place in known.disagrees]
    assert scores == sorted(scores, reverse=True)


def test_only_strokes_of_another_class_are_listed_and_the_surest_first():
    image = spotted(spots=())
    labels = np.zeros(SHAPE, np.uint8)
    labels[4, 10, 4:20] = 1  # dark: right
    labels[6, 30, 4:20] = 4  # dark: wrong
    labels[12, 10, 40:60] = 4  # bright: right
    labels[18, 40, 24:60] = 1  # mostly bright: wrong, and less surely
    labels[20, 40, 4:20] = 9  # a class that the model does not know
    known = found(Voters(), image, labelled_voxels(labels))
    assert [p.classes for p in known.disagrees] == [(4, 1), (1, 4)]
    first, second = known.disagrees
    assert first.coords[:2] == (6, 30)
    assert first.score == pytest.approx(1.0)
    assert second.coords[:2] == (18, 40)
    assert second.coords[2] >= 32  # where it is called bright
    assert 0.5 < second.score < 1
    assert known.strokes == 4
    assert len(found(Voters(), image, labelled_voxels(labels), count=1).disagrees) == 1


def test_who_has_not_seen_a_stroke_is_heard_where_surer():
    image = spotted(spots=())
    labels = np.zeros(SHAPE, np.uint8)
    labels[4, 10, 4:20] = 1  # dark: the model believes it
    labels[6, 30, 40:60] = 1  # bright: it does not
    labels[20, 40, 4:20] = 9  # a class that the model does not know
    rows = [((4, 10, 7), 1, 0.8), ((6, 30, 45), 1, 0.6), ((20, 40, 7), 9, 0.9)]
    others = [
        Dispute(coords=at, painted=painted, called=4, probability=sure)
        for at, painted, sure in rows
    ]
    known = found(Voters(), image, labelled_voxels(labels), disputes=others)
    told = [(place.coords, place.classes, place.score) for place in known.disagrees]
    assert [(at[:2], classes) for at, classes, _ in told] == [
        ((6, 30), (1, 4)),
        ((4, 10), (1, 4)),
    ]
    assert told[0][2] == pytest.approx(1.0)
    assert told[1] == ((4, 10, 7), (1, 4), 0.8)


def test_a_stroke_across_many_blocks_is_one_place():
    image = np.zeros((4, 16, 900), np.float32)
    labels = np.zeros(image.shape, np.uint8)
    labels[2, 8, 10:890] = 4
    predictor = Voters()
    known = found(predictor, image, labelled_voxels(labels))
    assert len(predictor.windows) > 4
    assert [p.score for p in known.disagrees] == [pytest.approx(1.0)]


# ---- from disk ------------------------------------------------------------------


@pytest.mark.parametrize("flat", [False, True])
def test_a_prediction_on_disk_says_what_its_model_says(tmp_path, flat):
    image = image_of((20, 40, 40)) if not flat else image_of((1, 60, 70))
    labels = np.zeros(image.shape, np.uint8)
    labels[0, 5:7, 8:30] = 1
    labels[0, 20:22, 8:30] = 4
    labels[0, 34:36, 8:30] = 1
    paint = labelled_voxels(labels)
    volume = as_volume(image[0] if flat else image)
    small = PredictionSettings(window=(12, 16, 16), border=(2, 2, 2), dtype="float32")
    for _ in predict(Blur(), volume, tmp_path / "p.zarr", small):
        pass
    settings_ = PlacesSettings(seconds=None, apart=8, count=8)
    *_, read = places_in_prediction(tmp_path / "p.zarr", volume, paint, settings_)
    *_, asked = find_places(Blur(), volume, paint, settings_)
    assert isinstance(read, PlacesFound)
    assert read.strokes == asked.strokes == 3
    assert read.unsure
    assert [p.classes for p in read.disagrees] == [p.classes for p in asked.disagrees]
    for one, other in zip(read.disagrees, asked.disagrees, strict=True):
        assert one.coords == other.coords
        assert one.score == pytest.approx(other.score, abs=1e-5)


def test_a_prediction_of_another_image_or_half_of_one_is_refused(tmp_path):
    image = image_of((10, 24, 24))
    volume = as_volume(image)
    small = PredictionSettings(window=(10, 12, 12), border=(0, 2, 2))
    steps = predict(Blur(), volume, tmp_path / "p.zarr", small)
    next(steps)
    steps.close()
    with pytest.raises(OutputError, match="blocks"):
        list(places_in_prediction(tmp_path / "p.zarr", volume))
    for _ in predict(Blur(), volume, tmp_path / "p.zarr", small):
        pass
    with pytest.raises(OutputError, match="another image"):
        list(places_in_prediction(tmp_path / "p.zarr", as_volume(image[::-1].copy())))
    with pytest.raises(OutputError, match="no prediction"):
        list(places_in_prediction(tmp_path / "none.zarr", volume))


# ---- the search -----------------------------------------------------------------


def test_a_seed_gives_the_same_list_and_another_looks_elsewhere():
    image = image_of((40, 200, 420))
    lists = [found(Blur(), image, seed=seed, blocks=4) for seed in (0, 0, 1)]
    first, again, other = (replace(each, seconds=0.0) for each in lists)
    assert first == again
    assert first.blocks == 4 < first.total
    assert first.places
    assert first != other


def test_when_all_blocks_are_looked_at_the_seed_does_not_matter():
    lists = [found(Voters(), spotted(), seed=seed, blocks=1000) for seed in (0, 7)]
    assert lists[0].blocks == lists[0].total
    assert lists[0].places == lists[1].places


class Endless:
    """An image of 32 TB that is made where it is read; keeps what was asked for."""

    shape = (20_000, 40_000, 40_000)
    dtype = np.dtype(np.uint8)

    def __init__(self):
        self.read = []

    def __getitem__(self, key):
        size = [part.stop - part.start for part in key]
        self.read.append(math.prod(size))
        return np.random.default_rng(0).integers(0, 256, size, np.uint8)


def test_what_is_read_does_not_grow_with_the_volume():
    array, predictor = Endless(), Blur(radius=4)
    volume = Volume(array, axes="zyx")
    rows = np.array([[10, 10, 10 + i] for i in range(40)], np.int32)
    paint = LabelledVoxels(rows, np.ones(40, np.uint8), array.shape)
    known = found(predictor, volume, paint, blocks=3)
    assert known.blocks == 3
    assert max(math.prod(size) for size in predictor.windows) < 1 << 20
    assert max(array.read) < 1 << 20
    assert sum(array.read) < 1 << 23


def test_of_much_paint_some_blocks_are_drawn():
    image = np.zeros((4, 16, 3000), np.float32)
    labels = np.ones(image.shape, np.uint8)
    predictor = Voters()
    known = found(predictor, image, labelled_voxels(labels), blocks=3)
    assert len(predictor.windows) == 3 + 3
    assert known.blocks == 3


def test_when_time_is_up_the_search_ends_with_what_it_has():
    image = spotted((40, 200, 420))
    known = found(Voters(), image, seconds=1e-6)
    assert known.blocks == 1 < known.total


def test_lists_on_the_way_are_told_as_not_complete(monkeypatch):
    monkeypatch.setattr("napari_sashiko.prediction.places.SECONDS_BETWEEN", -1.0)
    events = search(Voters(), spotted((40, 200, 420)), blocks=5)
    lists = [event for event in events if isinstance(event, PlacesFound)]
    assert [each.complete for each in lists] == [False] * (len(lists) - 1) + [True]
    assert len(lists) > 2
    assert [each.blocks for each in lists] == sorted(each.blocks for each in lists)


def test_progress_ends_where_it_said_it_would():
    labels = np.zeros(SHAPE, np.uint8)
    labels[4, 10, 4:20] = 1
    events = search(Voters(), spotted(), labelled_voxels(labels))
    done = [(e.done, e.total) for e in events if isinstance(e, Progress)]
    assert [d for d, _ in done] == list(range(1, done[-1][1] + 1))
    assert len({total for _, total in done}) == 1


def test_stopping_ends_the_thread_that_looks():
    predictor = Voters(thresholds=tuple(np.linspace(0.1, 0.9, 400)), seconds=0.02)
    volume = as_volume(spotted())
    job = Job(find_places(predictor, volume), name="places")
    job.start()
    deadline = time.monotonic() + 30
    while not predictor.windows and time.monotonic() < deadline:
        time.sleep(0.01)
    job.cancel()
    # No thread is left, see conftest.
    assert job.wait(30)
    assert job.status.state == "cancelled"
    assert len(predictor.windows) == 1


def test_a_flat_image_has_places_too():
    image = spotted((1, 80, 90), spots=((0, 20, 20), (0, 60, 30)))[0]
    known = found(Voters(), image, apart=12, count=2)
    assert len(known.unsure) == 2
    assert {p.coords[0] for p in known.unsure} == {0}


# ---- what is refused ------------------------------------------------------------


def test_paint_of_another_image_is_refused():
    paint = labelled_voxels(np.ones((3, 4, 5), np.uint8))
    with pytest.raises(LabelError, match=r"\(3, 4, 5\).*\(24, 64, 64\)"):
        search(Voters(), spotted(), paint)


def test_an_image_of_other_channels_is_refused():
    image = as_volume(np.zeros((2, 4, 16, 16), np.float32), axes="czyx")
    with pytest.raises(VolumeError, match="2 channel"):
        search(Voters(), image)


def test_a_problem_in_the_thread_reaches_the_caller():
    broken = SimpleNamespace(
        card=Voters().card, halo=(0, 0, 0), align=(1, 1, 1), predict=lambda *_, **__: 0
    )
    with pytest.raises(TypeError):
        search(broken, spotted())


@pytest.mark.parametrize("wrong", [{"count": 0}, {"apart": 0}, {"colour": 1}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(SettingsError):
        PlacesSettings.checked(**wrong)


def test_no_paint_is_the_same_as_empty_paint():
    empty = LabelledVoxels(np.zeros((0, 3), np.int32), np.zeros(0, np.uint8), SHAPE)
    lists = [found(Voters(), spotted(), paint) for paint in (None, empty)]
    assert lists[0].places == lists[1].places
    assert full_region(SHAPE) == full_region(empty.shape)
