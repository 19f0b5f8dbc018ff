"""Grey values and colours of label pictures stand for classes, one each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import (
    NOTHING,
    LabelledVoxels,
    LabelValues,
    count_values,
    even_shares,
    kept_pixels,
    kept_shares,
    name_of_value,
    stroke_components,
    text_of,
    value_of,
)
from napari_sashiko.labels.thinning import CELL, LEAST

COLOURS = np.array([[[0, 0, 0], [255, 0, 0]], [[9, 9, 9], [255, 0, 0]]], np.uint8)


@given(st.one_of(st.integers(0, 65535), st.integers(0, 0xFFFFFF).map("#{:06x}".format)))
def test_a_value_reads_as_it_is_written(text):
    value = value_of(str(text))
    assert value_of(text_of(value)) == value


def test_grey_is_the_same_value_in_any_kind_of_picture():
    assert value_of("#ffffff") == value_of("255") == 255
    assert value_of("#000000") == 0
    assert value_of("none") == NOTHING
    assert name_of_value(value_of("#ff0000")) == "#ff0000"
    assert name_of_value(255) == "grey 255"


@pytest.mark.parametrize("text", ["red", "-1", "70000", "#ff00", "1.5", ""])
def test_what_is_no_value_is_refused(text):
    with pytest.raises(LabelError, match="no grey value and no colour"):
        value_of(text)


def test_values_are_counted_grey_before_colours():
    red = value_of("#ff0000")
    assert list(count_values(COLOURS).items()) == [(0, 1), (9, 1), (red, 2)]


def test_values_become_classes_and_classes_the_same_picture():
    values = LabelValues((9, value_of("#ff0000")), (4, 2))
    ids = values.classify(COLOURS)
    assert ids.tolist() == [[0, 2], [4, 2]]
    np.testing.assert_array_equal(values.picture_of(ids), COLOURS)


@pytest.mark.parametrize(
    ("values", "dtype"), [((0, 255), np.uint8), ((7, 1000), np.uint16)]
)
def test_grey_values_are_written_as_grey(values, dtype):
    table = LabelValues(values, (1, 2), NOTHING)
    picture = table.picture_of(np.array([[1, 2]], np.uint8))
    assert picture.dtype == dtype
    assert picture.tolist() == [list(values)]
    assert table.classify(picture).tolist() == [[1, 2]]


def test_a_value_without_a_class_is_named():
    with pytest.raises(LabelError, match="The value #ff0000 belongs to no class"):
        LabelValues((9, 8), (1, 2)).classify(COLOURS)


BAD = {
    "more than 255": np.arange(400, dtype=np.uint16).reshape(20, 20),
    "float": np.zeros((3, 3)),
    "value -1": np.full((3, 3), -1),
    "value 70000": np.full((3, 3), 70000),
    "8 bits": np.zeros((3, 3, 3), np.uint16),
}


@pytest.mark.parametrize("words", BAD)
def test_pictures_that_are_no_labels_are_refused(words):
    with pytest.raises(LabelError, match=words):
        count_values(BAD[words])


def test_255_classes_beside_what_is_not_labelled_are_possible():
    assert len(count_values(np.arange(256, dtype=np.uint8).reshape(16, 16))) == 256


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=9), st.integers(1, 10**6))
def test_rare_classes_keep_more_and_no_more_than_asked_is_kept(counts, most):
    counts = np.array(counts)
    shares = kept_shares(counts, most)
    assert (shares > 0).all()
    assert (shares <= 1).all()
    order = np.argsort(counts)
    assert (np.diff(shares[order]) <= 1e-9).all()
    extra = LEAST * len(counts)
    assert (shares * counts).sum() <= most * (1 + 1e-6) + extra
    if counts.sum() <= most:
        assert (shares == 1).all()


def test_a_class_that_is_hundred_times_rarer_is_kept_ten_times_more_often():
    shares = kept_shares(np.array([10**10, 10**8]), 10**6)
    assert shares[1] / shares[0] == pytest.approx(10, rel=1e-3)


def test_even_shares_are_those_of_all():
    assert even_shares(np.array([900, 100]), 500).tolist() == [0.5, 0.5]
    assert even_shares(np.array([0, 0]), 500).tolist() == [1.0, 1.0]


def test_squares_are_kept_whole_and_rarer_classes_in_all_of_them():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3, (300, 260)).astype(np.uint8)
    shares = np.zeros(256)
    shares[1:3] = 0.3, 0.6
    coords, values = kept_pixels(ids, shares, np.random.default_rng(1))
    np.testing.assert_array_equal(ids[tuple(coords.T)], values)
    assert (values > 0).all()
    squares = [
        {tuple(place) for place in (coords[values == number] // CELL).tolist()}
        for number in (1, 2)
    ]
    assert squares[0] < squares[1]
    kept = np.isin(
        (np.argwhere(ids == 1) // CELL) @ [100, 1], [y * 100 + x for y, x in squares[0]]
    )
    assert kept.sum() == (values == 1).sum()
    flat = coords @ [260, 1]
    assert (np.diff(flat) > 0).all()


def test_everything_is_kept_where_shares_are_one():
    ids = np.random.default_rng(0).integers(0, 3, (70, 90)).astype(np.uint8)
    shares = np.r_[0.0, np.ones(255)]
    coords, _ = kept_pixels(ids, shares, np.random.default_rng(0))
    np.testing.assert_array_equal(coords, np.argwhere(ids))


def test_no_stroke_goes_on_in_the_next_picture():
    coords = np.array([[0, 3, 3], [0, 3, 4], [1, 3, 3]], np.int32)
    labelled = LabelledVoxels(coords, np.ones(3, np.uint8), (2, 9, 9))
    assert len(np.unique(stroke_components(labelled))) == 1
    apart = stroke_components(labelled, frame=1)
    assert apart[0] == apart[1] != apart[2]
