"""One prediction in one thread, in several, and on processes of Dask.

python benchmarks/speed/runners.py [--quick]

The predictor is cheap, two box filters, so that much of the time is what
a runner costs: opening it, sending blocks, reading, writing and noting them.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from paired import HERE, arguments, paired, save

from napari_sashiko.prediction import PredictionSettings, predict
from napari_sashiko.volumes import open_volume

WORKERS = 2
WINDOW = 64


def run(volume, folder, runner):
    """Predict everything anew."""
    sys.path.insert(0, str(HERE.parents[1] / "tests" / "prediction"))
    from prediction_fakes import Blur  # noqa: PLC0415

    settings = PredictionSettings(
        window=(WINDOW,) * 3,
        border=(2, 2, 2),
        runner=runner,
        workers=WORKERS,
        overwrite=True,
    )
    for _ in predict(Blur(), volume, folder / f"{runner}.zarr", settings):
        pass


def main():
    args = arguments(__doc__).parse_args()
    side = 128 if args.quick else 320
    turns = 1 if args.quick else args.turns
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = np.random.default_rng(0)
        np.save(folder / "image.npy", rng.random((side,) * 3, np.float32))
        volume = open_volume(folder / "image.npy")
        blocks = (-(-(side - 4) // (WINDOW - 4))) ** 3
        rows = []
        for runner in ("threads", "dask"):
            row = paired(
                f"{runner}, {WORKERS} workers, {blocks} blocks of {WINDOW}^3",
                lambda runner=runner: run(volume, folder, runner),
                lambda: run(volume, folder, "serial"),
                turns=turns,
                opponent="serial",
            )
            each = 1000 * (row.ours - row.theirs / WORKERS) / blocks
            row.note = (
                f"{each:.1f} ms a block above an even share of the serial time, the "
                "start of processes included."
            )
            rows.append(row)
    save("runners", *rows)


if __name__ == "__main__":
    main()
