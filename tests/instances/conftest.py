"""Predictions for the tests of instances."""

import pytest
from instances_predictions import write_prediction


@pytest.fixture
def prediction(tmp_path):
    """A function (mean, **options) -> path of a prediction."""
    return lambda mean, **options: write_prediction(
        tmp_path / "prediction.zarr", mean, **options
    )
