"""Cross entropy against probabilities instead of classes."""

from torch import Tensor


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean over voxels of ``-sum_k p_k log q_k``.

    Its gradient is that of the Kullback-Leibler divergence of the network's
    probabilities q from the target's p; eq. 2 of Hinton, Vinyals & Dean (2015),
    arXiv:1503.02531, at temperature 1.

    Parameters
    ----------
    logits, target : Tensor
        ``(B, C, *S)``; the target holds probabilities that sum to 1 over C.

    Returns
    -------
    Tensor
        A scalar.
    """
    return -(target * logits.float().log_softmax(dim=1)).sum(dim=1).mean()
