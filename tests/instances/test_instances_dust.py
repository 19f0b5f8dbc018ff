"""Laws of dust sizes: every spelling means one number of voxels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.errors import SettingsError
from napari_sashiko.instances import (
    InstanceSettings,
    dust_counts,
    dust_voxels,
    parse_dust,
)


@pytest.mark.parametrize(
    ("text", "size", "unit", "voxels"),
    [
        ("0", (1, 1, 1), "pixel", 0),
        ("100", (1, 1, 1), "pixel", 100),
        ("100 px", (2, 2, 2), "um", 100),
        ("100 voxels", (2, 2, 2), "um", 100),
        ("2 px^3", (2, 2, 2), "um", 2),
        ("100 um^3", (1, 1, 1), "um", 100),
        ("100um3", (2, 1, 1), "micrometer", 50),
        ("100 µm³", (2, 2, 2), "µm", 13),
        ("0.5 mm^3", (0.1, 0.1, 0.1), "millimeter", 500),
        ("1e3 nm^3", (0.01, 0.01, 0.01), "um", 1),
        ("27 nm**3", (3, 3, 3), "angstrom", 1000),
        (" 64 A^3 ", (0.4, 0.4, 0.4), "nanometer", 1),
        ("10.5", (1, 1, 1), "pixel", 11),
    ],
)
def test_sizes_are_read_in_any_spelling(text, size, unit, voxels):
    assert dust_voxels(text, size, unit) == voxels


@pytest.mark.parametrize("text", ["1e300", "1e400", "1e400 um^3", "1e300 m^3"])
def test_a_size_beyond_all_objects_removes_all(text):
    voxels = dust_voxels(text, (1, 1, 1), "um")
    assert dust_counts(np.array([1, 2**40]), voxels) == (0, 2)


def test_flat_images_have_areas():
    assert dust_voxels("20 um^2", (1, 2, 2), "um", flat=True) == 5
    with pytest.raises(SettingsError, match="an area"):
        dust_voxels("20 um^3", (1, 2, 2), "um", flat=True)


@pytest.mark.parametrize("text", ["", "many", "-3", "10 lightyears^3", "um^3", "1 2"])
def test_what_is_no_size_is_refused_with_an_example(text):
    with pytest.raises(SettingsError, match=r"e\.g\. 100 um\^3"):
        parse_dust(text)
    with pytest.raises(SettingsError):
        InstanceSettings(dust=text)


@pytest.mark.parametrize("unit", ["pixel", "", "furlong"])
def test_a_volume_needs_a_unit_of_length(unit):
    with pytest.raises(SettingsError, match="number of voxels"):
        dust_voxels("100 um^3", (1, 1, 1), unit)


def test_a_length_is_not_a_volume():
    with pytest.raises(SettingsError, match=r"5 um\^3"):
        dust_voxels("5 um", (1, 1, 1), "um")


@given(sizes=st.lists(st.integers(1, 50), max_size=30), voxels=st.integers(0, 60))
def test_what_stays_and_what_goes_are_all(sizes, voxels):
    kept, removed = dust_counts(np.sort(np.array(sizes, np.int64)), voxels)
    assert removed == sum(size < voxels for size in sizes)
    assert kept + removed == len(sizes)
