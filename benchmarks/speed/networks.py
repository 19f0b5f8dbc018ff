"""Networks beside those of dlsia: evaluation, ensembles, training steps, memory.

    python benchmarks/speed/networks.py            # about five minutes
    python benchmarks/speed/networks.py --quick

dlsia's SMSNet has a width that gives it about our number of parameters; its MSDNet has
the same depth. dlsia's networks in evaluation still normalise by the batch; the work is
the same.
"""

import sys
from contextlib import nullcontext
from datetime import UTC, datetime

import numpy as np
import torch
from paired import arguments, growth, paired, peak_mib, save
from published import published

from napari_sashiko.checkpoints import Ensemble, MemberCard, ModelCard, NetworkMember
from napari_sashiko.checkpoints._fastest import fastest
from napari_sashiko.labels import default_classes
from napari_sashiko.networks import build_network
from napari_sashiko.training.fit import autocast
from napari_sashiko.volumes import Normalisation

CLASSES = 3
DILATIONS = (1, 2, 4, 8, 16)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "memory":
        evaluate_once(sys.argv[2], int(sys.argv[3]))
        return
    args = arguments(__doc__).parse_args()
    big, small, flat = (48, 32, 192) if args.quick else (96, 64, 512)
    rows = [
        *evaluation_rows(args, big, flat),
        ensemble_row(args, big),
        *training_rows(args, small),
        memory_row(64 if args.quick else 128),
    ]
    save("networks" if DEVICE == "cpu" else "networks-cuda", *rows)


