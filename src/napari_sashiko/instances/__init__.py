"""Instances: touching voxels grouped, dust removed, each object measured."""

from napari_sashiko.instances._source import prediction_state
from napari_sashiko.instances.cache import component_sizes, scan_components
from napari_sashiko.instances.chosen import chosen_class
from napari_sashiko.instances.dust import dust_counts, dust_voxels, parse_dust
from napari_sashiko.instances.events import ComponentsFound, InstancesDone
from napari_sashiko.instances.run import segment_instances
from napari_sashiko.instances.settings import InstanceSettings
from napari_sashiko.instances.splitting import preview_instances
from napari_sashiko.instances.table import table_digest

__all__ = [
    "ComponentsFound",
    "InstanceSettings",
    "InstancesDone",
    "chosen_class",
    "component_sizes",
    "dust_counts",
    "dust_voxels",
    "parse_dust",
    "prediction_state",
    "preview_instances",
    "scan_components",
    "segment_instances",
    "table_digest",
]
