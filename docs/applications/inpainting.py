"""Gaps of an X-ray detector: filled by networks that saw gaps elsewhere.

    python docs/applications/inpainting.py

After section 4.1 of the DLSIA paper. Writes pictures into ``docs/images`` and numbers
into ``docs/applications/inpainting.md``.
"""

import numpy as np
from matplotlib import colormaps
from pages import begin, panels, table
from skimage.restoration import inpaint_biharmonic

import napari_sashiko as ns
from napari_sashiko.metrics import ImageErrors
from napari_sashiko.pipeline import SAMPLES, open_restored, write_sample

SEED = 7
SHAPE = (48, 256, 256)
# Epochs that take about as long.
TUNET = {
    "network": "tunet",
    "network_settings": {"depth": 4, "base_channels": 16},
    "epochs": 400,
}
MSDNET = {"network": "msdnet", "network_settings": {"depth": 50}, "epochs": 55}
NETWORKS = {"TUNet": TUNET, "MSDNet": MSDNET}
# Widths of the bars across and along, as shares of the detector's side.
BARS = {
    "3.5 % and 2 %": ((0.035, 0.02), ("TUNet", "MSDNet")),
    "1 % and 0.5 %": ((0.01, 0.005), ("TUNet",)),
}
TINY = {"epochs": 1, "patch": 16, "batch": 2}
TINY_NETWORKS = {"TUNet": {"depth": 2, "base_channels": 4}, "MSDNet": {"depth": 4}}
SHOWN = 3  # pictures
PART = (36, 72)  # pixels of a part that is shown large
OFF = 0.5  # error that is shown in full colour, log10 of counts
HEADS = (
    "bars, of the detector's side",
    "filled by",
    "correlation in gaps",
    "across",
    "along",
    "in counts",
    "whole pictures",
)


def main():
    """Fill gaps in several ways, score, draw, write."""
    with begin("inpainting", __doc__) as (page, work, quick):
        rows = []
        for number, (width, (bars, networks)) in enumerate(BARS.items()):
            shape = (3, 80, 80) if quick else SHAPE
            sample = SAMPLES["scattering"](seed=SEED, shape=shape, bars=bars)
            image = write_sample(sample, work / str(number))["image"]
            filled = {"biharmonic": biharmonic(sample)}
            for name in networks:
                settings = {"members": 1} | NETWORKS[name]
                if quick:
                    settings |= TINY | {"network_settings": TINY_NETWORKS[name]}
                filled[name] = fill(image, work / str(number) / name, settings)
            rows += [[width, who, *scores(how, sample)] for who, how in filled.items()]
            if number == 0:
                page.draw(draw_pictures(sample, filled), "inpainting")
                page.draw(draw_parts(sample, filled), "inpainting-parts")
        page.fill(table(HEADS, rows))


def fill(image, work, settings):
    """Learn to fill the gaps of an image, and fill them."""
    model, out = work / "gaps.sashiko-model", work / "filled.zarr"
    ns.restore(image, model, gaps=True, **settings)
    ns.predict(model, image, out)
    return np.asarray(open_restored(out).mean)[0]


def biharmonic(sample):
    """Fill gaps with the smoothest surface, which has learned nothing."""
    image, gaps = np.nan_to_num(sample.image), sample.arrays["gaps"] > 0
    pairs = zip(image.astype(float), np.ascontiguousarray(gaps), strict=True)
    return np.stack([inpaint_biharmonic(plane, hole) for plane, hole in pairs])


def scores(filled, sample):
    """Pearson correlation with what there is, in gaps of all pictures and beyond."""
    target, gaps = sample.arrays["target"], sample.arrays["gaps"] > 0
    across = np.broadcast_to(gaps[0].all(axis=1)[:, np.newaxis], gaps.shape)
    counts = [10.0**each - 1 for each in (filled, target)]
    found = [
        pearson(filled, target, gaps),
        pearson(filled, target, gaps & across),
        pearson(filled, target, gaps & ~across),
        pearson(*counts, gaps),
        pearson(filled, target, np.ones_like(gaps)),
    ]
    return [f"{value:.4f}" for value in found]


def pearson(image, truth, only):
    """Correlation over the voxels of a mask."""
    metric = ImageErrors()
    metric.update(image, truth, ~only)
    return metric.compute().pearson


def draw_pictures(sample, filled):
    """Whole pictures: with gaps, filled, and as they are."""
    columns = shown(sample, filled)
    figure, axes = panels(SHOWN, len(columns), 5.2)
    for column, (name, pictures) in zip(axes.T, columns.items(), strict=True):
        column[0].set_title(name, fontsize=9)
        for place, axis in enumerate(column):
            axis.imshow(pictures[place], **grey(sample.arrays["target"][place]))
    return figure


def draw_parts(sample, filled):
    """Parts where a smooth surface is most wrong, and how far off each filling is."""
    columns, target = shown(sample, filled), sample.arrays["target"]
    figure, axes = panels(2 * SHOWN, len(columns), 5.9)
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(name, fontsize=9)
    wrong = np.abs(filled["biharmonic"] - target) * sample.arrays["gaps"]
    for number in range(SHOWN):
        part = (number, *around(wrong[number]))
        for place, pictures in enumerate(columns.values()):
            above, below = axes[2 * number : 2 * number + 2, place]
            above.imshow(pictures[part], interpolation="nearest", **grey(target[part]))
            off = pictures[part] - target[part]
            if 0 < place < len(columns) - 1:
                drawn = below.imshow(
                    np.where(sample.arrays["gaps"][part], off, 0),
                    cmap="RdBu_r",
                    vmin=-OFF,
                    vmax=OFF,
                    interpolation="nearest",
                )
            else:
                below.set_axis_off()
    bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.4, aspect=30)
    bar.set_label("filled − what there is, log10(1 + counts)", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return figure


def shown(sample, filled):
    """Stacks of pictures by their titles."""
    return {
        "with gaps": sample.image,
        **filled,
        "what there is": sample.arrays["target"],
    }


def grey(truth):
    """Grey scale of a picture; gaps in red."""
    colours = colormaps["gray"].with_extremes(bad="#c83737")
    return {"cmap": colours, "vmin": float(truth.min()), "vmax": float(truth.max())}


def around(wrong):
    """The part of a picture around its largest error, as two slices."""
    peak = np.unravel_index(np.argmax(wrong), wrong.shape)
    size = [min(edge, n) for edge, n in zip(PART, wrong.shape, strict=True)]
    starts = [
        int(np.clip(at - edge // 2, 0, n - edge))
        for at, edge, n in zip(peak, size, wrong.shape, strict=True)
    ]
    return tuple(slice(s, s + e) for s, e in zip(starts, size, strict=True))


if __name__ == "__main__":
    main()
