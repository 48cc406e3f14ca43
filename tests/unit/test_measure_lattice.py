import json
from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from s2snets.errors import Mistake
from s2snets.measure.lattice import build, context, interval, thresholds
from s2snets.measure.rrc import relate

PAPER = Path(__file__).parents[2] / "resources/palacio2018"


@pytest.fixture(scope="module")
def printed():
    return relate(pd.read_csv(PAPER / "table2.csv"))


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
        build(made(size, seed), 0.2 + 0.15 * (seed % 5))
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
    entry = build(printed, threshold)
    assert (len(entry["concepts"]), entry["chain"]) == (size, chain)


def test_the_lattice_at_point_eight_carries_the_paper_s_labels(printed):
    concepts = build(printed, 0.8)["concepts"]
    labels = [(c["objects"], c["attributes"]) for c in concepts]
    assert labels == [([x], [f"A_{x}"]) for x in "IARLV"]


@pytest.mark.parametrize(
    ("threshold", "low", "high"), [(0.2, 0.165, 0.525), (0.8, 0.636, 0.841)]
)
def test_the_widest_intervals_are_the_paper_s_gaps(printed, threshold, low, high):
    entry = build(printed, threshold)
    assert (round(entry["low"], 3), round(entry["high"], 3)) == (low, high)


def test_between_the_gaps_the_order_is_partial(printed):
    """Against section 3.4, which calls every lattice from 0.2 to 0.8 a chain."""
    between = [t for t in thresholds(printed) if 0.53 < t < 0.64]
    assert len(between) == 3
    assert not any(build(printed, t)["chain"] for t in between)


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
    for entry in [build(made(7, seed), 0.5) for seed in range(20)] + random_entries():
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
    assert {c["x"] for c in build(printed, 0.8)["concepts"]} == {0.0}


def test_an_entry_is_json_and_repeats_itself(printed):
    entry = build(printed, 0.9)
    assert json.loads(json.dumps(entry)) == entry == build(printed, 0.9)
    assert list(entry) == [
        *("threshold", "low", "high", "objects", "attributes", "relation"),
        *("concepts", "covers", "chain"),
    ]


@pytest.mark.parametrize("threshold", [0, 1])
def test_the_ends_of_the_scale_are_thresholds(printed, threshold):
    entry = build(printed, threshold)
    assert 0 <= entry["low"] <= entry["high"] <= 1
    assert sum(map(sum, entry["relation"])) == (printed["rrc"] >= threshold).sum()


@pytest.mark.parametrize("threshold", [-0.1, 1.2, 80, float("nan")])
def test_a_threshold_outside_the_scale_names_its_key(printed, threshold):
    with pytest.raises(Mistake, match=r"lattice\.thresholds"):
        build(printed, threshold)
