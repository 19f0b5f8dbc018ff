"""Numbers are written with the digits that their spread leaves standing."""

import pytest
from measured_volumes import make_measured, make_member

from napari_sashiko.measurements import (
    Spread,
    fractions_of,
    line_of,
    lines_of,
    with_error,
)


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        (877.3, 21.4, "877 +- 21"),
        (12.321, 0.41, "12.3 +- 0.4"),
        (210.4, 4.1, "210 +- 4"),
        (12.321, 0.096, "12.32 +- 0.10"),
        (12.321, 0.0354, "12.321 +- 0.035"),
        (12.321, 0.0356, "12.32 +- 0.04"),
        (0.00123, 0.00004, "0.00123 +- 0.00004"),
        (87654.0, 2100.0, "87700 +- 2100"),
        (87654.0, 960.0, "87700 +- 1000"),
        (-3.21, 0.5, "-3.2 +- 0.5"),
        (0.0, 3.0, "0.0 +- 3.0"),
        (0.0, 4.0, "0 +- 4"),
        (1.5e-12, 2e-13, "1.5e-12 +- 2e-13"),
        (3.25e15, 1e14, "3.25e+15 +- 1e+14"),
    ],
)
def test_the_deviation_decides_on_the_digits(mean, std, text):
    assert with_error(Spread(mean, std, 5)) == text


def test_without_a_deviation_there_is_no_sign():
    assert with_error(Spread(877.0, None, 1)) == "877"
    assert with_error(Spread(12.321, None, 1), "%") == "12.3 %"
    assert with_error(Spread(12345.6, None, 1)) == "12346"
    assert with_error(Spread(None, None, 0), "um") == "none"


def test_members_that_agree_are_said_to_agree():
    assert with_error(Spread(877.0, 0.0, 5)) == "877 +- 0"


def test_the_line_says_count_length_and_fraction():
    pair = make_member(0, fibre=250), make_member(1, fibre=270, sizes=(27.0,))
    measured = make_measured(*pair)
    assert line_of(measured) == (
        "2.0 +- 1.0 objects, median length 81 +- 0 um; fibre 26.0 +- 1.0 %"
    )
    assert "µm; fibre 26.0 ± 1.0 %" in line_of(measured, sign="±", unit="µm")
    assert "81 +- 0 pixels" in line_of(make_measured(*pair, unit="pixel"))


def test_every_class_has_a_fraction_with_its_error():
    pair = make_member(0, fibre=250), make_member(1, fibre=270)
    assert fractions_of(make_measured(*pair), sign="±") == [
        ("matrix", "74.0 ± 1.0 %"),
        ("fibre", "26.0 ± 1.0 %"),
    ]


def test_one_member_is_said_to_have_no_spread():
    measured = make_measured(make_member(0))
    assert line_of(measured) == (
        "3 objects, median length 81 um; fibre 25 % (one member: no spread)"
    )
    assert "no spread" in lines_of(measured)[-1]
    assert "+-" not in "".join(lines_of(measured))


def test_a_class_without_objects_has_no_length():
    pair = make_member(0, sizes=()), make_member(1, sizes=())
    measured = make_measured(*pair)
    assert line_of(measured) == "0 +- 0 objects; fibre 25 +- 0 %"
    assert not [line for line in lines_of(measured) if "median" in line]


def test_sizes_of_some_members_only_are_said_to_be_so():
    measured = make_measured(make_member(0), make_member(1, sizes=()))
    assert measured.size("length").std is None
    assert any(line.startswith("Only 1 of 2 members") for line in lines_of(measured))


def test_flat_images_have_areas():
    lines = lines_of(make_measured(make_member(0), make_member(1), flat=True))
    assert any("median area" in line and "um^2" in line for line in lines)
    assert not [line for line in lines if "volume" in line]
