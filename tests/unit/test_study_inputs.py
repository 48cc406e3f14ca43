"""Input functions and axes: what rules read of a study."""

import json
from types import SimpleNamespace

import pytest
import yaml
from project import ROOT

from s2snets.config import load
from s2snets.runtime.errors import UserError
from s2snets.stages.comparison import CompareWithPaper
from s2snets.study.axes import Axes, one_of
from s2snets.study.inputs import Inputs


def study(**changes):
    values = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    values["figures"] = {}
    return load(values | changes)


def read(name, **wildcards):
    return getattr(Inputs(study()), name)(SimpleNamespace(**wildcards))


@pytest.mark.parametrize(
    ("name", "wildcards", "path"),
    [
        ("autoencoder", {"source": "original"}, []),
        ("autoencoder", {"source": "pretrained"}, "autoencoders/pretrained/photos"),
        ("autoencoder", {"source": "decoder-L"}, "autoencoders/decoder/L"),
        ("denoiser", {"denoiser": "median"}, []),
        ("denoiser", {"denoiser": "autoencoder"}, "autoencoders/denoising"),
        ("inverted", {}, "classifiers/V"),
        ("segmenter", {"segmenter": "baseline"}, []),
        ("segmenter", {"segmenter": "A"}, "classifiers/A"),
        ("generator", {"mode": "scratch"}, []),
        ("generator", {"mode": "pretrained"}, "generator"),
    ],
)
def test_networks_lie_below_their_seed(name, wildcards, path):
    found = read(name, seed="3", **wildcards)
    assert found == (path and f"<results>/seed-3/{path}/weights.safetensors")


def test_replicates_lie_beside_the_first_and_have_seeds_of_their_own():
    found = read("replicate", seed="3", replicate="2", source="decoder-L")
    assert found == (
        "<results>/seed-3/replicate-2/autoencoders/decoder/L/weights.safetensors"
    )
    runs = [(seed, replicate) for seed in range(4) for replicate in (1, 2, 3)]
    seeds = [read("replicate_seed", seed=s, replicate=k) for s, k in runs]
    assert len(set(seeds)) == len(runs)
    axes = Axes(study(finetune={"replicates": 3}))
    assert list(axes.replicates) == [1, 2]
    assert axes.replicated == ["decoder-L", "decoder-A", *axes.replicated[2:]]
    assert list(Axes(study()).replicates) == []


def test_another_network_judges_the_preferred_images():
    for name in Axes(study()).preferring:
        judge = read("judge", seed="0", classifier=name)
        assert judge.startswith("<results>/seed-0/classifiers/")
        assert f"/{name}/" not in judge


def test_classical_denoisers_are_named_and_the_learned_one_is_not():
    assert read("classical_denoiser", denoiser="nlm") == "nlm"
    assert read("classical_denoiser", denoiser="autoencoder") == []


def test_a_corpus_and_a_set_are_found_by_name():
    assert read("corpus", corpus="labelled") == "<results>/data/train/index.npz"
    files = read("image_files", set="train")
    assert all(path.startswith("resources/demo") for path in files)
    assert len(files) == 3  # images, labels and what is behind them


def test_weights_are_given_published_or_trained():
    networks = {
        "L": {"architecture": "lenet5"},
        "A": {"architecture": "torchvision/alexnet", "weights": "DEFAULT"},
        "G": {"architecture": "lenet5", "weights": "given.safetensors"},
    }
    inputs = Inputs(
        study(
            classifiers=networks,
            companions={},
            depth=None,
            salient=None,
            synthesis=None,
        )
    )
    given = {
        name: inputs.given_weights(SimpleNamespace(classifier=name))
        for name in networks
    }
    receipts = {
        name: inputs.receipt(SimpleNamespace(classifier=name)) for name in networks
    }
    assert given == {"L": [], "A": [], "G": "given.safetensors"}
    assert receipts == {"L": [], "A": "<results>/weights/A.json", "G": []}
    axes = inputs.axes
    assert (axes.trained, axes.exported, axes.published) == (["L"], ["A", "G"], ["A"])


def test_a_users_function_that_is_not_there_is_named():
    networks = {
        "L": {"architecture": "lenet5"},
        "F": {"architecture": "nowhere.at_all:function"},
    }
    with pytest.raises(UserError, match="nowhere"):
        Inputs(
            study(
                classifiers=networks,
                companions={},
                depth=None,
                salient=None,
                synthesis=None,
            )
        )


def test_axes_of_the_demo():
    axes = Axes(study())
    assert axes.main_sources == [
        "original",
        "pretrained",
        *(f"decoder-{c}" for c in "LAVIR"),
    ]
    assert set(axes.tuned) < set(axes.sources)
    assert axes.packed == ["train", "validation", "photos", "photos_validation"]
    assert axes.cleaned == []
    assert list(axes.batches) == []
    assert axes.segmenters[-1] == "baseline"
    assert axes.inverted == ["V"]


def test_a_study_without_companions_has_no_axes_of_theirs():
    axes = Axes(study(salient=None, synthesis=None, companions={}, lighter=[]))
    for name in (
        "reversed",
        "inverted",
        "segmenters",
        "preferring",
        "modes",
        "normalising",
    ):
        assert getattr(axes, name) == [], name
    assert axes.lighter == {}
    assert axes.constraints()["segmenter"] == axes.constraints()["size"] == one_of([])


def test_a_constraint_of_no_names_matches_nothing():
    import re

    assert re.fullmatch(one_of("ab"), "a")
    assert not re.match(one_of([]), "")


def test_settings_keep_the_order_of_the_classifiers():
    """Weights are passed in that order: sorted names would mix up the networks."""
    settings = json.loads(CompareWithPaper.settings_json(study(), {}))
    assert list(settings["classifiers"]) == list(study().classifiers) == list("LAVIR")
