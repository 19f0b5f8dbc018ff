"""``python -m napari_sashiko.cli``."""

import sys

from napari_sashiko.cli import main

sys.exit(main())
