"""What is drawn is what the data say."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.patches import StepPatch
from plots_examples import CLASSES, example
from small_pictures import BEYOND, SIZES, fenced

from napari_sashiko.errors import OutputError, PlotError
from napari_sashiko.labels import LabelClass, LabelledVoxels
from napari_sashiko.metrics import Calibration, ConfusionMatrix
from napari_sashiko.plots import (
    LIGHT,
    PLOTS,
    Confusion,
    Lengths,
    MemberLengths,
    Reliability,
    ReliabilityCurve,
    confusion_of,
    count_intensities,
    curves_of,
    random_regions,
    read_lengths,
    read_painted,
    read_predicted,
    reliability_curve,
    shown_part,
)
from napari_sashiko.plots._sampling import painted_tiles
from napari_sashiko.plots.intensities import bin_edges
from napari_sashiko.plots.lengths import length_edges
from napari_sashiko.volumes import as_volume


def drain(steps):
    """Run a generator to its end; return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def steps_of(axes):
    """Histograms of axes: heights, as they are drawn."""
    return [p for p in axes.patches if isinstance(p, StepPatch)]


def lines_of(axes):
    return [np.asarray(line.get_ydata(), float) for line in axes.lines]


# ---- training curves ------------------------------------------------------------


def test_curves_are_the_history_and_gaps_stay_gaps():
    history = [
        [
            {"loss": 1.0, "valid_loss": None, "macro_f1": None},
            {"loss": 0.5, "valid_loss": 0.7, "macro_f1": 0.8},
        ],
        [],
    ]
    data = curves_of({"history": history})
    assert [member.name for member in data.members] == ["network 1"]
    loss, score = PLOTS["curves"](data, LIGHT).axes
    np.testing.assert_equal(lines_of(loss), [[1.0, 0.5], [math.nan, 0.7]])
    np.testing.assert_equal(lines_of(score), [[math.nan, 0.8]])
    assert list(loss.lines[0].get_xdata()) == [1, 2]


@pytest.mark.parametrize("record", [{}, {"history": None}, {"history": [[], []]}])
def test_a_forest_has_no_curves_and_says_so(record):
    with pytest.raises(PlotError, match="no network"):
        curves_of(record)


@pytest.mark.parametrize("history", [5, [5], [[5]], [[{"loss": "low"}]]])
def test_a_damaged_history_is_said(history):
    with pytest.raises(OutputError, match="damaged"):
        curves_of({"history": history})


# ---- reliability ----------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), classes=st.integers(2, 5))
def test_a_curve_has_the_calibration_error_of_the_metric(seed, classes):
    rng = np.random.default_rng(seed)
    metric = Calibration(classes)
    p = rng.dirichlet(np.full(classes, 0.7), 200).T
    metric.update(p, rng.integers(0, classes + 1, 200))
    scores = metric.compute()
    curve = reliability_curve("x", scores.record())
    assert curve.expected_error == pytest.approx(scores.expected_calibration_error)
    assert sum(curve.counts) == sum(scores.counts)
    assert len(curve.filled) == np.count_nonzero(scores.counts)


def test_dots_are_the_bins_that_hold_voxels():
    nan = math.nan
    curve = ReliabilityCurve("x", (nan, 0.4, 0.9), (nan, 0.5, 1.0), (0, 1, 3))
    upper, lower = PLOTS["reliability"](Reliability((curve,)), LIGHT).axes
    np.testing.assert_allclose(
        upper.collections[0].get_offsets(), [[0.4, 0.5], [0.9, 1.0]]
    )
    (shares,) = steps_of(lower)
    np.testing.assert_allclose(shares.get_data().values, [0, 25, 75])
    assert f"{curve.expected_error:.3f}" in upper.get_legend_handles_labels()[1][1]


def test_nothing_judged_is_no_curve():
    empty = ReliabilityCurve("x", (math.nan,), (math.nan,), (0,))
    with pytest.raises(PlotError, match="No voxel was judged"):
        PLOTS["reliability"](Reliability((empty,)), LIGHT)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"confidence": [0.5], "accuracy": [0.5], "counts": [1, 2]},
        {"confidence": [5.0], "accuracy": [0.5], "counts": [1]},
        {"confidence": [None], "accuracy": [None], "counts": [1]},
        {"confidence": 3, "accuracy": [], "counts": []},
        [],
    ],
)
def test_a_damaged_curve_is_said(record):
    with pytest.raises(OutputError, match="damaged"):
        reliability_curve("x", record)


