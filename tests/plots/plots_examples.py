"""Something to draw for each kind of figure, made up."""

import numpy as np

from napari_sashiko.labels import LabelClass
from napari_sashiko.plots import (
    PLOTS,
    Confusion,
    Directions,
    Graphs,
    Intensities,
    Lengths,
    Link,
    MemberCurve,
    NetworkGraph,
    Reliability,
    ReliabilityCurve,
    Slices,
    TrainingCurves,
    data_kind,
)

CLASSES = (
    LabelClass(id=1, name="cement", color="#999999"),
    LabelClass(id=2, name="fibre", color="#e69f00"),
    LabelClass(id=4, name="void", color="#f0e442"),
)


def curves():
    epochs = np.arange(1, 13)
    return TrainingCurves(
        tuple(
            MemberCurve(
                f"network {n}",
                tuple(1.2 * np.exp(-epochs / (4 + n))),
                tuple(1.2 * np.exp(-epochs / (5 + n)) + 0.1),
                tuple(1 - 0.7 * np.exp(-epochs / (3 + n))),
            )
            for n in range(1, 5)
        )
    )


def reliability():
    nan = float("nan")
    said = (nan,) * 5 + tuple(np.linspace(0.37, 0.97, 10))
    right = (nan,) * 5 + tuple(np.linspace(0.37, 0.97, 10) - 0.05)
    counts = (0,) * 5 + tuple(int(n) for n in 40 * 1.5 ** np.arange(10))
    first = ReliabilityCurve("held-out strokes", said, right, counts)
    above = tuple(min(v + 0.08, 1.0) for v in right)
    return Reliability((first, ReliabilityCurve("truth", said, above, counts)))


def confusion():
    return Confusion(CLASSES, ((900, 80, 20), (10, 180, 10), (0, 5, 45)))


def lengths(count=300, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.gamma(5, 30, count)
    return Lengths(values, rng.random(count) < 0.2, "um", "fibre", "#e69f00")


def intensities(seed=0):
    rng = np.random.default_rng(seed)
    edges = np.arange(-0.5, 256, 4)
    painted, predicted = (
        {
            each.id: np.histogram(
                rng.normal(60 + 40 * each.id, width, size).clip(0, 250), edges
            )[0]
            for each in CLASSES
        }
        for width, size in ((12, 2000), (18, 50_000))
    )
    return Intensities(CLASSES, edges, painted, predicted)


def directions():
    azimuth, elevation = np.arange(-180.0, 181, 2), np.arange(-90.0, 91, 2)
    up, around = (np.radians((e[:-1] + e[1:]) / 2) for e in (elevation, azimuth))
    along = np.cos(up[:, None]) * np.cos(around[None] - 0.7)
    return Directions(
        azimuth, elevation, 0.05 + 0.4 * along**8, 24.0, 36.0, "um", "fibre"
    )


def graph():
    rng = np.random.default_rng(0)
    depth, dilations = 12, (1, 2, 4, 8, 16)
    links = [Link(0, node, "dilation 1") for node in range(1, depth + 1)]
    for node in range(1, depth):
        links += [
            Link(node, target, f"dilation {rng.choice(dilations)}")
            for target in sorted({*rng.integers(node + 1, depth + 1, 3).tolist()})
        ]
    links += [Link(n, depth + 1, "1×1, to the output") for n in range(depth + 1)]
    kinds = (*(f"dilation {d}" for d in dilations), "1×1, to the output")
    nodes = ("input", *map(str, range(1, depth + 1)), "output")
    return Graphs((NetworkGraph("Network 1: smsnet", nodes, tuple(links), kinds),))


def slices():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:90, :120]
    classes = np.where((x + y) // 20 % 3 == 0, 2, 1).astype(np.uint8)
    classes[60:, :30] = 4
    paint = np.zeros_like(classes)
    paint[10:13], paint[70:73, 5:25] = classes[10:13], 4
    image = 60.0 + 40 * classes + rng.normal(0, 10, classes.shape)
    std = rng.random(classes.shape).astype(np.float32) / 4
    return Slices(image, paint, classes, std, CLASSES, (0, 0), (1.2, 1.2), "um")


MAKERS = {
    Confusion: confusion,
    Directions: directions,
    Graphs: graph,
    Intensities: intensities,
    Lengths: lengths,
    Reliability: reliability,
    Slices: slices,
    TrainingCurves: curves,
}


def example(name):
    """Data for the figure of this name."""
    assert name in PLOTS
    return MAKERS[data_kind(name)]()
