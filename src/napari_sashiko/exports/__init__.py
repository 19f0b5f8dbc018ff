"""Exports: results and models in the formats of other programs."""

from napari_sashiko.exports.content import Content
from napari_sashiko.exports.events import ExportDone
from napari_sashiko.exports.image import IMAGE_ENDINGS, check_target, export_image
from napari_sashiko.exports.settings import ExportSettings

__all__ = [
    "IMAGE_ENDINGS",
    "Content",
    "ExportDone",
    "ExportSettings",
    "check_target",
    "export_image",
]
