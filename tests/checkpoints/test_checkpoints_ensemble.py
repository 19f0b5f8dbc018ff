"""Laws of the ensemble: weighted mean, population deviation, the same in every tile."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.checkpoints import (
    Ensemble,
    ForestMember,
    MemberCard,
    NetworkMember,
    load_ensemble,
    save_model,
)
from napari_sashiko.forests import Forest
from napari_sashiko.forests.forest import VOICES
from napari_sashiko.patches import plan_cells

CPU = torch.device("cpu")
SHAPE = (2, 3, 4)


class Parrot:
    """A member that always says the same."""

    halo = (0, 0, 0)
    align = (1, 1, 1)
    within = 0.0

    def __init__(self, says, *, halo=(0, 0, 0), align=(1, 1, 1)):
        self.says, self.halo, self.align = says, halo, align

    def voices(self, patch, core, correct, tick):
        says = self.says[(slice(None), *(slice(*span) for span in core))]
        return correct(says), self.within


def says(seed, sharpness=1.0):
    logits = np.random.default_rng(seed).normal(size=(2, *SHAPE)) * sharpness
    return torch.from_numpy(logits.astype(np.float32)).softmax(0)


def chorus(cards, shares, weights, **changes):
    entries = [MemberCard(kind="network", weight=w, spec={}) for w in weights]
    card = cards(entries, **changes)
    return Ensemble(card, [Parrot(share) for share in shares], CPU)


ZEROS = np.zeros((1, *SHAPE), np.float32)
WEIGHTS = st.lists(st.floats(0.01, 1), min_size=1, max_size=6)
FACTORS = st.tuples(st.floats(0.02, 50), st.floats(0.02, 50))


@given(weights=WEIGHTS, seed=st.integers(0, 1000), sharpness=st.floats(0, 20))
@settings(max_examples=60, deadline=None)
def test_mean_and_deviation_are_the_weighted_ones(cards, weights, seed, sharpness):
    shares = [says(seed + n, sharpness) for n in range(len(weights))]
    mean, std = chorus(cards, shares, weights).predict(ZEROS)
    stack = np.stack([share.numpy().astype(float) for share in shares])
    expected = np.average(stack, axis=0, weights=weights)
    spread = np.average((stack - expected) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(mean, expected, atol=1e-5)
    np.testing.assert_allclose(std, np.sqrt(spread), atol=1e-3)
    np.testing.assert_allclose(mean.sum(axis=0), 1, atol=1e-5)


@given(factors=FACTORS, weights=WEIGHTS, temperature=st.floats(0.25, 2))
@settings(max_examples=30, deadline=None)
def test_each_member_is_corrected_then_sharpened_before_the_mean(
    cards, factors, weights, temperature
):
    shares = [says(n) for n in range(len(weights))]
    ensemble = chorus(
        cards, shares, weights, correction=factors, temperature=temperature
    )
    mean, _ = ensemble.predict(ZEROS)
    changed = []
    for share in shares:
        scaled = share.numpy() * np.array(factors, np.float32)[:, None, None, None]
        scaled = scaled.astype(float) ** (1 / temperature)
        changed.append(scaled / scaled.sum(axis=0))
    expected = np.average(changed, axis=0, weights=weights)
    np.testing.assert_allclose(mean, expected, atol=1e-5)


@given(seed=st.integers(0, 1000), temperature=st.floats(0.25, 2))
@settings(max_examples=30, deadline=None)
def test_a_temperature_changes_no_members_mind(cards, seed, temperature):
    share = says(seed)
    mean, _ = chorus(cards, [share], [1.0], temperature=temperature).predict(ZEROS)
    assert np.array_equal(mean.argmax(axis=0), share.numpy().argmax(axis=0))
    surer = mean.max(axis=0) - share.numpy().max(axis=0)
    assert np.all(surer * (1 - temperature) >= -1e-6)


def test_one_member_has_no_deviation(cards):
    mean, std = chorus(cards, [says(0)], [1.0]).predict(ZEROS)
    assert np.array_equal(mean, says(0).numpy())
    assert not std.any()


def test_what_is_apart_within_a_member_counts_by_its_weight(cards):
    ensemble = chorus(cards, [says(0), says(1)], [0.25, 0.75])
    before = ensemble.predict(ZEROS)
    ensemble.members[0].within = 0.04
    mean, std = ensemble.predict(ZEROS)
    assert np.array_equal(mean, before[0])
    np.testing.assert_allclose(std**2, before[1] ** 2 + 0.25 * 0.04, atol=1e-6)


def test_a_forest_alone_says_where_its_trees_differ(cards, forests, patch):
    """Each group of trees is as a forest of its own."""
    forest = forests()
    entries = [MemberCard(kind="forest", weight=1.0, spec={})]
    changes = {"correction": (1.3, 0.7), "temperature": 0.6}
    ensemble = Ensemble(cards(entries, **changes), [ForestMember(forest)], CPU)
    mean, std = ensemble.predict(patch)
    trees = forest.trees
    count = min(VOICES, len(trees))
    groups = [Forest(forest.bank, trees[n::count]) for n in range(count)]
    image = torch.from_numpy(patch)
    core = tuple((0, n) for n in patch.shape[1:])

    def corrected(shares):
        powers = (shares.numpy().T * (1.3, 0.7)).T ** (1 / 0.6)
        return powers / powers.sum(axis=0)

    said = [corrected(each.probabilities(image, core)) for each in groups]
    expected = corrected(forest.probabilities(image, core))
    np.testing.assert_allclose(mean, expected, atol=1e-5)
    np.testing.assert_allclose(std, np.std(said, axis=0), atol=1e-4)
    assert std.max() > 0.05


def test_equal_members_have_no_deviation(cards):
    _, std = chorus(cards, [says(0)] * 5, [0.2] * 5).predict(ZEROS)
    assert std.max() < 1e-3


def test_a_member_without_weight_is_not_asked(cards):
    ensemble = chorus(cards, [says(0), None], [1.0, 0.0])
    mean, _ = ensemble.predict(ZEROS)
    assert np.array_equal(mean, says(0).numpy())
    assert ensemble.n_members == 1
    assert len(ensemble.members) == 2


def test_halo_and_alignment_suit_every_member(cards):
    entries = [MemberCard(kind="network", weight=0.5, spec={})] * 2
    members = [
        Parrot(says(0), halo=(1, 9, 2), align=(1, 4, 6)),
        Parrot(says(1), halo=(3, 2, 2), align=(1, 6, 4)),
    ]
    ensemble = Ensemble(cards(entries), members, CPU)
    assert ensemble.halo == (3, 9, 2)
    assert ensemble.align == (1, 12, 12)


def test_work_can_be_stopped_between_members(cards):
    asked = []

    def tick():
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt

    ensemble = chorus(cards, [says(0)] * 5, [0.2] * 5)
    with pytest.raises(KeyboardInterrupt):
        ensemble.predict(ZEROS, tick=tick)
    assert len(asked) == 2


def real(cards, networks, forests, dims):
    network = networks(dims=dims)
    entries = [
        MemberCard(kind="network", weight=0.6, spec=network.spec),
        MemberCard(kind="forest", weight=0.4, spec={}),
    ]
    members = [NetworkMember(network, neighbours=1), ForestMember(forests())]
    return Ensemble(cards(entries), members, CPU)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_core_is_a_crop_of_the_whole(cards, networks, forests, patch, dims):
    ensemble = real(cards, networks, forests, dims)
    core = ((1, 4), (3, 20), (0, 11))
    crop = (slice(None), *(slice(*span) for span in core))
    parts, wholes = ensemble.predict(patch, core=core), ensemble.predict(patch)
    for part, whole in zip(parts, wholes, strict=True):
        np.testing.assert_allclose(part, whole[crop], atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_tiles_with_their_halo_give_the_whole(cards, networks, forests, dims):
    ensemble = real(cards, networks, forests, dims)
    image = np.random.default_rng(1).normal(size=(1, 11, 43, 37)).astype(np.float32)
    whole = ensemble.predict(image)
    border, align = ensemble.halo, ensemble.align
    window = [2 * b + a + 8 for b, a in zip(border, align, strict=True)]
    plan = plan_cells(image.shape[1:], window, border, align=align)
    assert len(plan) > 8
    tiled = [np.full_like(part, np.nan) for part in whole]
    for cell in plan:
        seen, own = cell.window, cell.cell
        core = tuple(
            (o.start - s.start, o.stop - s.start)
            for o, s in zip(own, seen, strict=True)
        )
        parts = ensemble.predict(image[(slice(None), *seen)], core=core)
        for out, part in zip(tiled, parts, strict=True):
            out[(slice(None), *own)] = part
    for out, part in zip(tiled, whole, strict=True):
        np.testing.assert_allclose(out, part, atol=2e-4)


def test_any_memory_layout_is_taken(cards, networks, forests, patch):
    ensemble = real(cards, networks, forests, 2)
    turned = np.ascontiguousarray(patch[..., ::-1])[..., ::-1]
    turned.flags.writeable = False
    for a, b in zip(ensemble.predict(patch), ensemble.predict(turned), strict=True):
        assert np.array_equal(a, b)


def test_prediction_leaves_the_networks_alone(tmp_path, models, patch):
    save_model(tmp_path / "m", *models())
    ensemble = load_ensemble(tmp_path / "m")
    network = ensemble.members[1].network
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    ensemble.predict(patch)
    assert not network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
