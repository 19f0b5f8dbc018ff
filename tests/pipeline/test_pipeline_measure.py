"""Error bars are the weighted spread of what each member says alone."""

import csv
import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import zarr
from pipeline_ensembles import (
    CUT,
    VOXEL,
    WHOLE,
    by_hand,
    measured,
    plain,
    put_together,
    volume_of,
    weighted,
)

import napari_sashiko as ns
from napari_sashiko.checkpoints import load_ensemble, model_digest
from napari_sashiko.errors import (
    ModelError,
    OutputError,
    SettingsError,
    VolumeError,
)
from napari_sashiko.measurements import with_error
from napari_sashiko.pipeline import (
    Evidence,
    InstanceSettings,
    Message,
    PlotSettings,
    Progress,
    figure_data,
    find_sources,
    measurements_like,
    read_measurements,
    read_recipe,
)
from napari_sashiko.pipeline.one_member import OneMember

WEIGHTS = (0.3, 0.2, 0.5)


@pytest.fixture(scope="module")
def three_measured(three, arrays, tmp_path_factory):
    """Numbers, events and folder of the three members, whose maps are kept."""
    out = tmp_path_factory.mktemp("measured") / "m"
    return *measured(three, arrays[0], out, keep_maps=True), out


def test_a_measurement_is_found_for_the_objects_that_it_is_of(three, arrays, tmp_path):
    project = tmp_path / "p.sashiko"
    prediction = project / "predictions" / "p.zarr"
    ns.predict(three, volume_of(arrays[0]), prediction, **WHOLE)
    found, _ = measured(three, arrays[0], project / "measurements" / "p fibre")
    asked = {"label_class": "fibre", "dust": "5"}
    like = partial(measurements_like, project, prediction)
    assert like(InstanceSettings(**asked)) == found
    assert like(InstanceSettings(**asked, minus_std=2)) == found
    assert like(InstanceSettings(**asked | {"label_class": 2})) == found
    assert like(InstanceSettings(**asked | {"dust": "6"})) is None
    assert like(InstanceSettings(**asked, threshold=0.6)) is None
    assert like(InstanceSettings(**asked | {"label_class": 1})) is None
    # The figure of these objects takes its error bars from there.
    objects = project / "instances" / "p.zarr"
    ns.segment_instances(
        prediction, objects, table=objects.with_suffix(".csv"), **asked
    )
    sources = find_sources(prediction, instances=objects)
    assert sources.measurements == project / "measurements" / "p fibre"
    steps = figure_data("lengths", Evidence(sources), PlotSettings())
    bars = drain(steps).members
    assert bars.counts.sum(axis=1).tolist() == [each.count for each in found.members]
    # A report says them, also of other objects of the same prediction.
    said = with_error(found.fraction("fibre").times(100), "%", sign="±")
    page = tmp_path / "r.html"
    for what in (sources, replace(sources, instances=None)):
        ns.report(what, page, figures=["lengths"])
        assert said in page.read_text(encoding="utf-8")
    named = {"measurements": project / "measurements" / "p fibre"}
    ns.report(prediction, page, figures=["lengths"], **named)
    assert said in page.read_text(encoding="utf-8")
    # Beside objects that were found otherwise, their numbers are not shown.
    numbers = "fibre, objects"
    assert numbers in page.read_text(encoding="utf-8")
    ns.segment_instances(prediction, objects, **asked | {"dust": "6"})
    ns.report(find_sources(prediction), page, figures=["lengths"])
    assert said in page.read_text(encoding="utf-8")
    assert numbers not in page.read_text(encoding="utf-8")
    assert "measure again" in page.read_text(encoding="utf-8")
    # Another image of the same model has nothing of it.
    other = project / "predictions" / "other.zarr"
    ns.predict(three, volume_of(arrays[0] + 1), other, **WHOLE)
    assert measurements_like(project, other, InstanceSettings(**asked)) is None


def drain(steps):
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_numbers_are_those_of_each_member_alone_by_their_weights(
    three, alone, arrays, tmp_path
):
    found, _ = measured(three, arrays[0], tmp_path / "m", **WHOLE)
    hand = [by_hand(model, arrays[0], tmp_path) for model in alone.values()]
    got = {
        "fraction": found.fraction("fibre"),
        "probable": found.fraction("fibre", by="probability"),
        "count": found.count,
        "length": found.size("length", "median"),
        "volume": found.size("volume", "mean"),
    }
    for name, spread in got.items():
        mean, std = weighted([each[name] for each in hand], WEIGHTS)
        assert spread.mean == pytest.approx(mean, rel=1e-4), name
        assert spread.std == pytest.approx(std, rel=1e-4, abs=1e-9), name
    assert found.fraction("fibre").std > 0
    assert [each.weight for each in found.members] == list(WEIGHTS)
    assert found.effective_members == pytest.approx(1 / 0.38)