# ---- confusion ------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99))
def test_rows_of_a_matrix_are_shares_of_a_true_class(seed):
    rng = np.random.default_rng(seed)
    ids = [each.id for each in CLASSES]
    matrix = ConfusionMatrix(ids)
    matrix.update_classes(rng.choice(ids, 100), rng.choice([0, *ids], 100))
    data = confusion_of(matrix.record(), CLASSES)
    assert np.array_equal(data.counts, matrix.matrix)
    figure = PLOTS["confusion"](data, LIGHT)
    shown = np.ma.filled(figure.axes[0].images[0].get_array(), 0)
    assert np.allclose(shown.sum(axis=1), 100 * (matrix.matrix.sum(axis=1) > 0))
    written = [text.get_text() for text in figure.axes[0].texts]
    rows = [row for row in matrix.matrix if row.sum()]
    assert written == [str(number) for row in rows for number in row]


def test_classes_of_a_matrix_have_their_colours():
    figure = PLOTS["confusion"](example("confusion"), LIGHT)
    for marks in figure.axes[0].collections:
        colours = [to_hex(colour) for colour in marks.get_facecolors()]
        assert colours == [each.color for each in CLASSES]


@pytest.mark.parametrize(
    "record",
    [
        {"classes": [1, 9], "counts": [[1, 0], [0, 1]]},
        {"classes": [1, 2], "counts": [[1, 0]]},
        {"classes": [1, 2], "counts": [[1], [2]]},
        {},
    ],
)
def test_a_damaged_matrix_is_said(record):
    with pytest.raises(OutputError, match="damaged"):
        confusion_of(record, CLASSES)


def test_an_empty_matrix_is_none():
    with pytest.raises(PlotError, match="No voxel"):
        PLOTS["confusion"](Confusion(CLASSES[:1], ((0,),)), LIGHT)


# ---- lengths --------------------------------------------------------------------

FLOATS = hnp.arrays(
    float,
    st.integers(1, 60),
    elements=st.floats(0, 1e6, allow_nan=False, allow_subnormal=False),
)


@settings(max_examples=40, deadline=None)
@given(values=FLOATS)
def test_bins_of_lengths_hold_every_length(values):
    edges = length_edges(values)
    assert np.histogram(values, edges)[0].sum() == len(values)
    assert edges[0] == 0
    assert (np.diff(edges) > 0).all()


def test_bars_add_up_to_the_objects():
    data = example("lengths")
    values = data.values.copy()
    values[:3] = math.nan
    data = Lengths(values, data.cut, "um", "fibre", "#e69f00")
    axes = PLOTS["lengths"](data, LIGHT).axes[0]
    whole, cut = (step.get_data() for step in steps_of(axes))
    known = np.isfinite(values)
    assert whole.values.sum() == (known & ~data.cut).sum()
    assert (cut.values - cut.baseline).sum() == (known & data.cut).sum()
    assert to_hex(steps_of(axes)[0].get_facecolor()) == "#e69f00"
    assert axes.get_xlabel() == "length (µm)"
    assert axes.lines[0].get_xdata()[0] == np.median(values[known])


def test_error_bars_are_the_weighted_spread_over_the_members():
    counts = np.array([[4.0, 2, 2], [2, 2, 6]])
    members = MemberLengths(np.array([0.0, 10, 20, 40]), counts, np.ones(2))
    mean, std = members.between(members.edges)
    assert mean.tolist() == [3, 2, 4]
    assert std.tolist() == [1, 0, 2]
    halves, _ = members.between(np.array([0.0, 5, 10, 30, 40]))
    assert halves.tolist() == [1.5, 1.5, 4, 2]
    weighted = replace(members, weights=np.array([3.0, 1.0]))
    assert weighted.between(members.edges)[0].tolist() == [3.5, 2, 3]


def test_error_bars_stand_on_the_bars_of_the_lengths():
    data = example("lengths")
    edges = length_edges(data.values)
    counts = np.ones((2, len(edges) - 1)) * [[4], [8]]
    members = MemberLengths(edges, counts, np.ones(2))
    axes = PLOTS["lengths"](replace(data, members=members), LIGHT).axes[0]
    (bars,) = axes.containers
    (points, _, (lines,)) = bars.lines
    assert points.get_ydata().tolist() == [6] * (len(edges) - 1)
    np.testing.assert_allclose(points.get_xdata(), (edges[:-1] + edges[1:]) / 2)
    ends = np.array(lines.get_segments())[:, :, 1]
    np.testing.assert_allclose(ends, [[4, 8]] * (len(edges) - 1))
    assert not PLOTS["lengths"](data, LIGHT).axes[0].containers


