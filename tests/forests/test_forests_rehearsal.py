"""What is compiled at its first use is compiled by a rehearsal."""

import pytest

from napari_sashiko.forests import _native, _stencils, _walk, rehearse
from napari_sashiko.pipeline import warm_up_steps
from napari_sashiko.runners import Tick

LOOPS = {
    2: (_stencils.smooth_rows, _stencils.describe_flat, _walk._vote),
    3: (_stencils.smooth_planes, _stencils.describe_solid, _stencils.slope),
}


@pytest.mark.skipif(not _native.AVAILABLE, reason="nothing is compiled without numba")
@pytest.mark.parametrize("dims", [2, 3])
def test_a_rehearsal_compiles_the_loops_of_a_forest(dims):
    rehearse(dims)
    assert all(loop.signatures for loop in LOOPS[dims])


def test_warming_up_can_be_stopped_between_its_parts():
    assert all(isinstance(event, Tick) for event in warm_up_steps())
    steps = warm_up_steps()
    next(steps)
    steps.close()
