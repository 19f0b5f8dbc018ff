"""Random shapes in 16 numbers: an autoencoder, its latent space, its clusters.

    python docs/applications/shapes.py

After section 4.3 of the DLSIA paper. Writes pictures into ``docs/images`` and numbers
into ``docs/applications/shapes.md``.
"""

import numpy as np
import pandas as pd
import tifffile
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from pages import GREY, WIDTH, begin, panels, table
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

import napari_sashiko as ns
from napari_sashiko.pipeline import SAMPLES, write_sample

LEARNED, NEW = 2000, 1000  # pictures to learn from, and others to look at
EDGE = 64
NETWORK = {"depth": 4, "base_channels": 16}
LATENT = 16
SETTINGS = {"network_settings": NETWORK, "epochs": 40, "batch": 16}
TINY = {"network_settings": {"depth": 2, "base_channels": 2}, "epochs": 1}
SEEDS = (101, 102)
CASES = {
    "in the middle, as in the paper": {"centred": True, "noise": 0.0},
    "anywhere, with noise": {"centred": False, "noise": 0.3},
}
SHOWN = 8  # pictures beside what is made of them
SPREAD = 110  # pictures on the plane


def main():
    """Train, look, draw, write."""
    with begin("shapes", __doc__) as (page, work, quick):
        rows = []
        for number, (words, how) in enumerate(CASES.items()):
            sample, found, made = run(work / str(number), how, quick=quick)
            rows.append([words, *scores(sample, found, made)])
            if number == 0:
                page.draw(draw_plane(sample, found), "shapes-plane")
                page.draw(draw_pairs(sample, made), "shapes-made")
        heads = (
            "shapes lie",
            "correlation, in and out",
            "with the shape without noise",
            "neighbours of the same kind",
            "the same on the plane",
        )
        page.fill(table(heads, rows))


def run(work, how, *, quick):
    """Return new pictures, their table, and what is made of their numbers."""
    counts, edge = ((40, 24), 32) if quick else ((LEARNED, NEW), EDGE)
    learned, new = (
        SAMPLES["shapes"](seed=seed, shape=(count, edge, edge), **how)
        for seed, count in zip(SEEDS, counts, strict=True)
    )
    model, out, made = (work / n for n in ("m.sashiko-model", "new.csv", "made.tif"))
    image = write_sample(learned, work / "learned")["image"]
    other = write_sample(new, work / "new")["image"]
    ns.explore(image, model, latent=LATENT, **(TINY if quick else SETTINGS))
    ns.embed(model, other, out, made=made, method="tsne")
    return new, pd.read_csv(out), tifffile.imread(made)


def scores(sample, found, made):
    """Correlation with what came in, with the shapes alone, and who lies by whom."""
    kinds = sample.arrays["kinds"]
    latents = found.filter(like="latent_").to_numpy()
    alike = [
        cross_val_score(KNeighborsClassifier(5), numbers, kinds, cv=4).mean()
        for numbers in (latents, found[["u", "v"]].to_numpy())
    ]
    pairs = [(sample.image, made), (sample.arrays["target"], made)]
    same = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]
    return [f"{value:.3f}" for value in same] + [f"{value:.1%}" for value in alike]


def draw_plane(sample, found):
    """Pictures at their places on the plane, each kind in its colour."""
    kinds = sample.arrays["kinds"]
    points = found[["u", "v"]].to_numpy()
    figure = Figure(figsize=(WIDTH, 6.4), layout="constrained")
    axes = figure.subplots()
    for each in sample.classes[1:]:
        some = kinds == each.id
        label = f"{each.name}, {some.sum()}"
        axes.scatter(*points[some].T, s=7, color=each.color, label=label)
    for place in apart(points, SPREAD):
        colour = next(c.color for c in sample.classes if c.id == kinds[place])
        tile = OffsetImage(
            1 - sample.arrays["target"][place], cmap="gray", zoom=22 / EDGE
        )
        axes.add_artist(
            AnnotationBbox(
                tile,
                points[place],
                pad=0.1,
                bboxprops={"edgecolor": colour, "linewidth": 1.2},
            )
        )
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel("two coordinates of 16 numbers, by t-SNE", color=GREY)
    for side in axes.spines.values():
        side.set_color("#cccccc")
    figure.legend(loc="outside upper center", ncols=4, frameon=False, markerscale=2)
    return figure


def apart(points, count):
    """Places of points that lie far from each other, one after the other."""
    chosen = [0]
    away = np.full(len(points), np.inf)
    for _ in range(min(count, len(points)) - 1):
        away = np.minimum(away, np.linalg.norm(points - points[chosen[-1]], axis=1))
        chosen.append(int(away.argmax()))
    return chosen


def draw_pairs(sample, made):
    """Some pictures of each kind, above what is made of their 16 numbers."""
    kinds = sample.arrays["kinds"]
    ids = [each.id for each in sample.classes[1:]]
    each_kind = SHOWN // len(ids)
    chosen = [int(i) for k in ids for i in np.flatnonzero(kinds == k)[:each_kind]]
    figure, axes = panels(2, len(chosen), 2.25)
    for column, place in enumerate(chosen):
        for axis, picture in zip(axes[:, column], (sample.image, made), strict=True):
            axis.imshow(picture[place], cmap="gray", vmin=0, vmax=1)
    axes[0, 0].set_ylabel("in")
    axes[1, 0].set_ylabel("out")
    return figure


if __name__ == "__main__":
    main()
