"""On-disk stitching: cut a volume into windows, "predict", sew together on disk.

    python benchmarks/speed/stitch.py

The network is the identity: what is timed is reading, cutting, blending or cropping,
and writing mean and deviation. Windows of 128 with a border of 10, steps of 108.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import zarr
from identity import Identity
from paired import Row, arguments, growth, peak_mib, save, timed
from published import published
from scipy.ndimage import uniform_filter

from napari_sashiko.prediction import PredictionSettings, predict
from napari_sashiko.volumes import open_volume

WINDOW, BORDER, STEP = (128,) * 3, (10,) * 3, (108,) * 3
WEIGHTS = {"crop": 0.0, "blend": 0.1}
NOTE = (
    "Identity network; a float32 zarr (zstd, chunks of 128) in, mean and deviation "
    "float32 and classes out. qlty holds the image in memory and adds into float64 "
    "zarr arrays; its result is computed in memory, then saved. Ours is limited by "
    "compressing and by the disk. Output on disk: ours {ours} MiB, theirs {theirs} "
    "MiB with its caches. qlty does the same in both modes: it ran once, in "
    "a process of its own. Growth is by side: voxels are eightfold."
)


def volume(folder, side):
    """Make a smooth, noisy volume that repeats every 128 voxels."""
    path = folder / f"image-{side}.zarr"
    if not path.exists():
        noise = np.random.default_rng(0).integers(0, 256, (128,) * 3)
        tile = uniform_filter(noise.astype(np.float32), 5, mode="wrap")
        array = zarr.create_array(
            str(path), shape=(side,) * 3, chunks=(128,) * 3, dtype="float32"
        )
        array[...] = np.tile(tile, (side // 128,) * 3)
    return path


def ours(path, folder, mode):
    """Predict from file to file."""
    out = folder / f"ours-{mode}.zarr"
    weight = WEIGHTS[mode]
    settings = PredictionSettings(
        window=WINDOW,
        border=BORDER,
        step=STEP if weight else None,
        border_weight=weight,
        dtype="float32",
        device="cpu",
        overwrite=True,
    )
    for _ in predict(Identity(), open_volume(path), out, settings):
        pass
    return out


def theirs(path, folder, mode):
    """Do the same as qlty's documentation shows it."""
    quilt = published("qlty.qlty3DLarge").LargeNCZYXQuilt
    image = zarr.open_array(str(path), mode="r")[...]
    tensor = torch.from_numpy(image)[None, None].div_(255)
    work = quilt(
        str(folder / "qlty"),
        1,
        *image.shape,
        window=WINDOW,
        step=STEP,
        border=BORDER,
        border_weight=WEIGHTS[mode],
    )
    for index in range(work.N_chunks):
        patch = work.unstitch(tensor, index)[None]
        work.stitch(patch, index, patch_var=patch)
    work.return_mean(std=True)


def on_disk(folder, pattern):
    """Size of files, MiB."""
    files = (p for top in folder.glob(pattern) for p in top.rglob("*") if p.is_file())
    return round(sum(p.stat().st_size for p in files) / 2**20)


def opponent(folder, side):
    """Seconds and peak memory of qlty in a process of its own."""
    found = []
    path = volume(folder, side)
    seconds = timed(
        lambda: found.append(peak_mib(__file__, "theirs", folder, path, "blend"))
    )
    return seconds, found[0], on_disk(folder, "qlty_*")


def row(folder, side, mode, turns, theirs_did):
    """Compare in one mode; the slow opponent ran once."""
    path = volume(folder, side)
    theirs_took, theirs_mib, theirs_disk = theirs_did
    ours(path, folder, mode)
    seconds = [timed(lambda: ours(path, folder, mode)) for _ in range(turns)]
    ratios = [theirs_took / each for each in seconds]
    found = Row(
        f"on-disk stitch, {mode}, {side}^3 float32",
        float(np.median(seconds)),
        theirs=theirs_took,
        ratio=float(np.median(ratios)),
        low=min(ratios),
        high=max(ratios),
        opponent="qlty LargeNCZYXQuilt",
        target="60x",
        turns=turns,
        theirs_mib=theirs_mib,
    )
    found.note = NOTE.format(
        ours=on_disk(folder, f"ours-{mode}.zarr"), theirs=theirs_disk
    )
    found.ours_mib = peak_mib(__file__, "ours", folder, path, mode)
    found.growth = growth(
        (side // 2, side),
        lambda s: lambda: ours(volume(folder, s), folder, mode),
        turns=2,
    )
    return found


def main():
    """Measure both modes, or do one of them once for its memory."""
    if len(sys.argv) == 5 and sys.argv[1] in ("ours", "theirs"):
        who, folder, path, mode = sys.argv[1:]
        (ours if who == "ours" else theirs)(Path(path), Path(folder), mode)
        return
    options = arguments(__doc__).parse_args()
    side = 256 if options.quick else 512
    folder = Path(tempfile.mkdtemp(prefix="stitch-"))
    try:
        theirs_did = opponent(folder, side)
        turns = options.turns
        save("stitch", *(row(folder, side, m, turns, theirs_did) for m in WEIGHTS))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
