"""Labelled windows found, and gathered, in the papers' volume.

    python benchmarks/speed/patches.py

236 x 720 x 510 voxels, windows of 64 with steps of 32: 2 310 windows, about 53 000
labelled voxels in strokes. qlty cuts image and labels into all windows and weeds out
the empty ones; ours finds them from the coordinates and reads those alone.
"""

import sys
from functools import partial

import numpy as np
import torch
from paired import arguments, growth, paired, peak_mib, save
from published import published

from napari_sashiko.labels import labelled_voxels
from napari_sashiko.patches import Grid, labelled_windows
from napari_sashiko.volumes import as_volume

SHAPE, WINDOW, STEP, BORDER = (236, 720, 510), (64,) * 3, (32,) * 3, (10,) * 3
STROKES = 44
QUICK = (118, 360, 255)


def strokes(shape, count):
    """Labels of two classes: flat strokes of 5 x 240 voxels along x, or shorter."""
    rng = np.random.default_rng(0)
    labels = np.zeros(shape, np.uint8)
    length = min(240, shape[2] // 2)
    size = (1, 5, length)
    for number in range(count):
        z, y, x = (
            int(rng.integers(0, n - s)) for n, s in zip(shape, size, strict=True)
        )
        labels[z, y : y + 5, x : x + length] = 1 + number % 2
    return labels


def image(shape):
    """Make grey values; what they are does not matter."""
    return np.random.default_rng(1).random(shape, np.float32)


def gathered(volume, grid, found):
    """Read the windows one after another, as training does; none is kept."""
    total = 0
    places = np.stack(np.unravel_index(found, [len(s) for s in grid.starts]), 1)
    for place in places:
        z, y, x = (
            slice(starts[i], starts[i] + size)
            for starts, i, size in zip(grid.starts, place, grid.size, strict=True)
        )
        total += volume.read((z, y, x)).shape[-1]
    return total


def ours(volume, labels, *, gather):
    """Find labelled windows from the labels' array, and read them."""
    grid = Grid(labels.shape, WINDOW, STEP)
    found = labelled_windows(labelled_voxels(labels), grid, BORDER)
    if gather:
        gathered(volume, grid, found)
    return found


def theirs(values, labels):
    """Cut all windows, mark borders, weed out the empty ones."""
    quilt = published("qlty.qlty3DLarge").LargeNCZYXQuilt
    work = quilt("", 1, *labels.shape, window=WINDOW, step=STEP, border=BORDER)
    image = torch.from_numpy(values)[None, None]
    missing = torch.from_numpy(labels)[None].to(torch.float32) - 1
    return work.unstitch_and_clean_sparse_data_pair(image, missing, -1)


def main():
    """Measure finding alone, and finding with gathering."""
    if sys.argv[1:2] in (["ours"], ["theirs"]):
        labels, values = strokes(SHAPE, STROKES), image(SHAPE)
        if sys.argv[1] == "ours":
            ours(as_volume(values), labels, gather=True)
        else:
            theirs(values, labels)
        return
    options = arguments(__doc__).parse_args()
    shape = QUICK if options.quick else SHAPE
    labels, values = strokes(shape, STROKES), image(shape)
    volume, known = as_volume(values), labelled_voxels(labels)
    grid = Grid(shape, WINDOW, STEP)
    rows = []
    for gather, words in ((False, "found"), (True, "found and gathered")):
        row = paired(
            f"labelled windows {words}, {' x '.join(map(str, shape))}",
            lambda gather=gather: ours(volume, labels, gather=gather),
            lambda: theirs(values, labels),
            turns=min(options.turns, 2 if not options.quick else 5),
            warm=options.quick,
            opponent="qlty unstitch and weed",
            target="30x",
        )
        row.growth = growth(
            (22, 44, 88),
            lambda count, gather=gather: partial(
                ours, volume, strokes(shape, count), gather=gather
            ),
        )
        rows.append(row)
    found = labelled_windows(known, grid, BORDER)
    alone = paired("", lambda: labelled_windows(known, grid, BORDER)).ours
    rows[0].note = (
        f"{len(found)} of {len(grid)} windows hold some of {len(known.values)} "
        "labelled voxels. Time goes into looking through dense labels; from known "
        f"coordinates, as in training, it takes {1000 * alone:.1f} ms."
    )
    rows[1].note = (
        "Windows are read one by one and not kept; the limit is copying memory. qlty "
        "gives back all windows at once. Growth is by strokes."
    )
    if not options.quick:
        rows[1].ours_mib = peak_mib(__file__, "ours")
        rows[1].theirs_mib = peak_mib(__file__, "theirs")
    save("patches", *rows)


if __name__ == "__main__":
    main()
