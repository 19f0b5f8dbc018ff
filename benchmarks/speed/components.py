"""Objects of a mask larger than memory, dust removed, labels on disk.

python benchmarks/speed/components.py [--quick]

Ours and cc3d in RAM (read everything, label, count, remove dust, write) at the full
size, and dask-image (`pip install dask-image`) at a quarter of the side: at half of
it, it had not ended after seven minutes.
The predictions are written block by block into a temporary folder: 3 GB at the full
size.
"""

import tempfile
from itertools import product
from pathlib import Path

import cc3d
import numpy as np
import zarr
from paired import arguments, growth, paired, peak_mib, save
from scipy.ndimage import uniform_filter

from napari_sashiko.instances import (
    InstanceSettings,
    component_sizes,
    segment_instances,
)
from napari_sashiko.instances.cache import cache_path
from napari_sashiko.prediction.store import Layout, create_store

CELL = 128
DUST = 20
KINDS = 8
SHARE = 0.07  # of voxels in objects
FINE, COARSE = 5, 11  # side of the blur: about 450 and 50 objects in a million voxels


def make(path, shape, blur=FINE):
    """Write a prediction of noise as a program that predicts would, cell by cell."""
    rng = np.random.default_rng(0)
    noise = [rng.random((CELL,) * 3, np.float32) for _ in range(KINDS)]
    smooth = [uniform_filter(each, blur, mode="wrap") for each in noise]
    limit = np.quantile(smooth[0], 1 - SHARE)
    width = np.float32(4 / smooth[0].std())
    cells = [(1 / (1 + np.exp((limit - s) * width))).astype(np.float16) for s in smooth]
    record = {
        "format_version": 1,
        "kind": "prediction",
        **dict.fromkeys(("model_digest", "input_digest", "plan_digest"), path.name),
        "plan": {},
        "shape": list(shape),
        "voxel_size": [1.0, 1.0, 1.0],
        "unit": "pixel",
        "flat": False,
        "classes": [{"id": 1, "name": "rest"}, {"id": 2, "name": "fibre"}],
    }
    layout = Layout(shape, (CELL,) * 3, 2, "float16", flat=False)
    create_store(path, layout, record, voxel_size=(1.0,) * 3, unit="pixel")
    mean = zarr.open_array(str(path / "mean" / "0"), mode="r+")
    for z, y, x in product(*(range(0, n, CELL) for n in shape)):
        cell = cells[rng.integers(KINDS)]
        cell = np.flip(cell, np.flatnonzero(rng.integers(0, 2, 3)))
        mean[1, z : z + CELL, y : y + CELL, x : x + CELL] = cell
    return path


def ours(path, runner="threads"):
    """Find, dust, write; nothing is remembered from the run before."""
    cache_path(path).unlink(missing_ok=True)
    settings = InstanceSettings(label_class=2, dust=str(DUST), runner=runner)
    for _ in segment_instances(path, path.with_suffix(".ours"), settings):
        pass
    sizes = component_sizes(path, settings)  # remembered
    return sizes[sizes >= DUST]


def in_memory(path):
    """The same by cc3d with all arrays in RAM; label 1 is the largest here, too."""
    mean = zarr.open_array(str(path / "mean" / "0"), mode="r")
    mask = mean[1] > np.float16(0.5)
    labels, count = cc3d.connected_components(mask, return_N=True, out_dtype=np.uint32)
    del mask
    sizes = sizes_of(labels, count)
    names = np.zeros(count + 1, np.uint32)
    order = np.argsort(-sizes[1:], kind="stable")
    kept = int((sizes[1:] >= DUST).sum())
    names[order[:kept] + 1] = np.arange(1, kept + 1)
    out = written(path, ".cc3d", mean)
    for z in range(0, labels.shape[0], CELL):
        out[z : z + CELL] = names[labels[z : z + CELL]]
    return np.sort(sizes[1:])[count - kept :]


