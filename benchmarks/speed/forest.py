"""A random forest on filter features: ours, and scikit-image with scikit-learn.

python benchmarks/speed/forest.py [--quick]
"""

import numpy as np
import torch
from paired import arguments, growth, paired, peak_mib, save
from scipy.ndimage import gaussian_filter
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from napari_sashiko.forests import FilterBank, Forest
from napari_sashiko.forests._native import AVAILABLE

THREADS = 2
TREES = 100
STROKES = 4_000  # painted voxels
BANK = FilterBank()
NOTE = (
    "Features of every voxel and the mean vote of 100 trees, in memory, on 2 threads. "
    "Theirs: multiscale_basic_features (sigma 1 to 16, 25 features) and "
    "predict_proba with n_jobs=2; ours: the bank (sigma 0.7 to 10, 49 features), "
    "half the trees extremely randomised: not the same features, and "
    "ours are twice as many. Both learn from the same 4 000 voxels. The limit is "
    "the trees: each of them is asked about every voxel. Loops compiled by numba: {}."
)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--once", choices=("ours", "theirs"), help="do the work once")
    args = parser.parse_args()
    torch.set_num_threads(THREADS)
    shape = (16, 96, 96) if args.quick else (64, 256, 256)
    volume, truth = scene(shape)
    if args.once:
        {"ours": ours, "theirs": theirs}[args.once](volume, truth)()
        return
    size = " x ".join(map(str, shape))
    row = paired(
        f"random forest: features and prediction of a {size} volume",
        ours(volume, truth),
        theirs(volume, truth),
        turns=min(args.turns, 3),
        opponent="scikit-image and scikit-learn",
        target="3x",
        note=NOTE.format("yes" if AVAILABLE else "no"),
    )
    quick = ["--quick"] if args.quick else []
    row.ours_mib, row.theirs_mib = (
        peak_mib(__file__, "--once", who, *quick) for who in ("ours", "theirs")
    )
    depths = (4, 8, 16) if args.quick else (16, 32, 64)
    row.growth = {
        f"{depth} slices": seconds
        for depth, seconds in zip(
            depths,
            growth(depths, lambda depth: ours(*scene((depth, *shape[1:])))).values(),
            strict=True,
        )
    }
    save("forest", row)


def scene(shape):
    """Blobs under noise, and which voxels lie in blobs."""
    rng = np.random.default_rng(0)
    truth = gaussian_filter(rng.normal(size=shape).astype(np.float32), 4) > 0
    volume = truth + 0.7 * rng.normal(size=shape)
    volume = (volume - volume.mean()) / volume.std()
    return volume.astype(np.float32), truth


def painted(truth):
    rng = np.random.default_rng(1)
    places = np.sort(rng.choice(truth.size, STROKES, replace=False))
    return places, truth.ravel()[places].astype(np.intp)


def ours(volume, truth):
    patch = torch.from_numpy(volume)[None]
    core = tuple((0, size) for size in volume.shape)
    places, classes = painted(truth)
    features = BANK.features(patch, core).flatten(1)[:, places].T
    forest = Forest.fit(
        BANK, features.numpy().copy(), classes, trees=TREES, threads=THREADS
    )
    return lambda: forest.probabilities(patch, core)


def theirs(volume, truth):
    places, classes = painted(truth)
    rows = basic_features(volume)[places]
    forest = RandomForestClassifier(TREES, n_jobs=THREADS, random_state=0)
    forest.fit(rows, classes)
    return lambda: forest.predict_proba(basic_features(volume))


def basic_features(volume):
    features = multiscale_basic_features(
        volume, sigma_min=1, sigma_max=16, workers=THREADS
    )
    return features.reshape(-1, features.shape[-1])


if __name__ == "__main__":
    main()
