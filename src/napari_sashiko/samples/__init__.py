"""Volumes to try things on: image, a few strokes, and the truth where it is known."""

from napari_sashiko.samples._sample import SAMPLES, Sample
from napari_sashiko.samples._store import (
    SampleFiles,
    check_sample_folder,
    load_sample,
    write_sample,
)

__all__ = [
    "SAMPLES",
    "Sample",
    "SampleFiles",
    "check_sample_folder",
    "load_sample",
    "write_sample",
]
