"""What 16 bits cost and bring: a trained ensemble in bfloat16 and in float32.

    python benchmarks/speed/precision.py

Says nothing on a machine without bfloat16.
"""

import tempfile
from pathlib import Path

import numpy as np
import tifffile
import torch
from paired import arguments, paired, save

import napari_sashiko as ns
from napari_sashiko.checkpoints import _fastest, load_ensemble
from napari_sashiko.runners import choose_device, has_fast_bfloat16

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fibres-small"


def main():
    args = arguments(__doc__).parse_args()
    device = choose_device()
    if not has_fast_bfloat16(device):
        print("This machine is not faster with bfloat16.")
        return
    image = tifffile.imread(SAMPLE / "image.tif")
    labels = tifffile.imread(SAMPLE / "labels.tif")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.sashiko-model"
        options = {"epochs": 3} if args.quick else {}
        ns.train(image, labels, model, forest=False, **options)
        short = load_ensemble(model, device)
        _fastest.has_fast_bfloat16 = lambda _: False
        full = load_ensemble(model, device)
    patch = full.card.normalisation.apply(image[np.newaxis])
    row = paired(
        f"4 TUNets 2D, mean and std in bfloat16, {' x '.join(map(str, image.shape))}",
        lambda: short.predict(patch),
        lambda: full.predict(patch),
        turns=args.turns,
        opponent="the same in float32",
    )
    row.note = error(short.predict(patch), full.predict(patch))
    name = "precision" if device.type == "cpu" else f"precision-{device.type}"
    save(name, row)
    print(row.note)


def error(short, full):
    """Put into words how far results are apart."""
    mean, std = (np.abs(a - b) for a, b in zip(short, full, strict=True))
    other = (short[0].argmax(0) != full[0].argmax(0)).mean()
    return (
        f"Against float32 the mean differs by {mean.mean():.1e} on average and "
        f"{mean.max():.3f} at most, the standard deviation by {std.mean():.1e} and "
        f"{std.max():.3f}; {other:.3%} of voxels change their class. "
        f"torch {torch.__version__}."
    )


if __name__ == "__main__":
    main()
