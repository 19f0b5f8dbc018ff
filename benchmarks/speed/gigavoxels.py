"""Memory of a prediction of one and of eight gigavoxels.

    python benchmarks/speed/gigavoxels.py

The image repeats one chunk (links to one file), so that the disk is not what is
measured; the model is the identity, so that it is the engine. Output is uint8 classes
and float16 probabilities.
"""

import os
import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import zarr
from identity import Identity
from paired import Row, arguments, peak_mib, save, timed

from napari_sashiko.prediction import PredictionSettings, predict
from napari_sashiko.volumes import open_volume

CHUNK = 128


def volume(folder, side):
    """Make an image of `side`^3 uint8 whose chunks are one file."""
    path = folder / f"image-{side}.zarr"
    array = zarr.create_array(
        str(path), shape=(side,) * 3, chunks=(CHUNK,) * 3, dtype="uint8"
    )
    rng = np.random.default_rng(0)
    box = (slice(0, CHUNK),) * 3
    array[box] = rng.integers(0, 8, (CHUNK,) * 3) * 30 + 1
    first = path / array.metadata.encode_chunk_key((0, 0, 0))
    for index in product(range(side // CHUNK), repeat=3):
        here = path / array.metadata.encode_chunk_key(index)
        here.parent.mkdir(parents=True, exist_ok=True)
        if not here.exists():
            os.link(first, here)
    return path


def run(folder, side):
    """Predict a volume."""
    settings = PredictionSettings(
        window=(CHUNK,) * 3, border=(10,) * 3, device="cpu", overwrite=True
    )
    out = folder / "out.zarr"
    for _ in predict(Identity(), open_volume(volume(folder, side)), out, settings):
        pass


def row(side):
    """Time and memory of a whole fresh process."""
    folder = Path(tempfile.mkdtemp(prefix="gigavoxels-"))
    found = []
    try:
        seconds = timed(lambda: found.append(peak_mib(__file__, "run", folder, side)))
    finally:
        shutil.rmtree(folder)
    return Row(f"prediction of {side}^3 voxels", seconds, ours_mib=found[0])


def main():
    """Measure both sizes, or run one of them for its memory."""
    if sys.argv[1:2] == ["run"]:
        run(Path(sys.argv[2]), int(sys.argv[3]))
        return
    options = arguments(__doc__).parse_args()
    sides = (256, 512) if options.quick else (1024, 2048)
    small, large = (row(side) for side in sides)
    large.growth = {
        f"{s**3 / 1e9:.2g} Gvoxel": r.ours
        for s, r in zip(sides, (small, large), strict=True)
    }
    large.note = (
        f"Peak memory {large.ours_mib / small.ours_mib:.2f} times that of an eighth of "
        "the voxels. Identity network, whole process, making the image included."
    )
    save("gigavoxels", small, large)


if __name__ == "__main__":
    main()
