"""Fibres in noisy tomography: five SMSNets, few strokes, fibres one by one.

    python docs/applications/fibres.py

After section 4.2 of the DLSIA paper. Writes pictures into ``docs/images`` and numbers
into ``docs/applications/fibres.md``.
"""

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from pages import WIDTH, begin, panels, table
from PIL import Image
from skimage.measure import label, regionprops

import napari_sashiko as ns
from napari_sashiko.pipeline import (
    SAMPLES,
    TrainingStarted,
    open_instances,
    open_prediction,
    write_sample,
)

SEED = 3
SETTINGS = {"network": "smsnet", "members": 5, "epochs": 12, "forest": False}
DUST = "200"  # voxels
SAME = 0.5  # intersection over union of a fibre with what was found of it
CLASS = "fibre"
PAINT = ("#0072b2", "#e69f00", "#56b4e9", "#cc79a7")  # cement is not seen in its grey
TINY = {
    "forest": True,
    "members": 2,
    "epochs": 1,
    "patch": 16,
    "batch": 2,
    "network_settings": {"depth": 4, "width": 2},
}
RULES = {"mean > 0.5": 0.0, "mean − std > 0.5": 1.0}


def main():
    """Train, predict, find, compare, draw, write."""
    with begin("fibres", __doc__) as (page, work, quick):
        shape = {"shape": (16, 72, 72)} if quick else {}
        sample = SAMPLES["fibres"](seed=SEED, **shape)
        place = [each.name for each in sample.classes].index(CLASS)
        truth = label(sample.truth == sample.classes[place].id, connectivity=3)
        settings = SETTINGS | (TINY if quick else {})
        parameters = segment(sample, work, settings)
        draw_directions(work, page)
        prediction = open_prediction(work / "fibres.zarr")
        mean, std = (
            np.asarray(each[place]) for each in (prediction.mean, prediction.std)
        )
        rows, objects, measured = [], {}, {}
        for rule, k in RULES.items():
            out, csv = work / f"objects-{k:.0f}.zarr", work / f"objects-{k:.0f}.csv"
            find = {"label_class": CLASS, "minus_std": k, "dust": DUST, "table": csv}
            ns.segment_instances(work / "fibres.zarr", out, **find)
            objects[rule] = np.asarray(open_instances(out).labels)
            measured[rule] = pd.read_csv(csv)
            voxels = f1(mean - k * std > 0.5, truth > 0)
            rows.append([rule, voxels, *matches(objects[rule], truth)])
        page.draw(draw_maps(sample, mean, std, objects[rule], truth), "fibres-maps")
        known = lengths_of(truth, sample.voxel_size)
        page.draw(draw_lengths(measured[rule], known, sample), "fibres-lengths")
        page.fill(
            paint_words(sample, parameters, settings["members"]),
            table(HEADS, rows),
            length_words(measured[rule], known),
        )


def segment(sample, work, settings):
    """Train on the strokes and predict the volume; return weights of a network."""
    files = write_sample(sample, work)
    started = []

    def listen(event):
        if isinstance(event, TrainingStarted):
            started.append(event)

    model = work / "fibres.sashiko-model"
    ns.train(files["image"], files["labels"], model, report=listen, **settings)
    ns.predict(model, files["image"], work / "fibres.zarr")
    return started[0].parameters // settings["members"]


HEADS = (
    "a voxel is fibre where",
    "F1 of voxels",
    "fibres found",
    "of all true ones",
    "of all found ones",
)


def f1(found, truth):
    """F1 of a mask."""
    both = (found & truth).sum()
    return f"{2 * both / max(found.sum() + truth.sum(), 1):.3f}"


def matches(found, truth):
    """How many objects there are, and shares of both that have their like."""
    sizes, trues = (np.bincount(each.ravel()) for each in (found, truth))
    inside = (found > 0) & (truth > 0)
    pairs, common = np.unique(
        np.stack([found[inside], truth[inside]]), axis=1, return_counts=True
    )
    union = sizes[pairs[0]] + trues[pairs[1]] - common
    same = int((common / union > SAME).sum())  # above 1/2, each has one like at most
    count, known = int((sizes[1:] > 0).sum()), len(trues) - 1
    shares = (f"{same} of {known}", f"{same} of {count}")
    return [str(count), *shares]


def lengths_of(labels, voxel_size):
    """Extent along the main axis, and whether the border is touched."""
    rows = []
    for each in regionprops(labels):
        coords = each.coords * voxel_size
        axis = np.linalg.svd(coords - coords.mean(0), full_matrices=False)[2][0]
        along = coords @ axis
        extent = np.ptp(along) + np.abs(axis) @ voxel_size  # voxels are boxes
        low, high = np.array(each.bbox[:3]), np.array(each.bbox[3:])
        cut = bool((low == 0).any() or (high == labels.shape).any())
        rows.append((extent, cut))
    return pd.DataFrame(rows, columns=["length", "touches_border"])


