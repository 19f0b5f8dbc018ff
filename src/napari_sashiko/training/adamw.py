"""AdamW without torch's compiler.

Any optimiser of ``torch.optim`` imports that compiler, and with it sympy and triton,
though nothing is compiled. That takes seconds, during some of which no other thread
runs and the window stands still; and triton brings an LLVM of its own, which ends the
process where a graphics driver (Mesa) has loaded another one.
"""

from collections.abc import Iterable

import torch

EPSILON = 1e-8


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019, algorithm 2).

    Parameters
    ----------
    parameters : iterable of torch.Tensor
        What is learned; those without a gradient are left as they are.
    weight_decay : float
        Share by which weights shrink in a step, times the learning rate.
    betas : (float, float)
        Memory of the first and of the second moment.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        weight_decay: float,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        self._parameters = list(parameters)
        self._weight_decay = weight_decay
        self._betas = betas
        self._first = [torch.zeros_like(each) for each in self._parameters]
        self._second = [torch.zeros_like(each) for each in self._parameters]
        self._steps = [0] * len(self._parameters)

    def clear(self) -> None:
        """Forget all gradients."""
        for each in self._parameters:
            each.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move all weights against their gradients."""
        by_steps: dict[int, list[int]] = {}
        for index, each in enumerate(self._parameters):
            if each.grad is not None:
                self._steps[index] += 1
                by_steps.setdefault(self._steps[index], []).append(index)
        for steps, indices in by_steps.items():
            self._move(indices, steps, learning_rate)

    def _move(self, indices: list[int], steps: int, learning_rate: float) -> None:
        """Move those weights that have made as many steps."""
        weights: list[torch.Tensor] = [self._parameters[i] for i in indices]
        gradients = [each.grad for each in weights if each.grad is not None]
        first = [self._first[i] for i in indices]
        second = [self._second[i] for i in indices]
        short, long = self._betas
        torch._foreach_mul_(weights, 1 - learning_rate * self._weight_decay)
        torch._foreach_lerp_(first, gradients, 1 - short)
        torch._foreach_mul_(second, long)
        torch._foreach_addcmul_(second, gradients, gradients, 1 - long)
        spread = torch._foreach_sqrt(second)  # noqa: SLF001
        torch._foreach_div_(spread, (1 - long**steps) ** 0.5)
        torch._foreach_add_(spread, EPSILON)
        rate = -learning_rate / (1 - short**steps)
        torch._foreach_addcdiv_(weights, first, spread, rate)
