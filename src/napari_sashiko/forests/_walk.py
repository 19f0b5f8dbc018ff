"""All trees of a forest laid out for walking: what a step needs lies side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.forests._native import compiled

BLOCK = 4096  # voxels sorted at once: one of their features fits the nearest cache
Floats = NDArray[np.float32]
Order = NDArray[np.uint32]
_NODE = np.dtype([("threshold", "<f4"), ("child", "<i4"), ("feature", "<i4")])
_NO_CHILD = -1


@dataclass(frozen=True)
class Paths:
    """Trees end to end: roots first, then pairs of children.

    Parameters
    ----------
    nodes : numpy.ndarray
        Records of threshold, first child (0 for a leaf) and feature.
    shares : numpy.ndarray
        ``(nodes, K)`` float32 class shares.
    count : int
        Number of trees: their roots are the first nodes.
    """

    nodes: NDArray[Any]
    shares: NDArray[np.float32]
    count: int

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> "Paths":
        """Lay out what `to_arrays` returned."""
        counts, left = arrays["nodes"], arrays["left_child"]
        starts = np.cumsum(counts) - counts
        base = np.repeat(starts, counts)
        inner = np.flatnonzero(left != _NO_CHILD)
        first = len(counts) + 2 * np.arange(len(inner))
        place = np.zeros(len(left), np.int64)
        place[starts] = np.arange(len(counts))
        place[left[inner] + base[inner]] = first
        place[arrays["right_child"][inner] + base[inner]] = first + 1
        nodes = np.zeros(len(left), _NODE)
        nodes["threshold"][place] = _below(arrays["threshold"])
        nodes["feature"][place] = arrays["feature"]
        nodes["child"][place[inner]] = first
        shares = np.empty(arrays["shares"].shape, np.float32)
        shares[place] = arrays["shares"]
        return cls(nodes, shares, len(counts))

    def votes(
        self, features: NDArray[np.float32], groups: int = 1
    ) -> NDArray[np.float32]:
        """Sums of class shares ``(groups, K, N)`` of features ``(F, N)``, C-contiguous.

        Trees are dealt to the groups in turn.
        """
        size = (groups, self.shares.shape[1], features.shape[1])
        out = np.zeros(size, np.float32)
        _vote(features, self.nodes, self.shares, self.count, out)
        return out


def _below(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Largest float32 not above each: no float32 then falls on the other side."""
    near = thresholds.astype(np.float32)
    lower = np.nextafter(near, np.float32(-np.inf))
    return np.where(near > thresholds, lower, near)


@compiled
def _vote(
    features: Floats, nodes: NDArray[Any], shares: Floats, trees: int, out: Floats
) -> None:
    # Sums of each group of trees.
    # A tree sorts a block of voxels into its leaves: one node after the other goes
    # through its voxels, which no step has to wait for, unlike walks from root to leaf.
    voxels = features.shape[1]
    order, right = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    waiting = np.empty((nodes.size // 2 + 2, 3), np.int64)
    for start in range(0, voxels, BLOCK):
        count = min(BLOCK, voxels - start)
        for tree in range(trees):
            total = out[tree % out.shape[0], :, start : start + count]
            for v in range(count):
                order[v] = v
            waiting[0, 0], waiting[0, 1], waiting[0, 2] = tree, 0, count
            left = 1
            while left:
                left -= 1
                here, low, high = waiting[left]
                while nodes[here].child:
                    middle = _sort(
                        features[nodes[here].feature, start : start + count],
                        nodes[here].threshold,
                        order[low:high],
                        right,
                    )
                    here = nodes[here].child
                    if middle == 0:
                        here += 1
                    elif middle < high - low:
                        waiting[left, 0] = here + 1
                        waiting[left, 1] = low + middle
                        waiting[left, 2] = high
                        left += 1
                        high = low + middle
                _add(shares[here], order[low:high], total)


@compiled
def _sort(values: Floats, threshold: float, order: Order, right: Order) -> int:
    """Put the voxels not above the threshold first; return how many they are."""
    first, rest = 0, 0
    for i in range(order.size):
        v = order[i]
        low = values[v] <= threshold
        order[first] = v
        right[rest] = v
        first += low
        rest += not low
    for i in range(rest):
        order[first + i] = right[i]
    return first


@compiled
def _add(share: Floats, order: Order, total: Floats) -> None:
    for k in range(share.size):
        part, row = share[k], total[k]
        for i in range(order.size):
            row[order[i]] += part
