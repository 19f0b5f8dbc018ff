"""Two coordinates of many numbers, so that they can be looked at."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import SettingsError
from napari_sashiko.prediction.embed_settings import Method

LEAST = 5  # patches that tsne and umap need
PERPLEXITY = 30.0  # about how many neighbours count for tsne


def reduce_to_two(
    latents: NDArray[np.float32],
    known: NDArray[np.float32],
    method: Method,
    seed: int,
) -> NDArray[np.float32]:
    """Return two coordinates ``(N, 2)`` of latents.

    Parameters
    ----------
    latents : numpy.ndarray
        ``(N, latent)``.
    known : numpy.ndarray
        ``(M, latent)`` of training patches: they decide the axes of ``"pca"``, so that
        images can be compared.
    method : {"pca", "tsne", "umap"}
        Principal components; van der Maaten & Hinton, JMLR 9, 2579 (2008); McInnes et
        al., arXiv 1802.03426 (2018).
    seed : int
        Where the latter two begin.

    Raises
    ------
    SettingsError
        If there are too few patches, or umap-learn is not installed.
    """
    if method == "pca":
        return _principal(latents, known)
    if len(latents) < LEAST:
        raise SettingsError(
            f"{len(latents)} patches are too few for {method}: it takes {LEAST}.",
            "Choose a smaller step, or method = pca.",
        )
    found = _tsne(latents, seed) if method == "tsne" else _umap(latents, seed)
    return np.asarray(found, np.float32)


def check_method(method: Method) -> None:
    """Refuse what is not installed before anything is read.

    Raises
    ------
    SettingsError
        If umap-learn is needed and not there.
    """
    if method == "umap":
        _umap_package()


def _principal(
    latents: NDArray[np.float32], known: NDArray[np.float32]
) -> NDArray[np.float32]:
    center = known.mean(0)
    _, _, axes = np.linalg.svd(known - center, full_matrices=False)
    # Which way an axis points is chance: its largest part is positive.
    axes = axes[:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], axis=1)
    found = (latents - center) @ (axes * np.sign(largest)).T
    missing = 2 - found.shape[1]  # one latent number, or one training patch
    return np.pad(found, ((0, 0), (0, missing))).astype(np.float32)


def _tsne(latents: NDArray[np.float32], seed: int) -> Any:
    from sklearn.manifold import TSNE  # noqa: PLC0415 - slow to load

    perplexity = min(PERPLEXITY, (len(latents) - 1) / 3)
    # On a line, or all in one place, there are no two components to begin with.
    flat = np.linalg.matrix_rank(latents - latents.mean(0)) < 2
    return TSNE(
        perplexity=perplexity,
        init="random" if flat else "pca",
        learning_rate="auto",
        random_state=seed,
    ).fit_transform(latents)


def _umap(latents: NDArray[np.float32], seed: int) -> Any:
    neighbours = min(15, len(latents) - 1)
    return (
        _umap_package()
        .UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1)
        .fit_transform(latents)
    )


def _umap_package() -> Any:
    try:
        import umap  # noqa: PLC0415 - optional
    except ImportError as error:
        raise SettingsError(
            "method = umap needs the package umap-learn, which is not installed.",
            'Install it: pip install "napari-sashiko[explore]", or choose tsne.',
        ) from error
    return umap