def whole_lengths(objects):
    """Lengths of those that do not touch the border, where they may go on."""
    return objects.loc[~objects["touches_border"].astype(bool), "length"]


def paint_words(sample, parameters, members):
    """Say how much was painted, and who learned from it."""
    strokes = sample.sparse_labels
    ids = {each.name: each.id for each in sample.classes}
    painted, fibre = int((strokes > 0).sum()), int((strokes == ids[CLASS]).sum())
    slices = int((strokes > 0).any(axis=(1, 2)).sum())
    return (
        f"{members} SMSNets of about {parameters:,} weights each; {painted:,} painted "
        f"voxels on {slices} slices, {painted / strokes.size:.2%} of the volume; "
        f"{fibre:,} of them on fibres.\n"
    )


def length_words(found, known):
    """Compare the lengths of fibres that do not touch the border."""
    both = (whole_lengths(each) for each in (found, known))
    words = (
        f"{len(lengths)} whole fibres with a median of {lengths.median():.0f} µm"
        for lengths in both
    )
    return "Found with the deviation taken off: {}; true: {}.\n".format(*words)


def draw_maps(sample, mean, std, objects, truth):
    """One painted slice: image, strokes, maps, objects."""
    strokes = sample.sparse_labels
    z = int((strokes > 0).sum(axis=(1, 2)).argmax())
    figure, axes = panels(2, 3, 6.0)
    grey = {"cmap": "gray", "interpolation": "nearest"}
    colours = ["#00000000", *PAINT]
    paint = {"cmap": ListedColormap(colours), "vmin": 0, "vmax": len(colours) - 1}
    share = {"cmap": "magma", "vmin": 0, "interpolation": "nearest"}
    titles = (
        "image with all strokes of this slice",
        "mean of the networks",
        "standard deviation",
        "mean − std",
        "objects where that is above 0.5",
        "true fibres",
    )
    for axis, title in zip(axes.flat, titles, strict=True):
        axis.set_title(title, fontsize=9)
    axes[0, 0].imshow(sample.image[z], **grey)
    axes[0, 0].imshow(strokes[z], interpolation="nearest", **paint)
    maps = ((mean, 1.0), (std, 0.5), ((mean - std).clip(0), 1.0))
    for axis, (values, top) in zip(axes.flat[1:4], maps, strict=True):
        drawn = axis.imshow(values[z], vmax=top, **share)
        bar = figure.colorbar(drawn, ax=axis, shrink=0.8, pad=0.02)
        bar.ax.tick_params(labelsize=7)
        bar.outline.set_visible(False)
    names = [each.name for each in sample.classes]
    keys = [Patch(color=c, label=n) for c, n in zip(PAINT, names, strict=True)]
    how = {"loc": "outside lower left", "ncols": len(keys), "frameon": False}
    figure.legend(handles=keys, fontsize=9, title="strokes", title_fontsize=9, **how)
    random = np.random.default_rng(1).uniform(0.25, 1, (4096, 3))
    random[0] = 0
    for axis, labels in zip(axes.flat[4:], (objects, truth), strict=True):
        axis.imshow(random[labels[z] % len(random)], interpolation="nearest")
    return figure


def draw_lengths(found, known, sample):
    """Lengths of whole fibres, found and true."""
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    axes = figure.subplots()
    colour = next(each.color for each in sample.classes if each.name == CLASS)
    tables = {"found": found, "true": known}
    whole = {name: whole_lengths(each) for name, each in tables.items()}
    top = max((each.max() for each in whole.values() if len(each)), default=1)
    edges = np.linspace(0, top, 16)
    axes.hist(whole["true"], edges, color="#cccccc", label="true")
    how = {"histtype": "step", "linewidth": 2, "color": colour}
    axes.hist(whole["found"], edges, label="found", **how)
    axes.set(xlabel="end-to-end length, µm", ylabel="whole fibres")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def draw_directions(work, page):
    """Into which directions fibres reach, as `sashiko report` draws it."""
    how = {"format": "png", "figures": ["directions"], "label_class": CLASS}
    drawn = ns.report(work / "fibres.zarr", work / "plots", **how)
    for name in drawn.figures:
        page.keep(Image.open(work / "plots" / f"{name}.png"), f"fibres-{name}")


if __name__ == "__main__":
    main()
