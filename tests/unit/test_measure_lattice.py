import json
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
import pytest

from s2snets.measure.lattice import (
    build_lattice,
    chains,
    context,
    count,
    interval,
    matrix,
    nested,
    recurrence,
    relations,
    survey,
    tabulate,
    thresholds,
)
from s2snets.measure.rrc import rrc_matrix, rrc_table
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError

PAPER = ASSETS / "palacio2018"


@pytest.fixture(scope="module")
def printed():
    return rrc_table(pd.read_csv(PAPER / "table2.csv"))


def made(size, seed):
    """A random RRC table of ``size`` classifiers."""
    rng = np.random.default_rng(seed)
    names = [f"c{place}" for place in range(size)]
    rows = [
        (f"A_{i}", j, 1.0 if i == j else rng.random()) for i in names for j in names
    ]
    table = pd.DataFrame(rows, columns=["autoencoder", "classifier", "rrc"])
    return table.sort_values("rrc", kind="stable")


def subsets(names):
    return (set(s) for k in range(len(names) + 1) for s in combinations(names, k))


def by_definition(entry):
    """Every pair of sets that are each other's derivation, by trying all."""
    objects, attributes = entry["objects"], entry["attributes"]
    holds = {
        (g, m)
        for g, row in zip(objects, entry["relation"], strict=True)
        for m, held in zip(attributes, row, strict=True)
        if held
    }
    found = set()
    for extent in subsets(objects):
        intent = {m for m in attributes if all((g, m) in holds for g in extent)}
        if extent == {g for g in objects if all((g, m) in holds for m in intent)}:
            found.add((frozenset(extent), frozenset(intent)))
    return found


def random_entries():
    return [
        build_lattice(made(size, seed), 0.2 + 0.15 * (seed % 5))
        for size in (1, 2, 3, 5, 6)
        for seed in range(10)
    ]


@pytest.mark.parametrize(
    ("threshold", "size", "chain"),
    [(0.1, 2, True), (0.2, 4, True), (0.8, 5, True), (0.9, 6, False)],
)
def test_the_printed_table_gives_the_lattices_of_figure_7(
    printed, threshold, size, chain
):
    entry = build_lattice(printed, threshold)
    assert (len(entry["concepts"]), entry["chain"]) == (size, chain)


def test_the_lattice_at_point_eight_carries_the_paper_s_labels(printed):
    concepts = build_lattice(printed, 0.8)["concepts"]
    labels = [(c["objects"], c["attributes"]) for c in concepts]
    assert labels == [([x], [f"A_{x}"]) for x in "IARLV"]


@pytest.mark.parametrize(
    ("threshold", "low", "high"), [(0.2, 0.165, 0.525), (0.8, 0.636, 0.841)]
)
def test_the_widest_intervals_are_the_paper_s_gaps(printed, threshold, low, high):
    entry = build_lattice(printed, threshold)
    assert (round(entry["low"], 3), round(entry["high"], 3)) == (low, high)


def test_between_the_gaps_the_order_is_partial(printed):
    """Against section 3.4, which calls every lattice from 0.2 to 0.8 a chain."""
    between = [t for t in thresholds(printed) if 0.53 < t < 0.64]
    assert len(between) == 3
    assert not any(build_lattice(printed, t)["chain"] for t in between)


def test_objects_and_attributes_keep_the_table_s_order(printed):
    formal = context(printed, 0.5)
    assert formal.objects == tuple("LAVIR")
    assert formal.properties == ("A_L", "A_A", "A_V", "A_I", "A_R")


def test_concepts_are_those_of_the_definition():
    for entry in random_entries():
        found = [
            (frozenset(c["extent"]), frozenset(c["intent"])) for c in entry["concepts"]
        ]
        assert len(set(found)) == len(found)
        assert set(found) == by_definition(entry)


def test_covers_are_the_pairs_with_nothing_between():
    for entry in random_entries():
        extents = [set(c["extent"]) for c in entry["concepts"]]
        expected = {
            (u, v)
            for u, v in product(range(len(extents)), repeat=2)
            if extents[v] < extents[u]
            and not any(extents[v] < e < extents[u] for e in extents)
        }
        assert {tuple(cover) for cover in entry["covers"]} == expected
        ordered = all(a <= b or b <= a for a, b in combinations(extents, 2))
        assert entry["chain"] == ordered


