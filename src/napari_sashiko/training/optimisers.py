"""How weights follow their gradients: by name, without torch's compiler."""

from collections.abc import Callable, Iterable
from typing import Protocol

import torch

from napari_sashiko.training.adamw import AdamW

WEIGHT_DECAY = 0.1  # few strokes are soon learned by heart
MOMENTUM = 0.9


class Optimiser(Protocol):
    """Moves weights against their gradients."""

    def clear(self) -> None:
        """Forget all gradients."""

    def step(self, learning_rate: float) -> None:
        """Move all weights."""


class SGD:
    """Stochastic gradient descent with Nesterov's momentum.

    Sutskever et al., ICML 2013, section 2, in the form that most libraries use.

    Parameters
    ----------
    parameters : iterable of torch.Tensor
        What is learned; those without a gradient are left as they are.
    momentum : float
        Share of the last step that is made again.
    """

    def __init__(
        self, parameters: Iterable[torch.nn.Parameter], *, momentum: float = MOMENTUM
    ) -> None:
        self._parameters = list(parameters)
        self._momentum = momentum
        self._speed = [torch.zeros_like(each) for each in self._parameters]

    def clear(self) -> None:
        """Forget all gradients."""
        for each in self._parameters:
            each.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move all weights against their gradients."""
        for weight, speed in zip(self._parameters, self._speed, strict=True):
            if weight.grad is not None:
                speed.mul_(self._momentum).add_(weight.grad)
                step = weight.grad + self._momentum * speed
                weight.sub_(step, alpha=learning_rate)


OPTIMISERS: dict[str, Callable[[Iterable[torch.nn.Parameter]], Optimiser]] = {
    "adamw": lambda parameters: AdamW(parameters, weight_decay=WEIGHT_DECAY),
    "adam": lambda parameters: AdamW(parameters, weight_decay=0.0),
    "sgd": SGD,
}
