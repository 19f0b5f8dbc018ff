"""Decision trees as plain arrays: grown by scikit-learn, kept without pickle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

Arrays = dict[str, NDArray[Any]]

LEAF = 5  # voxels in a leaf, but so few that the rarest class fills some leaves
LEAVES = 8
FEATURES = 0.1  # share that a random split chooses from
_LEAF = -1  # child of a node that has none
_SPLITS = ("left_child", "right_child", "feature", "threshold")


def grow(
    features: NDArray[np.float32],
    classes: NDArray[np.intp],
    *,
    trees: int,
    seed: int,
    threads: int,
) -> list[Tree]:
    """Grow half a random forest and half an extremely randomised one.

    Their errors differ, so that together they are better than either (Breiman, Mach.
    Learn. 45, 5, 2001; Geurts et al., Mach. Learn. 63, 3, 2006). Few strokes are easily
    learned by heart: leaves are large and few features are looked at for each split
    (docs/explanation/tried.md).

    Parameters
    ----------
    features : numpy.ndarray
        ``(N, F)`` float32.
    classes : numpy.ndarray
        ``(N,)`` class indices 0..C-1; each must occur.
    trees : int
        Number of trees in all.
    seed : int
        Fixes every random choice.
    threads : int
        Threads that grow trees.
    """
    rarest = int(np.bincount(classes).min())
    settings: dict[str, Any] = {
        "n_jobs": threads,
        "random_state": seed,
        "min_samples_leaf": min(LEAF, max(1, rarest // LEAVES)),
    }
    half = max(1, trees // 2)
    forests = (
        RandomForestClassifier(half, **settings),
        ExtraTreesClassifier(max(1, trees - half), max_features=FEATURES, **settings),
    )
    return [
        member.tree_
        for forest in forests
        for member in forest.fit(features, classes).estimators_
    ]


def to_arrays(trees: list[Tree]) -> Arrays:
    """Lay trees end to end: splits per node, class shares per node, node counts."""
    states = [tree.__getstate__() for tree in trees]
    nodes = np.concatenate([state["nodes"] for state in states])
    arrays = {name: np.ascontiguousarray(nodes[name]) for name in _SPLITS}
    arrays["shares"] = np.concatenate([state["values"][:, 0] for state in states])
    arrays["nodes"] = np.array([state["node_count"] for state in states], np.int64)
    arrays["depth"] = np.array([state["max_depth"] for state in states], np.int64)
    return arrays


def from_arrays(arrays: Arrays, n_features: int) -> list[Tree]:
    """Rebuild trees that answer as the ones they came from.

    Raises
    ------
    ValueError
        If the arrays are no trees: walking damaged ones would leave their memory.
    """
    _check(arrays, n_features)
    n_classes = arrays["shares"].shape[1]
    layout = _node_layout()
    ends = np.cumsum(arrays["nodes"])
    trees = []
    for end, count, depth in zip(ends, arrays["nodes"], arrays["depth"], strict=True):
        part = slice(end - count, end)
        nodes = np.zeros(count, layout)
        for name in _SPLITS:
            nodes[name] = arrays[name][part]
        tree = Tree(n_features, np.array([n_classes], np.intp), 1)
        tree.__setstate__(
            {
                "max_depth": int(depth),
                "node_count": int(count),
                "nodes": nodes,
                "values": np.ascontiguousarray(arrays["shares"][part][:, None, :]),
            }
        )
        trees.append(tree)
    return trees


def _check(arrays: Arrays, n_features: int) -> None:
    nodes, total = arrays["nodes"], len(arrays["shares"])
    lengths = {len(arrays[name]) for name in _SPLITS}
    if not len(nodes) or nodes.min() < 1 or {int(nodes.sum())} | lengths != {total}:
        raise ValueError("the number of nodes does not fit")
    places = np.arange(total) - np.repeat(np.cumsum(nodes) - nodes, nodes)
    left, right = arrays["left_child"], arrays["right_child"]
    leaf = (left == _LEAF) & (right == _LEAF)
    nearest, farthest = np.minimum(left, right), np.maximum(left, right)
    # Children come after their parent, so that every walk ends.
    inside = (nearest > places) & (farthest < np.repeat(nodes, nodes))
    known = (arrays["feature"] >= 0) & (arrays["feature"] < n_features)
    if not np.all(leaf | (inside & known)):
        raise ValueError("a node leads out of its tree")
    if not np.isfinite(arrays["shares"]).all():
        raise ValueError("a leaf has no class shares")


def _node_layout() -> np.dtype[Any]:
    # The layout of a node belongs to the installed scikit-learn: ask it.
    stump = DecisionTreeClassifier(random_state=0).fit(np.zeros((2, 1)), [0, 1])
    layout: np.dtype[Any] = stump.tree_.__getstate__()["nodes"].dtype
    return layout