def evaluation_rows(args, big, flat):
    for name, size, target in (
        ("SMSNet", (big,) * 3, "6x"),
        ("SMSNet", (flat,) * 2, "6x"),
        ("MSDNet", (big * 2 // 3,) * 3, "6x"),
        ("MSDNet", (flat,) * 2, "6x"),
    ):
        own, other = pair(name, len(size))
        fast, other, image = fastest(own.eval()), other.eval(), picture(size)

        def grown(edge, fast=fast, size=size):
            part = picture((edge // 2,) + (edge,) * (len(size) - 1))
            return lambda: inferred(fast, part)

        row = paired(
            f"{name} {len(size)}D, evaluation, {words(size)}",
            lambda fast=fast, image=image: inferred(fast, image),
            lambda other=other, image=image: inferred(other, image),
            turns=args.turns,
            opponent="dlsia",
            target=target,
        )
        row.note = (
            f"{parameters(own)} parameters, dlsia's {parameters(other)}; "
            f"{rate(own, size, row.ours):.0f} GFLOP/s of multiply-adds that it needs."
        )
        if name == "SMSNet":
            steps = (size[0] // 2, size[0])
            row.growth = growth(steps, grown)
        yield row


def rate(network, size, seconds):
    return 2 * parameters(network) * float(np.prod(size)) / seconds / 1e9


def ensemble_row(args, edge):
    owns, others = zip(*(pair("SMSNet", 3, seed) for seed in range(5)), strict=True)
    bagged = published("dlsia.core.networks.baggins").model_baggin(list(others))
    ensemble, image = bag(owns), picture((edge,) * 3)
    patch = image[0].cpu().numpy()

    def grown(count):
        fewer = bag(owns[:count])
        return lambda: fewer.predict(patch)

    row = paired(
        f"ensemble of 5 SMSNets 3D, mean and std, {words((edge,) * 3)}",
        lambda: ensemble.predict(patch),
        lambda: bagged(image, device=DEVICE, return_std=True),
        turns=max(1, args.turns // 2),
        opponent="dlsia",
        target="8x",
        note="dlsia keeps the maps of all members and gives the standard error.",
    )
    row.growth = growth((1, 2, 4), grown, turns=1)
    return row


def training_rows(args, edge):
    for name, size, batch, target in (
        ("SMSNet", (edge,) * 3, 1, "4x"),
        ("SMSNet", (edge * 2,) * 2, 8, "4x"),
        ("MSDNet", (edge,) * 3, 1, "6x"),
        ("TUNet", (edge * 2,) * 2, 8, ""),
    ):
        own, other = pair(name, len(size))
        images = picture(size, batch)
        truth = torch.randint(0, CLASSES, (batch, *size), device=DEVICE)
        for precision, context in (("as trained", autocast), ("float32", nothing)):
            yield paired(
                f"{name} {len(size)}D, training step, {batch} x {words(size)}, "
                f"{precision}",
                step(own, images, truth, context),
                step(other, images, truth, nothing),
                turns=args.turns,
                opponent="dlsia",
                target=target if precision == "as trained" else "2x" * bool(target),
                note="Compiled, or in bfloat16 where the device is good at it; dlsia "
                "trains in float32."
                if precision == "as trained"
                else "",
            )


def memory_row(edge):
    row = paired(f"SMSNet 3D, evaluation, memory, {words((edge,) * 3)}", lambda: None)
    imports = peak_mib(__file__, "memory", "nothing", edge)
    row.ours_mib = peak_mib(__file__, "memory", "ours", edge)
    row.theirs_mib = peak_mib(__file__, "memory", "theirs", edge)
    row.target = "1/4"
    row.note = (
        f"Of which {imports:.0f} MiB are the libraries; without them ours is 1/"
        f"{(row.theirs_mib - imports) / (row.ours_mib - imports):.1f} of theirs."
    )
    return row


def evaluate_once(who, edge):
    own, other = pair("SMSNet", 3)
    image = picture((edge,) * 3)
    if who == "ours":
        inferred(fastest(own.eval()), image)
    elif who == "theirs":
        inferred(other.eval(), image)


def pair(name, dims, seed=0):
    """Our network and dlsia's of about as many parameters."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - dlsia draws from it
    own = build_network(name.lower(), 1, CLASSES, dims=dims, seed=seed)
    if name == "SMSNet":
        others = [sparse(dims, width, seed) for width in range(2, 20)]
        other = min(others, key=lambda each: abs(parameters(each) - parameters(own)))
    elif name == "MSDNet":
        module = published("dlsia.core.networks.msdnet")
        other = module.MixedScaleDenseNetwork(
            1,
            CLASSES,
            num_layers=50,
            max_dilation=10,
            normalization=norm(dims),
            convolution=convolution(dims),
        )
    else:
        module = published("dlsia.core.networks.tunet")
        other = module.TUNet(
            (128,) * dims, 1, CLASSES, depth=4, base_channels=16, growth_rate=2
        )
    return own.to(DEVICE), other.to(DEVICE)


def sparse(dims, width, seed):
    np.random.seed(seed)  # noqa: NPY002
    if dims == 2:
        make = published("dlsia.core.networks.smsnet").random_SMS_network
    else:
        make = published("dlsia.core.networks.sms3d").random_3DSMS_network
    return make(
        1,
        CLASSES,
        layers=20,
        dilation_choices=list(DILATIONS),
        in_shape=(64,) * dims,
        out_shape=(64,) * dims,
        hidden_out_channels=[width],
        layer_probabilities={
            "LL_alpha": 0.875,
            "LL_gamma": 0.25,
            "LL_max_degree": 5,
            "LL_min_degree": 1,
            "IL": 1.0,
            "LO": 1.0,
            "IO": True,
        },
        network_type="Classification",
    )


def bag(networks):
    entries = tuple(
        MemberCard(kind="network", weight=1 / len(networks), spec=network.spec)
        for network in networks
    )
    card = ModelCard(
        name="bench",
        created=datetime.now(UTC).isoformat(),
        classes=default_classes(CLASSES),
        channels=1,
        voxel_size=(1.0, 1.0, 1.0),
        unit="pixel",
        dims=3,
        normalisation=Normalisation(
            low=(-9.0,), high=(9.0,), center=(0.0,), scale=(1.0,)
        ),
        members=entries,
    )
    members = [NetworkMember(network.eval()) for network in networks]
    return Ensemble(card, members, torch.device(DEVICE))


def step(network, images, truth, context):
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    def once():
        with context(network, images.device):
            logits = network(images)
        loss = torch.nn.functional.cross_entropy(logits.float(), truth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        wait()

    return once


def inferred(network, image):
    with torch.inference_mode():
        network(image)
    wait()


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def nothing(_network, _device):
    return nullcontext()


def picture(size, batch=1):
    generator = torch.Generator().manual_seed(0)
    return torch.randn((batch, 1, *size), generator=generator).to(DEVICE)


def norm(dims):
    return torch.nn.BatchNorm2d if dims == 2 else torch.nn.BatchNorm3d


def convolution(dims):
    return torch.nn.Conv2d if dims == 2 else torch.nn.Conv3d


def parameters(network):
    return sum(each.numel() for each in network.parameters())


def words(size):
    return " x ".join(map(str, size))


if __name__ == "__main__":
    main()