def test_a_table_is_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_sashiko.plots.lengths.ROWS", 3)
    rows = [f"{n},fibre,9,{n / 2},{n % 2 == 0},um" for n in range(1, 11)]
    head = "label,class,voxels,length,touches_border,unit"
    path = tmp_path / "t.csv"
    path.write_text("\n".join([head, *rows]))
    found = drain(read_lengths(path))
    assert found.values.tolist() == [n / 2 for n in range(1, 11)]
    assert found.cut.sum() == 5
    assert (found.class_name, found.unit) == ("fibre", "um")


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"", OutputError, "cannot be read"),
        (b"a,b\n1,2\n", OutputError, "cannot be read"),
        (b"\x89PNG\x00\xff\xfe", OutputError, "cannot be read"),
        (b"class,length,touches_border,unit\nf,long,True,um\n", OutputError, "read"),
        (b"class,length,touches_border,unit\n", PlotError, "no object"),
    ],
)
def test_what_is_no_table_of_objects_is_said(tmp_path, content, error, said):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(error, match=said):
        drain(read_lengths(path))


def test_a_table_that_is_gone_is_said(tmp_path):
    with pytest.raises(OutputError, match=r"t\.csv"):
        drain(read_lengths(tmp_path / "t.csv"))


# ---- grey values ----------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    values=hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32]),
        st.integers(1, 80),
        elements=st.integers(0, 100),
    ),
    bins=st.integers(4, 64),
)
def test_every_grey_value_is_counted_once(values, bins):
    data = count_intensities(CLASSES, {1: values}, {2: values}, bins=bins)
    assert data.painted[1].sum() == data.predicted[2].sum() == len(values)
    assert len(data.edges) <= bins + 1
    assert [each.id for each in data.classes] == [1, 2]


@settings(max_examples=40, deadline=None)
@given(
    low=st.integers(-3000, 3000), span=st.integers(0, 5000), most=st.integers(4, 200)
)
def test_bins_of_whole_numbers_hold_equally_many(low, span, most):
    values = np.array([low, low + span])
    edges = bin_edges(values, most)
    widths = np.diff(edges)
    assert len(widths) <= most
    assert (widths == widths[0]).all()
    assert widths[0] == round(widths[0])
    tails = np.percentile(values, (0.1, 99.9))
    assert edges[0] < tails[0]
    assert edges[-1] > tails[1]


def test_grey_values_of_paint_are_those_under_it():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(20, 150, 140)).astype(np.float32)
    labels = rng.choice([0, 1, 2], image.shape, p=[0.98, 0.01, 0.01])
    image[0, 0, 0], labels[0, 0, 0] = np.nan, 1
    coords = np.argwhere(labels).astype(np.int32)
    values = labels[tuple(coords.T)].astype(np.uint8)
    paint = LabelledVoxels(coords, values, image.shape)
    found = drain(read_painted(as_volume(image), paint))
    for number in (1, 2):
        expected = image[(labels == number) & np.isfinite(image)]
        assert np.array_equal(np.sort(found[number]), np.sort(expected))


@pytest.mark.parametrize("flat", [False, True])
def test_grey_values_of_classes_leave_out_what_is_not_predicted(flat):
    rng = np.random.default_rng(0)
    shape = (1, 40, 50) if flat else (6, 40, 50)
    image = rng.integers(0, 255, shape).astype(np.uint8)
    ids = rng.integers(0, 3, shape).astype(np.uint8)
    volume = as_volume(image[0] if flat else image)
    regions = random_regions(shape, (4, 16, 16), 5, 0)
    found = drain(read_predicted(volume, ids[0] if flat else ids, regions))
    assert set(found) == {1, 2}
    expected = np.concatenate([image[r][ids[r] == 2] for r in regions])
    assert np.array_equal(np.sort(found[2]), np.sort(expected))


def test_no_grey_value_is_taken_from_beyond_a_smaller_picture():
    volume = fenced()
    ids = np.ones(volume.shape, np.uint8)
    whole = tuple(slice(0, n) for n in volume.shape)
    found = drain(read_predicted(volume, ids, [whole]))
    assert found[1].size == sum(map(np.prod, SIZES))
    assert found[1].max() < BEYOND


def test_areas_have_the_colours_of_their_classes():
    data = example("intensities")
    figure = PLOTS["intensities"](data, LIGHT)
    for axes, each in zip(figure.axes, CLASSES, strict=True):
        painted, predicted = steps_of(axes)
        assert to_hex(painted.get_facecolor()) == each.color
        counts = data.predicted[each.id]
        expected = 100 * counts / counts.sum()
        np.testing.assert_allclose(predicted.get_data().values, expected)