def test_maps_of_members_average_to_the_map_of_the_ensemble(
    three_measured, three, arrays, tmp_path
):
    _, _, out = three_measured
    ns.predict(three, volume_of(arrays[0]), tmp_path / "o.zarr", **CUT)
    group = zarr.open_group(str(tmp_path / "o.zarr"), mode="r")
    folder = out.with_name(f".{out.name}.members")
    maps, within = (
        np.stack(
            [
                np.asarray(zarr.open_array(str(folder / f"member-0{n}.zarr/{what}/0")))
                for n in range(3)
            ]
        ).astype(float)
        for what in ("mean", "std")
    )
    weights = np.array(WEIGHTS)[:, None, None, None, None]
    mean = (weights * maps).sum(0)
    # A forest's map has what its trees are apart.
    std = np.sqrt((weights * ((maps - mean) ** 2 + within**2)).sum(0))
    np.testing.assert_allclose(mean, np.asarray(group["mean/0"], float), atol=1e-3)
    np.testing.assert_allclose(std, np.asarray(group["std/0"], float), atol=2e-3)


def test_equal_members_have_no_spread(alone, arrays, tmp_path):
    same = [(alone["first"], 0)] * 3
    model = put_together(tmp_path / "same.sashiko-model", same, (0.5, 0.25, 0.25))
    found, _ = measured(model, arrays[0], tmp_path / "m")
    single, _ = measured(alone["first"], arrays[0], tmp_path / "s")
    spreads = [
        *(found.fraction(each.id) for each in found.classes),
        *(found.count, found.at_border, found.size("length"), found.size("volume")),
        *found.distribution("diameter").spreads,
    ]
    assert {each.std for each in spreads} == {0}
    assert found.count.mean == single.count.mean
    assert found.fraction("fibre").mean == single.fraction("fibre").mean
    assert found.size("length").mean == single.size("length").mean


def test_one_member_has_no_spread_and_it_is_said(alone, arrays, tmp_path):
    found, events = measured(alone["first"], arrays[0], tmp_path / "m")
    assert found.count.mean > 0
    spreads = [found.count, found.fraction("fibre"), found.size("length")]
    assert [each.std for each in spreads] == [None] * 3
    assert any("no spread" in e.text for e in events if isinstance(e, Message))
    with (tmp_path / "m" / "measurements.csv").open(newline="") as file:
        _, std, _ = csv.DictReader(file)
    assert std["fibre objects"] == ""


def test_members_without_weight_are_not_asked(alone, arrays, tmp_path):
    parts = [(alone["first"], 0), (alone["second"], 0)]
    model = put_together(tmp_path / "half.sashiko-model", parts, (1.0, 0.0))
    found, _ = measured(model, arrays[0], tmp_path / "m")
    assert [each.place for each in found.members] == [0]


def test_sizes_are_in_units_and_fractions_are_not(three_measured, three, arrays):
    found, _, out = three_measured
    pixels = ns.measure(
        three,
        arrays[0],
        out.with_name("pixels"),
        label_class="fibre",
        dust="5",
        **CUT,
    )
    assert found.unit_of("volume") == "um^3"
    assert pixels.unit_of("volume") == "pixel^3"
    assert found.count == pixels.count
    assert found.fraction() == pixels.fraction()
    for statistic in ("mean", "median", "p90"):
        ours, theirs = (m.size("volume", statistic) for m in (found, pixels))
        assert ours.mean == pytest.approx(VOXEL * theirs.mean)
        assert ours.std == pytest.approx(VOXEL * theirs.std)
    with (out / "measurements.csv").open(newline="") as file:
        assert "fibre length median [um]" in next(csv.reader(file))


def test_a_class_without_objects_is_none_of_them(three, arrays, tmp_path):
    found, _ = measured(three, arrays[0], tmp_path / "m", dust="1e9 um^3")
    assert (found.count.mean, found.count.std) == (0, 0)
    assert (found.size("length").mean, found.size("length").std) == (None, None)
    assert found.members[0].removed > 0
    assert found.fraction("fibre").mean > 0


def test_without_a_class_it_is_the_second(three, arrays, tmp_path):
    found, _ = measured(three, arrays[0], tmp_path / "m", label_class=None)
    assert found.label_class.name == "fibre"
    assert {each.class_id for each in found.members} == {2}


