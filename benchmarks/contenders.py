"""Who is asked: ours, the forest that users have today, and the published recipe.

All get the same image and the same paint. `budget` is the time for training in
seconds; the forest takes what it needs, since it has no such switch.
"""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from objects import of_prediction
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier
from speed.published import published
from tasks import Scene

import napari_sashiko as ns
from napari_sashiko.pipeline import open_prediction
from napari_sashiko.volumes import as_volume

WINDOW, STEP, BATCH = 64, 32, 16  # qlty paper, table 2 and section 3
RATE = 1e-2
MEMBERS = 5  # DLSIA paper, section 4.2
WIDTH = 10  # of a 2D SMSNet with about 45 000 parameters
TUNET_RATE = 1e-3
TUNET_DEPTH = 4
MISSING = -1


@dataclass
class Answer:
    """What a contender says.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(K, Z, Y, X)``.
    spread : numpy.ndarray or None
        ``(Z, Y, X)``: deviation of the members for the class that wins.
    train, predict : float
        Seconds.
    objects : dict or None
        Labels ``(Z, Y, X)`` by the way in which they were found; None where others
        find them in the probabilities, or nobody has to.
    """

    probabilities: np.ndarray
    spread: np.ndarray | None
    train: float
    predict: float
    objects: dict[str, np.ndarray] | None = None


def ours(scene: Scene, paint: np.ndarray, budget: float, seed: int) -> Answer:
    """Train and predict with the public functions, all other defaults untouched."""
    with tempfile.TemporaryDirectory() as folder:
        model, out = Path(folder) / "m.sashiko-model", Path(folder) / "p.zarr"
        volume = as_volume(scene.image, voxel_size=scene.spacing, name="volume")
        start = time.perf_counter()
        ns.train(volume, paint, model, minutes=budget / 60, seed=seed)
        trained = time.perf_counter()
        ns.predict(model, volume, out)
        end = time.perf_counter()
        found = open_prediction(out)
        shape = (-1, *scene.image.shape)
        mean, std = (
            np.asarray(each, np.float32).reshape(shape)
            for each in (found.mean, found.std)
        )
        known = scene.instances is not None
        objects = of_prediction(out, Path(folder)) if known else None
    spread = _of_winner(std, mean)
    return Answer(mean, spread, trained - start, end - trained, objects)


def forest(scene: Scene, paint: np.ndarray, budget: float, seed: int) -> Answer:
    """scikit-image's multiscale features under 100 trees of scikit-learn."""
    del budget
    start = time.perf_counter()
    grey = scene.image.astype(np.float32)
    features = np.stack([_filters(s) for s in grey]) if scene.stack else _filters(grey)
    trees = RandomForestClassifier(100, n_jobs=os.cpu_count(), random_state=seed)
    trees.fit(features[paint > 0], paint[paint > 0])
    trained = time.perf_counter()
    flat = features.reshape(-1, features.shape[-1])
    parts = [trees.predict_proba(part) for part in np.array_split(flat, 50)]
    found = np.concatenate(parts).T.reshape(-1, *grey.shape)
    return Answer(found, None, trained - start, time.perf_counter() - trained)


def smsnets(scene: Scene, paint: np.ndarray, budget: float, seed: int) -> Answer:
    """Five SMSNets of dlsia on qlty's patches of the painted slices.

    Adam, learning rate 0.01, batches of 16 windows of 64 with steps of 32, cross
    entropy, no augmentation. In 2D, where a CPU makes the most steps in the time.
    """
    classes = int(paint.max())
    np.random.seed(seed)  # noqa: NPY002 - dlsia draws from it
    torch.manual_seed(seed)
    make = published("dlsia.core.networks.smsnet").random_SMS_network
    networks = [
        make(
            1,
            classes,
            layers=20,
            dilation_choices=[1, 2, 4, 8, 16],
            in_shape=(WINDOW,) * 2,
            out_shape=(WINDOW,) * 2,
            hidden_out_channels=[WIDTH],
            layer_probabilities={
                "LL_alpha": 0.875,
                "LL_gamma": 0.25,
                "LL_max_degree": 5,
                "LL_min_degree": 1,
                "IL": 1.0,
                "LO": 1.0,
                "IO": True,
            },
        )
        for _ in range(MEMBERS)
    ]
    return _published(networks, scene, paint, budget, RATE)