def test_no_grey_value_at_all_is_said():
    with pytest.raises(PlotError, match="grey value"):
        count_intensities(CLASSES, {}, {})


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 40)] * 3),
    edges=st.tuples(*[st.integers(1, 60)] * 3),
    seed=st.integers(0, 9),
)
def test_random_places_lie_inside_and_come_again(shape, edges, seed):
    found = random_regions(shape, edges, 7, seed)
    assert found == random_regions(shape, edges, 7, seed)
    assert 1 <= len(found) <= 7
    assert len({str(region) for region in found}) == len(found)
    for region in found:
        for side, edge, size in zip(region, edges, shape, strict=True):
            assert 0 <= side.start < side.stop <= size
            assert side.stop - side.start == min(edge, size)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), count=st.integers(0, 200), most=st.integers(1, 12))
def test_tiles_go_through_each_painted_voxel_once(seed, count, most):
    rng = np.random.default_rng(seed)
    shape = (40, 300, 300)
    places = np.unique(rng.integers(shape, size=(count, 3)), axis=0)
    ids = rng.integers(1, 4, len(places)).astype(np.uint8)
    paint = LabelledVoxels(places.astype(np.int32), ids, shape)
    seen = []
    tiles = list(painted_tiles(paint, most, 0))
    for region, inside, values in tiles:
        corner = np.array([side.start for side in region])
        sizes = np.array([side.stop - side.start for side in region])
        assert (sizes <= (16, 128, 128)).all()
        assert (inside < sizes).all()
        seen += [(*place, n) for place, n in zip(inside + corner, values, strict=True)]
    every = {(*p, n) for p, n in zip(places.tolist(), ids.tolist(), strict=True)}
    assert len(seen) == len(set(seen))
    assert {tuple(map(int, each)) for each in seen} <= every
    assert len(tiles) <= most
    if len(tiles) < most:
        assert len(seen) == len(every)


# ---- slices ---------------------------------------------------------------------


def test_paint_and_classes_lie_where_they_are_in_their_colours():
    data = example("slices")
    paint, classes, std = PLOTS["slices"](data, LIGHT).axes[:3]
    overlay = paint.images[1].get_array()
    for each in CLASSES:
        here = data.paint == each.id
        assert here.any()
        assert np.allclose(overlay[here], to_rgba(each.color))
        there = data.classes == each.id
        seen = classes.images[1].get_array()[there][:, :3]
        assert np.allclose(seen, to_rgba(each.color)[:3])
    assert (overlay[data.paint == 0][:, 3] == 0).all()
    np.testing.assert_array_equal(std.images[0].get_array(), data.std)
    left, right, bottom, top = paint.images[0].get_extent()
    assert (left, right) == (0, pytest.approx(120 * 1.2))
    assert (top, bottom) == (0, pytest.approx(90 * 1.2))


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 3000),
    width=st.integers(1, 3000),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_the_shown_part_is_bounded_and_inside(height, width, share):
    center = (share[0] * height, share[1] * width)
    rows, columns = shown_part((9, height, width), center)
    for side, size in ((rows, height), (columns, width)):
        assert side.stop - side.start == min(768, size)
        assert side.start >= 0
        assert side.stop <= size


# ---- graphs ---------------------------------------------------------------------


def test_every_edge_is_a_line_of_its_kind():
    data = example("graph")
    figure = PLOTS["graph"](data, LIGHT)
    (lines,) = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    (graph,) = data.graphs
    assert len(lines.get_segments()) == len(graph.links)
    by_kind = {}
    for link, colour in zip(graph.links, lines.get_colors(), strict=True):
        by_kind.setdefault(link.kind, set()).add(to_hex(colour))
    assert all(len(colours) == 1 for colours in by_kind.values())
    assert len({colours.copy().pop() for colours in by_kind.values()}) == len(by_kind)
    for link, segment in zip(graph.links, lines.get_segments(), strict=True):
        assert segment[0][0] == pytest.approx(link.source)
        assert segment[-1][0] == pytest.approx(link.target)


def test_a_class_keeps_its_colour_even_when_it_is_pale():
    pale = LabelClass(id=1, name="air", color="#ffffff")
    data = count_intensities((pale,), {1: np.arange(9)}, {})
    axes = PLOTS["intensities"](data, LIGHT).axes[0]
    assert to_hex(steps_of(axes)[0].get_facecolor()) == "#ffffff"
