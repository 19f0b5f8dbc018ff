"""Our optimiser against torch's."""

import subprocess
import sys

import torch

from napari_sashiko.training.adamw import AdamW

TRAIN = """
import sys
import numpy as np
import napari_sashiko as ns

rng = np.random.default_rng(0)
image = rng.normal(0, 0.1, (4, 48, 48)).astype(np.float32)
image[:, 24:] += 1
paint = np.zeros(image.shape, np.uint8)
paint[1, 5:8, 5:40] = paint[3, 12:15, 5:40] = 1
paint[1, 40:43, 5:40] = paint[3, 32:35, 5:40] = 2
ns.train(image, paint, sys.argv[1], epochs=1, members=1, patch=16, device="cpu")
loaded = {"torch._dynamo", "triton", "sympy"} & set(sys.modules)
print("loaded", *loaded)
"""


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 6, 3), torch.nn.ReLU(), torch.nn.Conv2d(6, 3, 1)
    )


def trained(step, net, steps=20):
    x = torch.randn(4, 2, 9, 9, generator=torch.Generator().manual_seed(1))
    for number in range(steps):
        net.zero_grad()
        (net(x) ** 2).mean().backward()
        step(3e-2 / (number + 1))
    return list(net.parameters())


def test_weights_are_those_of_torch():
    ours, theirs = network(), network()
    mine = AdamW(ours.parameters(), weight_decay=0.1)
    other = torch.optim.AdamW(theirs.parameters(), weight_decay=0.1)

    def step(rate):
        other.param_groups[0]["lr"] = rate
        other.step()

    pairs = zip(trained(mine.step, ours), trained(step, theirs), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_a_weight_that_joins_late_is_corrected_by_its_own_steps():
    ours, theirs = network(), network()
    mine = AdamW(ours.parameters(), weight_decay=0.1)
    other = torch.optim.AdamW(theirs.parameters(), weight_decay=0.1, lr=0.01)
    for net, step in ((ours, lambda: mine.step(0.01)), (theirs, other.step)):
        net[2].requires_grad_(False)
        trained(lambda _rate, step=step: step(), net, steps=3)
        net[2].requires_grad_(True)
        trained(lambda _rate, step=step: step(), net, steps=3)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_cleared_gradients_change_nothing():
    net = network()
    mine = AdamW(net.parameters(), weight_decay=0.1)
    net(torch.ones(1, 2, 5, 5)).sum().backward()
    before = [each.detach().clone() for each in net.parameters()]
    mine.clear()
    mine.step(0.1)
    for a, b in zip(before, net.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_does_not_load_the_compiler(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path / "m.sashiko-model")],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.splitlines()[-1:] == ["loaded"], done.stderr