def tunet(scene: Scene, paint: np.ndarray, budget: float, seed: int) -> Answer:
    """One TUNet of dlsia (depth 4, 16 channels, growth 2), no augmentation."""
    torch.manual_seed(seed)
    make = published("dlsia.core.networks.tunet").TUNet
    network = make(
        (WINDOW,) * 2,
        1,
        int(paint.max()),
        depth=TUNET_DEPTH,
        base_channels=16,
        growth_rate=2,
    )
    sides = 2 ** (TUNET_DEPTH - 1)  # it halves them: others do not fit together again
    return _published([network], scene, paint, budget, TUNET_RATE, sides)


def _published(networks, scene, paint, budget, rate, sides=1) -> Answer:
    start = time.perf_counter()
    image = scene.image.astype(np.float32)
    image = (image - image.mean()) / image.std()
    images, labels = _windows(image, paint)
    for number, network in enumerate(networks):
        end = start + budget * (number + 1) / len(networks)
        _fit(network.train(), images, labels, rate, end)
    trained = time.perf_counter()
    mean = np.zeros((int(paint.max()), *image.shape), np.float32)
    square = np.zeros_like(mean)
    height, width = image.shape[1:]
    more = ((0, 0), (0, -height % sides), (0, -width % sides))
    image = np.pad(image, more, mode="reflect")
    with torch.no_grad():
        for network in networks:
            network.eval()
            for z, plane in enumerate(image):
                found = network(torch.from_numpy(plane)[None, None]).softmax(1)[0]
                found = found[:, :height, :width]
                mean[:, z] += found.numpy() / len(networks)
                square[:, z] += found.numpy() ** 2 / len(networks)
    spread = None
    if len(networks) > 1:
        std = np.sqrt(np.maximum(square - mean**2, 0))
        spread = _of_winner(std, mean)
    return Answer(mean, spread, trained - start, time.perf_counter() - trained)


def _windows(image, paint):
    """Windows of the painted slices that hold some paint, cut by qlty."""
    painted = np.flatnonzero((paint > 0).any(axis=(1, 2)))
    quilt = published("qlty.qlty2D").NCYXQuilt(
        *image.shape[1:], (WINDOW,) * 2, (STEP,) * 2, border=0
    )
    images, labels = quilt.unstitch_data_pair(
        torch.from_numpy(image[painted])[:, None],
        torch.from_numpy(paint[painted].astype(np.float32) - 1)[:, None],
        missing_label=MISSING,
    )
    weed = published("qlty.cleanup").weed_sparse_classification_training_pairs_2D
    images, labels, _ = weed(images, labels, MISSING, quilt.border_tensor())
    return images, labels[:, 0].long()


def _fit(network, images, labels, rate, end):
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    loss_of = torch.nn.CrossEntropyLoss(ignore_index=MISSING)
    while True:
        for part in torch.randperm(len(images)).split(BATCH):
            optimiser.zero_grad()
            loss_of(network(images[part]), labels[part]).backward()
            optimiser.step()
            if time.perf_counter() > end:
                return


def _filters(grey):
    return multiscale_basic_features(grey, sigma_min=1, sigma_max=16)


def _of_winner(std, mean):
    return np.take_along_axis(std, mean.argmax(0)[None], 0)[0]


CONTENDERS = {"ours": ours, "forest": forest, "smsnets": smsnets, "tunet": tunet}
TIMELESS = ("forest",)  # takes the time that it takes