def test_a_flat_image_has_areas(three, arrays, tmp_path):
    cut = {"window": (1, 24, 24), "border": (0, 4, 4)}
    found, _ = measured(three, arrays[0][4], tmp_path / "m", **cut)
    assert found.flat
    assert found.unit_of("volume") == "um^2"
    assert found.fraction("fibre").mean > 0.1


def test_the_runner_does_not_change_a_number(three_measured, three, arrays, tmp_path):
    serial, _ = measured(three, arrays[0], tmp_path / "m", runner="serial")
    found = three_measured[0]
    assert serial.count == found.count
    assert serial.size("length") == found.size("length")
    assert serial.fraction().mean == pytest.approx(found.fraction().mean, rel=1e-6)


@pytest.mark.slow
def test_processes_give_the_same_numbers(alone, arrays, tmp_path):
    pytest.importorskip("distributed")
    found = [
        measured(alone["first"], arrays[0], tmp_path / runner, runner=runner, workers=2)
        for runner in ("threads", "dask")
    ]
    (threads, _), (dask, _) = found
    assert plain(dask) == plain(threads)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["dask", "threads"]


def test_progress_goes_on_over_all_members(three_measured):
    _, events, _ = three_measured
    steps = [event for event in events if isinstance(event, Progress)]
    done = [event.done for event in steps]
    assert done == sorted(done)
    assert {(event.total, event.what) for event in steps} == {(1000, "measuring")}
    assert done[-1] > 990
    assert steps[-1].seconds_left < 60
    assert events[-1].members == 3


def test_the_room_that_it_takes_is_said_before(three_measured):
    _, events, _ = three_measured
    said = [event.text for event in events if isinstance(event, Message)]
    assert any("3 members" in text and "on disk" in text for text in said)


def test_a_member_travels_as_a_path(three, arrays):
    opened = (str(three), "cpu", model_digest(three))
    member = OneMember(load_ensemble(three), 2, opened)
    patch = np.random.default_rng(0).normal(size=(1, 10, 24, 24)).astype(np.float32)
    again = pickle.loads(pickle.dumps(member))
    np.testing.assert_array_equal(again.predict(patch)[0], member.predict(patch)[0])
    assert (again.halo, again.align) == (member.halo, member.align)
    lost = OneMember(load_ensemble(three), 2, (*opened[:2], "another"))
    with pytest.raises(ModelError, match="changed"):
        pickle.loads(pickle.dumps(lost))


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"label_class": "void"}, SettingsError, r"1 \(resin\), 2 \(fibre\)"),
        ({"dust": "5 um^2"}, SettingsError, "not a volume"),
        (
            {"split": "boundary", "boundary_class": "fibre"},
            SettingsError,
            "Choose two classes",
        ),
        ({"colour": 3}, SettingsError, "threshold"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(
    three, arrays, tmp_path, settings, error, words
):
    with pytest.raises(error, match=words):
        measured(three, arrays[0], tmp_path / "m", **settings)
    assert list(tmp_path.glob(".m.*")) == []


def test_another_image_is_refused_before_the_work(three, arrays, tmp_path):
    image = ns.pipeline.as_volume(np.stack([arrays[0]] * 2), axes="czyx")
    with pytest.raises(VolumeError, match="2 channel"):
        ns.measure(three, image, tmp_path / "m", **CUT)
    assert list(tmp_path.glob(".m.*")) == []


def test_a_folder_of_other_things_is_left_alone(three, arrays, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="does not hold measurements"):
        measured(three, arrays[0], tmp_path / "m")
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["thesis.tex"]


def test_deviations_mean_nothing_to_one_member_and_that_is_said(
    three_measured, three, arrays, tmp_path
):
    found, events = measured(three, arrays[0], tmp_path / "m", minus_std=1.0)
    assert found.count == three_measured[0].count
    assert any("minus_std" in e.text for e in events if isinstance(e, Message))


def test_a_project_remembers_what_was_measured(three, arrays, tmp_path):
    project = tmp_path / "a.sashiko"
    out = project / "measurements" / "fibres"
    measured(three, arrays[0], out)
    assert read_recipe(project).measure["label_class"] == "fibre"
    assert read_measurements(out).label_class.name == "fibre"
    found = ns.pipeline.describe(project)
    assert "Measurements: 1" in found.lines
    told = ns.pipeline.describe(out)
    assert told.kind == "measurements"
    assert any("objects" in line for line in told.lines)
