"""Write docs/reference/samples.md, and its picture, from the registry of samples.

python docs/make_samples.py            writes both
python docs/make_samples.py --check    fails where the page is out of date
"""

import argparse
import inspect
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from napari_sashiko.samples import ARRAYS, SAMPLES

DOCS = Path(__file__).parent
PAGE = DOCS / "reference" / "samples.md"
PICTURE = DOCS / "images" / "samples.png"
HEAD = """# Samples

<!-- Written by docs/make_samples.py: change the samples, not this page. -->

`sashiko sample NAME FOLDER` writes one of these; equal versions of the program write
equal files. Those with strokes are in napari under *File > Open Sample > Sashiko*. All
but `nuclei` are made on your computer in seconds, and their truth is exact.

![A slice of each sample, and below it what is known of it](../images/samples.png)
"""
TAIL = """## Files

Each array is an OME-TIFF `([T,] Z, Y, X)` of its name, such as `image.tif`; one that
says one thing of each slice is a CSV. Names of classes are in `labels.classes.json`.
`micrographs` is a [folder of pictures](../how-to/folders.md): PNG, labels in grey
values, and what these mean in `classes.txt`.
Voxels of an image that are NaN were not measured: in the picture they are red.
"""
SIZES = """## What to try

- *Paint and train*: `fibres`, `filaments`, `nuclei`; `dendrites` with `--dims 2`, since
  its slices are pictures that have nothing to do with each other.
- [A folder of pictures](../how-to/folders.md): `micrographs`.
- [Images at several times](../how-to/time.md): `moving-nuclei`.
- [Take noise away, fill gaps](../how-to/restore.md): `noisy` with and without
  `--clean noisy/target.tif`, `scattering` with `--gaps`.
- [Reconstruct](../how-to/reconstruct.md): row k of the n rows of a sinogram was taken
  at 180 k / n degrees; `sashiko reconstruct` of `image` or `target` gives `phantom`.
- Scores of what came out: `napari_sashiko.metrics.ImageErrors` and
  `StructuralSimilarity` compare it with the target, block by block.

## Other sizes and seeds

The table has the sizes that are made when nothing else is asked for. In Python a sample
may be of another size, and of other chance; `scattering` may have other `bars`, and
`shapes` other `noise`, or be `centred`:

```python
from pathlib import Path

from napari_sashiko.pipeline import SAMPLES, write_sample

sample = SAMPLES["scattering"](seed=3, shape=(2, 96, 128))
files = write_sample(sample, Path("patterns"))
```

How far the image of a sample is from its target:

```python
from napari_sashiko.metrics import ImageErrors, StructuralSimilarity

sample = SAMPLES["noisy"](shape=(16, 48, 48))
for metric in (ImageErrors(), StructuralSimilarity(data_range=1.0)):
    metric.update(sample.image, sample.arrays["target"])
    scores = metric.compute()  # such as psnr, in dB, and ssim
```
"""
# It is fetched: what it is made of cannot be asked without the internet.
FETCHED = {
    "nuclei": (
        "60 x 256 x 256",
        "background, nucleus",
        {"image": "uint16", "labels": "uint8"},
    )
}
SMALL = (12, 64, 64)
PICTURED = {"fibres": (24, 160, 160), "filaments": (32, 160, 160)}  # others in full
BELOW = ("truth", "phantom", "target")


def main():
    """Write page and picture, or compare the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not options.check:
        PAGE.write_text(make_page(), encoding="utf-8")
        draw()
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != make_page():
        sys.exit(f"{PAGE.name} is out of date: run python docs/make_samples.py.")


def make_page():
    """Return the page as Markdown."""
    heads = ("sample", "what", "voxels", "classes", "files")
    files = [(f"`{key}`", f"{text}") for key, text in ARRAYS.items()]
    return "\n".join(
        [
            HEAD,
            table(heads, [row(name) for name in SAMPLES]),
            TAIL,
            table(("file", "what it holds"), files),
            SIZES,
        ]
    )


def row(name):
    """Return the cells of a sample."""
    make = SAMPLES[name]
    what = (make.__doc__ or "").splitlines()[0].replace("``", "`")
    if name in FETCHED:
        size, classes, kinds = FETCHED[name]
    else:
        shape = inspect.signature(make).parameters["shape"].default
        sample = make(shape=(*shape[: len(shape) - len(SMALL)], *SMALL))
        size = " x ".join(map(str, shape))
        classes = ", ".join(each.name for each in sample.classes)
        kinds = {key: array.dtype for key, array in sample.arrays.items()}
        if sample.parts:
            parts = [name for name, _ in sample.parts]
            kinds = {f"{part}/images|labels": "uint8" for part in parts}
    files = ", ".join(f"`{key}` {kind}" for key, kind in kinds.items())
    return f"`{name}`", what, size, classes, files


def table(heads, rows):
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows), ""])


def draw():
    """Draw a slice of every generated sample and of what is known of it."""
    names = [name for name in SAMPLES if name not in FETCHED]
    mpl.rcParams["font.size"] = 8
    figure = Figure(figsize=(1.5 * len(names), 3.4), layout="constrained")
    for axes, name in zip(figure.subplots(2, len(names)).T, names, strict=True):
        shape = {"shape": PICTURED[name]} if name in PICTURED else {}
        sample = SAMPLES[name](**shape)
        below = next(key for key in BELOW if key in sample.arrays)
        for axis, key in zip(axes, ("image", below), strict=True):
            show(axis, sample, key)
        axes[0].set_title(name)
    figure.savefig(PICTURE, dpi=110)


def show(axis, sample, key):
    """Show the middle slice; classes in their own colours."""
    plane = sample.arrays[key]
    while plane.ndim > 2:
        plane = plane[len(plane) // 2]
    if key == "truth":
        colours = ["#ffffff", *(each.color for each in sample.classes)]
        limits = {"cmap": mpl.colors.ListedColormap(colours), "vmin": -0.5}
        limits["vmax"] = len(colours) - 0.5
    else:
        grey = mpl.colormaps["gray"].with_extremes(bad="#c83737")
        low, high = np.nanpercentile(plane, (0.2, 99.8))
        limits = {"cmap": grey, "vmin": low, "vmax": high}
    axis.imshow(plane, interpolation="nearest", aspect="auto", **limits)
    axis.set(xticks=[], yticks=[], xlabel=key)


if __name__ == "__main__":
    main()
