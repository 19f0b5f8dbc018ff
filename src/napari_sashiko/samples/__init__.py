"""Images to try things on, with strokes, truth or target where there are any."""

from napari_sashiko.samples._sample import ARRAYS, SAMPLES, Sample
from napari_sashiko.samples._store import (
    check_sample_folder,
    load_sample,
    write_sample,
)

__all__ = [
    "ARRAYS",
    "SAMPLES",
    "Sample",
    "check_sample_folder",
    "load_sample",
    "write_sample",
]