def by_dask_image(path):
    """The same by dask-image, which labels block by block through dask.array."""
    import dask  # noqa: PLC0415
    import dask.array as da  # noqa: PLC0415
    from dask_image.ndmeasure import label  # noqa: PLC0415

    mean = zarr.open_array(str(path / "mean" / "0"), mode="r")
    mask = da.from_array(mean, chunks=(1, CELL, CELL, CELL))[1] > np.float16(0.5)
    labels, count = label(mask, structure=np.ones((3, 3, 3)))
    labels, count = dask.persist(labels.astype(np.uint32), count, scheduler="threads")
    count = int(count)
    sizes = np.zeros(count + 1, np.int64)
    for block in labels.blocks.ravel():
        sizes += np.bincount(block.compute().ravel(), minlength=count + 1)
    names = np.zeros(count + 1, np.uint32)
    kept = sizes[1:] >= DUST
    names[1:][kept] = np.arange(1, kept.sum() + 1)
    final = labels.map_blocks(lambda part: names[part], dtype=np.uint32)
    da.store(final, written(path, ".dask-image", mean), scheduler="threads")
    return np.sort(sizes[1:][kept])


def sizes_of(labels, count):
    """Voxels of labels 0 to `count`, slab by slab: bincount copies to 64 bits."""
    sizes = np.zeros(count + 1, np.int64)
    for z in range(0, len(labels), 16):
        sizes += np.bincount(labels[z : z + 16].ravel(), minlength=count + 1)
    return sizes


def written(path, suffix, mean):
    return zarr.create_array(
        str(path.with_suffix(suffix)),
        shape=mean.shape[1:],
        chunks=mean.chunks[1:],
        dtype="uint32",
        compressors=zarr.codecs.BloscCodec(cname="lz4", clevel=3, shuffle="bitshuffle"),
        overwrite=True,
    )


def compared(path, other, **words):
    """Time ours and another's in turns, and refuse what finds other sizes."""
    found = {}

    def run(contender):
        found[contender] = contender(path)

    row = paired("", lambda: run(ours), lambda: run(other), warm=False, **words)
    if not np.array_equal(found[ours], found[other]):
        raise SystemExit(f"{path.name}: contenders find other objects")
    side = round(np.prod(zarr.open(str(path / "mean" / "0")).shape[1:]) ** (1 / 3))
    row.item = f"components and dust, {side}^3, {len(found[ours])} objects"
    script = Path(__file__)
    row.ours_mib = peak_mib(script, "--once", "ours", path)
    row.theirs_mib = peak_mib(script, "--once", other.__name__, path)
    return row


def main():
    args = arguments(__doc__)
    args.add_argument("--once", nargs=2, metavar=("NAME", "PATH"), help="for memory")
    args.add_argument("--side", type=int, default=1024, help="voxels")
    args = args.parse_args()
    if args.once:
        CONTENDERS[args.once[0]](Path(args.once[1]))
        return
    side = 256 if args.quick else args.side
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), side, min(args.turns, 2))


def measure(folder, side, turns):
    half = side // 2
    big = make(folder / "big.zarr", (side,) * 3)
    ram = compared(big, in_memory, turns=1, opponent="cc3d in RAM", target="0.5x, 1 GB")
    ram.note = (
        "From probabilities on disk to labels on disk; the same sizes are found. cc3d "
        "holds the whole volume, ours labels each block twice and holds a few."
    )
    small = make(folder / "small.zarr", (side // 4,) * 3)
    dask = compared(
        small, by_dask_image, turns=turns, opponent="dask-image", target="20x"
    )
    dask.note = (
        "At a quarter of the side: at half of it, dask-image had not ended after seven "
        "minutes, for which ours takes seconds."
    )
    dask.growth = growth(
        ("1/16", "1/8", "1/4"),
        lambda name: grown(folder, side, int(name[2:])),
        turns=1,
    )
    fine = make(folder / "fine.zarr", (half,) * 3)
    more = compared(fine, in_memory, turns=turns, opponent="cc3d in RAM")
    coarse = make(folder / "coarse.zarr", (half,) * 3, COARSE)
    fewer = compared(coarse, in_memory, turns=turns, opponent="cc3d in RAM")
    fewer.note = "As many voxels, fewer objects: what the number of objects costs."
    save("components", ram, dask, more, fewer)


def grown(folder, side, part):
    """Prepare this part of the volume: a slab of half, a quarter, ... of the depth."""
    path = folder / f"{part}.zarr"
    if not path.exists():
        make(path, (side * 4 // part, side // 2, side // 2))
    return lambda: ours(path)


CONTENDERS = {"ours": ours, "in_memory": in_memory, "by_dask_image": by_dask_image}

if __name__ == "__main__":
    main()