def test_reduced_labels_name_everything_once_and_rebuild_the_sets():
    for entry in random_entries():
        concepts = entry["concepts"]
        for kind in ("objects", "attributes"):
            labels = [name for c in concepts for name in c[kind]]
            assert sorted(labels) == sorted(entry[kind])
        for c in concepts:
            below = [x for x in concepts if set(x["extent"]) <= set(c["extent"])]
            assert set(c["extent"]) == {g for x in below for g in x["objects"]}


def test_every_threshold_of_an_interval_gives_the_same_context(printed):
    edges = [0.0, *thresholds(printed)]
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        assert interval(printed, middle) == interval(printed, high) == (low, high)
        assert context(printed, middle).bools == context(printed, high).bools
        if low:
            assert context(printed, low).bools != context(printed, high).bools


def test_the_layout_climbs_and_no_node_lies_on_a_foreign_edge():
    for entry in [
        build_lattice(made(7, seed), 0.5) for seed in range(20)
    ] + random_entries():
        places = [(c["x"], c["y"]) for c in entry["concepts"]]
        assert len(set(places)) == len(places)
        top = max(range(len(places)), key=lambda n: len(entry["concepts"][n]["extent"]))
        assert places[top][1] == max(y for _, y in places)
        for upper, lower in entry["covers"]:
            (x1, y1), (x0, y0) = places[upper], places[lower]
            assert y1 >= y0 + 1
            for x, y in places:
                if y0 < y < y1:
                    assert abs(x - x0 - (y - y0) / (y1 - y0) * (x1 - x0)) > 0.1


def test_height_is_the_longest_path_from_the_bottom():
    for entry in random_entries():
        height = [c["y"] for c in entry["concepts"]]
        below = {u: [] for u in range(len(height))}
        for upper, lower in entry["covers"]:
            below[upper].append(height[lower])
        assert height == [max(b) + 1 if b else 0 for b in below.values()]


def test_a_chain_stands_upright(printed):
    assert {c["x"] for c in build_lattice(printed, 0.8)["concepts"]} == {0.0}


def test_an_entry_is_json_and_repeats_itself(printed):
    entry = build_lattice(printed, 0.9)
    assert json.loads(json.dumps(entry)) == entry == build_lattice(printed, 0.9)
    assert list(entry) == [
        *("threshold", "low", "high", "objects", "attributes", "relation"),
        *("concepts", "covers", "chain"),
    ]


@pytest.mark.parametrize("threshold", [0, 1])
def test_the_ends_of_the_scale_are_thresholds(printed, threshold):
    entry = build_lattice(printed, threshold)
    assert 0 <= entry["low"] <= entry["high"] <= 1
    assert sum(map(sum, entry["relation"])) == (printed["rrc"] >= threshold).sum()


@pytest.mark.parametrize("threshold", [-0.1, 1.2, 80, float("nan")])
def test_a_threshold_outside_the_scale_names_its_key(printed, threshold):
    with pytest.raises(UserError, match=r"lattice\.thresholds"):
        build_lattice(printed, threshold)


def scattered(rrc, number, seed, scale=0.1):
    """RRC as a bootstrap might give it: autoencoders in rows, 1 on the diagonal."""
    values = matrix(rrc).to_numpy().T
    noise = np.random.default_rng(seed).normal(0, scale, (number, *values.shape))
    samples = np.clip(values + noise, 0, 1.5)
    for place in range(len(values)):
        samples[:, place, place] = 1
    return samples


def contexts(values):
    """Every relation that some threshold in [0, 1] gives, by trying all."""
    return {(values >= t).tobytes() for t in [0, *values[values <= 1].ravel().tolist()]}


def test_the_survey_lists_the_printed_table_s_lattices(printed):
    entries = survey(printed)
    edges = [0.0, *(entry["high"] for entry in entries)]
    assert edges == [*(entry["low"] for entry in entries), 1.0]
    found = {
        (round(entry["low"], 3), round(entry["high"], 3)): (
            entry["concepts_count"],
            entry["chain"],
        )
        for entry in entries
    }
    assert found[0.165, 0.525] == (4, True)
    assert found[0.636, 0.841] == (5, True)
    between = [chain for (low, _), (_, chain) in found.items() if 0.52 < low < 0.63]
    assert between == [False] * 3  # against section 3.4's text
    for entry in entries:
        assert len(entry["concepts"]) == entry["concepts_count"]
        assert entry["share"] is entry["trainings_share"] is None
        alone = build_lattice(printed, entry["threshold"])
        assert {key: entry[key] for key in alone} == alone
    assert json.loads(json.dumps(entries)) == entries


