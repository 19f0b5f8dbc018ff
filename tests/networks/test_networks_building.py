"""Names and settings of networks: what is accepted, and what is said otherwise."""

import pytest

from napari_sashiko.errors import ModelError, SettingsError
from napari_sashiko.networks import (
    NETWORKS,
    build_network,
    network_from_spec,
    network_settings,
)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_settings_are_the_keywords_that_a_user_may_set(name):
    offered = network_settings(name)
    assert offered
    assert offered.keys().isdisjoint({"dims", "seed", "graph", "self"})
    network = build_network(name, 1, 2, dims=2, seed=0)
    assert network.spec["settings"].keys() == offered.keys()


def test_a_default_is_what_a_network_without_settings_has():
    _, depth = network_settings("smsnet")["depth"]
    assert build_network("smsnet", 1, 2, dims=2, seed=0).spec["settings"]["depth"] == (
        depth
    )


def test_an_unknown_network_is_answered_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"'resnet'.*msdnet, pixelnet, segnet"):
        build_network("resnet", 1, 2, dims=2, seed=0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"deepness": 3}, "deepness"),
        ({"depth": 0}, "depth = 0"),
        ({"depth": "deep"}, "depth = 'deep'"),
        ({"k_min": 4, "k_max": 2}, "k_min = 4"),
        ({"dilations": ()}, "dilations"),
        ({"norm": "layer"}, "norm = 'layer'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(settings, said):
    with pytest.raises(SettingsError, match=said):
        build_network("smsnet", 1, 2, dims=2, seed=0, **settings)


@pytest.mark.parametrize(
    ("channels", "dims", "said"),
    [((1, 2), 4, "not 4"), ((0, 2), 2, "0 input"), ((1, 0), 2, "0 output")],
)
def test_an_impossible_shape_is_refused(channels, dims, said):
    with pytest.raises(SettingsError, match=said):
        build_network("tunet", *channels, dims=dims, seed=0)


def _spec(**changes):
    return {**build_network("smsnet", 1, 2, dims=2, seed=0).spec, **changes}


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        _spec(name="gone"),
        _spec(dims=5),
        _spec(in_channels="many"),
        _spec(settings={"depth": -1}),
        _spec(settings=None),
        _spec(graph={"depth": 3}),
        _spec(graph={"depth": 2, "edges": [[2, 1, 1], [0, 2, 1]], "heads": [1, 2]}),
        _spec(graph={"depth": 2, "edges": [[0, 1, 1], [1, 2, 1]], "heads": [1]}),
        _spec(graph={"depth": 2, "edges": [[0, 1, 1]], "heads": [1, 2]}),
        _spec(graph={"depth": 1, "edges": [[0, 1, 0]], "heads": [1]}),
        _spec(graph=[1, 2]),
    ],
)
def test_a_damaged_description_is_a_model_error(damaged):
    with pytest.raises(ModelError):
        network_from_spec(damaged)
