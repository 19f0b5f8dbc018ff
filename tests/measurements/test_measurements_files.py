"""What is written is read again, says its units, and never half replaces anything."""

import csv
import json

import numpy as np
import pytest
from measured_volumes import make_measured, make_member

from napari_sashiko.errors import OutputError
from napari_sashiko.measurements import (
    INDEX,
    check_measurements,
    read_measurements,
    write_measurements,
)


@pytest.fixture
def measured():
    pair = make_member(0, weight=0.75), make_member(3, weight=0.25, fibre=290)
    return make_measured(*pair)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_is_written_is_read_again(measured, tmp_path):
    write_measurements(measured, tmp_path / "m")
    assert read_measurements(tmp_path / "m") == measured


def test_the_table_has_mean_std_and_a_row_for_each_member(measured, tmp_path):
    write_measurements(measured, tmp_path)
    mean, std, *members = rows_of(tmp_path / "measurements.csv")
    assert [each["member"] for each in (mean, std, *members)] == [
        *("mean", "std", "0 forest", "3 tunet"),
    ]
    weights = [float(each["weight"]) for each in members]
    assert weights == [0.75, 0.25]
    shares = [float(each["fibre fraction [%]"]) for each in members]
    assert shares == pytest.approx([25, 29])
    assert float(mean["fibre fraction [%]"]) == pytest.approx(26)
    expected = np.sqrt(np.average((np.array(shares) - 26) ** 2, weights=weights))
    assert float(std["fibre fraction [%]"]) == pytest.approx(expected)
    assert float(mean["fibre volume median [um^3]"]) == 27
    assert float(mean["fibre length median [um]"]) == 81
    assert float(mean["fibre mean probability [%]"]) == pytest.approx(27)


def test_every_size_says_its_unit_in_the_header(measured, tmp_path):
    write_measurements(measured, tmp_path)
    heads = rows_of(tmp_path / "measurements.csv")[0]
    for word, unit in (("volume", "um^3"), ("diameter", "um"), ("length", "um")):
        named = [head for head in heads if f"fibre {word} " in head]
        assert len(named) == 6
        assert all(head.endswith(f"[{unit}]") for head in named)
    (row, *_) = rows_of(tmp_path / "volume-distribution.csv")
    assert list(row)[:4] == ["from [um^3]", "to [um^3]", "mean", "std"]


def test_areas_are_called_areas(measured, tmp_path):
    write_measurements(measured.model_copy(update={"flat": True}), tmp_path)
    heads = rows_of(tmp_path / "measurements.csv")[0]
    assert "fibre area median [um^2]" in heads


def test_without_a_spread_the_row_is_empty_not_zero(tmp_path):
    write_measurements(make_measured(make_member(0)), tmp_path)
    _, std, _ = rows_of(tmp_path / "measurements.csv")
    assert {value for key, value in std.items() if key != "member"} == {""}
    record = json.loads((tmp_path / INDEX).read_text())
    assert record["summary"]["fibre objects"] == {"mean": 3, "std": None, "members": 1}


def test_a_class_without_objects_has_empty_sizes(tmp_path):
    pair = make_member(0, sizes=()), make_member(1, sizes=())
    write_measurements(make_measured(*pair), tmp_path)
    mean, std, *_ = rows_of(tmp_path / "measurements.csv")
    assert (float(mean["fibre objects"]), float(std["fibre objects"])) == (0, 0)
    assert mean["fibre length median [um]"] == std["fibre length median [um]"] == ""
    assert rows_of(tmp_path / "length-distribution.csv") == []


def test_the_distribution_sums_to_the_objects(measured, tmp_path):
    write_measurements(measured, tmp_path)
    rows = rows_of(tmp_path / "length-distribution.csv")
    assert sum(float(row["mean"]) for row in rows) == pytest.approx(3)
    assert sum(int(row["3 tunet"]) for row in rows) == 3


def test_what_lies_beside_the_tables_stays(measured, tmp_path):
    write_measurements(measured, tmp_path)
    (tmp_path / "mine.txt").write_text("keep me")
    check_measurements(tmp_path)
    write_measurements(measured, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "keep me"
    assert not list(tmp_path.glob(".*"))


def test_an_index_never_vouches_for_tables_of_another_run(measured, tmp_path):
    write_measurements(measured, tmp_path)
    (tmp_path / "measurements.csv").unlink()
    (tmp_path / "measurements.csv").mkdir()  # cannot be replaced by a file
    with pytest.raises(OutputError, match=r"measurements\.csv"):
        write_measurements(measured, tmp_path)
    with pytest.raises(OutputError, match="no measurements"):
        read_measurements(tmp_path)


def test_a_damaged_index_is_kept_beside_the_new_one(measured, tmp_path):
    write_measurements(measured, tmp_path)
    whole = (tmp_path / "measurements.json").read_bytes()
    (tmp_path / "measurements.json").write_bytes(whole[:50])
    write_measurements(measured, tmp_path)
    assert (tmp_path / "measurements.json").read_bytes() == whole
    assert (tmp_path / "measurements.json.damaged").read_bytes() == whole[:50]
    write_measurements(measured, tmp_path)
    assert len(list(tmp_path.glob("*.damaged*"))) == 1


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="does not hold measurements"):
        check_measurements(tmp_path)
    with pytest.raises(OutputError, match="does not hold measurements"):
        check_measurements(tmp_path / "thesis.tex")
    check_measurements(tmp_path / "new")


def _newer(record):
    record["format_version"] = 99


def _no_members(record):
    record["members"] = []


def _no_weight(record):
    record["members"][0]["weight"] = 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_newer, "format 99"),
        (_no_members, "members"),
        (_no_weight, "members.0.weight"),
    ],
)
def test_an_odd_index_is_answered_in_words(measured, tmp_path, spoil, words):
    write_measurements(measured, tmp_path)
    record = json.loads((tmp_path / INDEX).read_text())
    spoil(record)
    (tmp_path / INDEX).write_text(json.dumps(record))
    with pytest.raises(OutputError, match=words):
        read_measurements(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"x"'])
def test_a_damaged_index_is_answered_in_words(tmp_path, text):
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(OutputError, match="damaged"):
        read_measurements(tmp_path)


def test_no_measurements_are_answered_in_words(tmp_path):
    with pytest.raises(OutputError, match="There are no measurements"):
        read_measurements(tmp_path)