def test_zero_is_a_threshold_of_its_own_only_where_an_rrc_is_zero(printed):
    rrc = printed.copy()
    rrc.loc[0, "rrc"] = 0.0
    first, second = survey(rrc)[:2]
    assert (first["low"], first["high"], first["concepts_count"]) == (0, 0, 1)
    assert second["low"] == 0


def test_concepts_are_counted_without_their_lattice():
    for size in (1, 2, 5, 9, 13):
        for seed in range(6):
            rrc = made(size, seed)
            for threshold in (0, 0.2, 0.5, 0.8, 1):
                formal = context(rrc, threshold)
                relation = np.array(formal.bools)
                assert count(relation) == len(formal.lattice)
                assert count(relation.T) == len(formal.lattice)
    assert count(~np.eye(6, dtype=bool)) == 2**6
    assert count(~np.eye(60, dtype=bool), limit=500) is None


def test_nested_rows_are_chains():
    relation = np.random.default_rng(3).random((400, 3, 3)) < 0.7
    expected = [chain_by_definition(one) for one in relation]
    assert nested(relation).tolist() == expected
    assert nested(relation.swapaxes(1, 2)).tolist() == expected
    assert any(expected)
    assert not all(expected)


def chain_by_definition(relation):
    """Whether the concepts' extents are totally ordered."""
    entry = {
        "objects": list("abc"),
        "attributes": list("xyz"),
        "relation": relation.tolist(),
    }
    extents = [extent for extent, _ in by_definition(entry)]
    return all(a <= b or b <= a for a, b in combinations(extents, 2))


def test_a_context_recurs_where_some_threshold_gives_it(printed):
    for rrc in (printed, made(4, 1), made(7, 2)):
        samples = scattered(rrc, 60, 4)
        given = [contexts(sample.T) for sample in samples]
        known = matrix(rrc).to_numpy()
        expected = [
            np.mean([(known >= t).tobytes() in one for one in given])
            for t in thresholds(rrc)
        ]
        assert list(recurrence(rrc, samples)) == expected
        assert 0 < min(expected[1:]) + max(expected[1:]) < 2
    alone = matrix(printed).to_numpy().T[None]
    assert (recurrence(printed, alone) == 1).all()


def test_shares_of_relations_and_chains_are_plain_counts(printed):
    samples, chosen = scattered(printed, 80, 5), (0.2, 0.8)
    seeds = scattered(printed, 3, 6)
    table = relations(printed, chosen, samples, seeds)
    assert list(table) == [
        *("autoencoder", "classifier", "rrc"),
        *("threshold", "uses", "share", "trainings_share"),
    ]
    assert len(table) == 50
    names = list("LAVIR")
    for row in table.itertuples():
        i, j = names.index(row.autoencoder[2:]), names.index(row.classifier)
        assert row.uses == (row.rrc >= row.threshold)
        assert row.share == (samples[:, i, j] >= row.threshold).mean()
        assert row.trainings_share == (seeds[:, i, j] >= row.threshold).mean()
    table = chains(printed, chosen, samples, seeds[:1])
    assert list(table["chain"]) == [True, True]
    for row in table.itertuples():
        each = [nested(sample >= row.threshold) for sample in samples]
        assert row.share == np.mean(each)
    assert table["trainings_share"].isna().all()  # one seed says nothing of seeds


def test_the_survey_as_a_table_keeps_its_numbers(printed):
    entries = survey(printed, scattered(printed, 20, 7), scattered(printed, 2, 8))
    table = tabulate(entries)
    assert list(table) == [
        "low",
        "high",
        "concepts",
        "chain",
        "share",
        "trainings_share",
    ]
    assert list(table["concepts"]) == [entry["concepts_count"] for entry in entries]
    assert table[["share", "trainings_share"]].notna().all(axis=None)


def test_forty_networks_are_surveyed_without_their_largest_lattices():
    rng = np.random.default_rng(10)
    accuracy = rng.uniform(0.05, 0.5, (40, 40))
    np.fill_diagonal(accuracy, rng.uniform(0.5, 0.8, 40))
    table = pd.DataFrame(accuracy, columns=[f"c{place}" for place in range(40)])
    table.insert(0, "autoencoder", "A_" + table.columns)
    rrc = rrc_table(table)
    entries = survey(rrc, rrc_matrix(accuracy[None]))
    assert len(entries) == len(thresholds(rrc)) > 1500
    counts = tabulate(entries)["concepts"]
    assert counts.isna().any()
    assert all(
        bool(entry["concepts"]) == (number <= 64)
        for entry, number in zip(entries, counts.fillna(10**6), strict=True)
    )
    assert all(entry["share"] == 1 for entry in entries)
