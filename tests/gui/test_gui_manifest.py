"""The manifest says nothing that napari would silently ignore."""

from importlib import metadata, resources
from pathlib import Path

import yaml
from napari._app_model.constants._menus import MenuId
from npe2 import PluginManifest
from npe2.manifest.contributions import ContributionPoints

from napari_sashiko.gui.volume_reader import ENDINGS
from napari_sashiko.samples import SAMPLES
from napari_sashiko.volumes._pictures import PICTURES
from napari_sashiko.volumes.opening import READERS

DISTRIBUTION = "napari-sashiko"


def manifest():
    return PluginManifest.from_distribution(DISTRIBUTION)


def raw_manifest():
    points = metadata.distribution(DISTRIBUTION).entry_points
    point = next(each for each in points if each.group == "napari.manifest")
    module, name = point.value.split(":")
    return yaml.safe_load((resources.files(module) / name).read_text())


def test_every_python_name_can_be_imported():
    manifest().validate_imports()


def test_every_command_that_is_used_exists_and_the_other_way_round():
    points = manifest().contributions
    known = {each.id for each in points.commands}
    groups = (points.widgets, points.readers, points.writers)
    used = [each.command for group in groups for each in group or ()]
    used += [s.command for s in points.sample_data or () if hasattr(s, "command")]
    used += [
        item.command
        for items in points.menus.values()
        for item in items
        if hasattr(item, "command")
    ]
    assert set(used) == known


def test_every_menu_is_one_that_napari_shows():
    points = manifest().contributions
    own = {each.id for each in points.submenus or ()}
    assert set(points.menus) <= {str(m) for m in MenuId.contributables()} | own


def test_segment_annotate_and_measure_menus_lead_to_the_dock():
    menus = manifest().contributions.menus
    for name in ("segment", "annotate", "measure"):
        assert menus[f"napari/layers/{name}"]


def test_no_key_is_unknown():
    raw = raw_manifest()
    assert set(raw) <= set(PluginManifest.model_fields)
    assert set(raw["contributions"]) <= set(ContributionPoints.model_fields)


def test_every_sample_is_offered():
    offered = {each.key for each in manifest().contributions.sample_data}
    assert offered == set(SAMPLES) - {"micrographs"}  # a folder, for its own dock


def test_every_format_is_read_but_those_that_napari_reads_itself():
    (reader,) = manifest().contributions.readers
    left = {".npz", ".tif", ".tiff", *PICTURES}
    patterns = {f"*{ending}" for ending in set(READERS) - left}
    assert set(reader.filename_patterns) == {*patterns, "*.sashiko"}
    assert {f"*{ending}" for ending in ENDINGS} == patterns - {"*.zarr"}
    assert reader.accepts_directories


def test_the_manifest_at_the_top_is_the_one_in_the_package():
    top = Path(__file__).parents[2] / "napari.yaml"
    assert yaml.safe_load(top.read_text()) == raw_manifest()
