"""Write the generated samples: `python sample_data/make.py [FOLDER] [--small]`.

Each sample gets a folder with `image.tif` and, where there are any, `labels.tif`
(simulated strokes), `truth.tif`, `target.tif` and others (OME-TIFF with voxel size),
and `labels.classes.json`; `micrographs` is a folder of pictures. How they are made
stands in `src/napari_sashiko/samples/`: the cement is scanned through a real sinogram
with photon noise, beam hardening and detector pixels of wrong gain, and comes back by
filtered back projection; the cryo tomogram loses a wedge of directions.

`--small` writes the crop-sized volumes that lie beside this file.
"""

import argparse
from pathlib import Path

from napari_sashiko.samples import SAMPLES, write_sample

HERE = Path(__file__).parent
FETCHED = {"nuclei"}
BESIDE = ("fibres", "filaments")
SMALL = (24, 80, 80)


def main() -> None:
    """Make all generated samples and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--small", action="store_true", help="volumes of 24 x 80 x 80")
    options = parser.parse_args()
    for name in BESIDE if options.small else sorted({*SAMPLES} - FETCHED):
        shape = {"shape": SMALL} if options.small else {}
        suffix = "-small" if options.small else ""
        folder = options.folder / f"{name}{suffix}"
        write_sample(SAMPLES[name](**shape), folder)
        print(folder)


if __name__ == "__main__":
    main()
