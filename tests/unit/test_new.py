"""``s2snets new``: what is found in folders, what is chosen, what it costs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from pictures import photograph

from s2snets import cli
from s2snets.config import Autoencoder, Classifier, load
from s2snets.runtime.errors import UserError
from s2snets.study import new
from s2snets.study.new import Folders, Machine, choose, choose_amounts
from s2snets.study.rates import Rates, measure_rates
from s2snets.study.survey import Survey, check_pair, describe, survey

LAPTOP = Machine(torch.device("cpu"), 2)
CLUSTER = Machine(torch.device("cuda"), 16)


def surveyed(folder="train", images=600, classes=("cat", "dog", "tree"), **changes):
    """What a survey of a folder finds."""
    each = dict.fromkeys(classes, images // len(classes)) if classes else None
    found = Survey(Path(folder), images, each, 200, [], 300, 0.0, 0.0)
    return replace(found, **changes)


def folders(labelled=True, photos=None, **changes):
    train = surveyed(classes=("cat", "dog", "tree") if labelled else None, **changes)
    validation = replace(train, folder=Path("validation"), images=300)
    return Folders(train, validation, photos or train, labelled)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with two folders of small photographs."""
    seed = 0
    for part, count in (("train", 6), ("validation", 4)):
        for name in ("cat", "dog's tree"):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                photograph(70 + seed % 3, 40, seed).save(folder / f"{number}.jpg")
                seed += 1
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Rates that need no measurement."""

    def rates(autoencoder, classifiers, side, classes, device):
        trained = {name: 2e-3 for name, one in classifiers.items() if one.is_trained}
        every = dict.fromkeys(classifiers, 3e-3)
        return Rates(1e-3, trained, every, dict.fromkeys(classifiers, 1e-4), 1e-4)

    monkeypatch.setattr(new, "measure_rates", rates)


def run(*arguments):
    cli.main(["new", *arguments, "--train", "train", "--validation", "validation"])


def test_a_study_of_folders_is_written_and_priced(here, quick, capsys):
    run("mine", "--hours", "0.5", "--cores", "2")
    told = capsys.readouterr().out
    assert "train: 12 images in 2 classes of 6, short side 40 pixels" in told
    assert "snakemake --cores 2 --configfile config/mine.yaml" in told
    text = Path("config/mine.yaml").read_text()
    study = load(yaml.safe_load(text), "mine")
    assert study.image_size == 32
    assert list(study.classifiers) == list("LAVIR")
    assert study.data.train[0].path == "train"
    assert all(line.startswith("#") for line in text.splitlines()[:8])
    hours = float(re.search(r"about (\S+) hours in all", told)[1])
    assert 0 < hours <= 0.6


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: None, "config/mine.yaml: exists"),
        (
            lambda: photograph(9, 9, 0).save("train/loose.png"),
            "train: has images outside",
        ),
        (
            lambda: photograph(9, 9, 0).save("validation/cat/../x.png"),
            "validation: has",
        ),
        (lambda: Path("train/cat").rename("train/cow"), "validation: lacks class cow"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(here, quick, change, told):
    if "exists" in told:
        run("mine")
    change()
    with pytest.raises(SystemExit, match=told):
        run("mine")
    assert Path("config/mine.yaml").exists() == ("exists" in told)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["my study"], "my study: no name of a study"),
        (["mine", "--hours", "0"], "--hours: 0.0 must be more than 0"),
        (["mine", "--classifier", "lenet5"], "--classifier: name two different ones"),
        (["mine", "--pretrained", "--classifier", "lenet5", "--classifier", "small_vgg"],
         "lenet5, small_vgg has no published weights"),
        (["mine", "--photos", "nowhere"], "nowhere: no such folder"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_are_told(here, quick, arguments, told):
    with pytest.raises(SystemExit, match=told):
        run(*arguments)
    assert not Path("config").exists()


def test_an_unreadable_image_is_named_beside_the_others(here):
    (here / "train/cat/0.jpg").write_bytes(b"junk")
    found = survey(Path("train"))
    assert (found.images, found.looked_at, len(found.unreadable)) == (12, 12, 1)
    assert any("train/cat/0.jpg: unreadable" in line for line in describe(found))
    for path in Path("train").rglob("*.jpg"):
        path.write_bytes(b"junk")
    with pytest.raises(UserError, match="none of 12 images is readable"):
        survey(Path("train"))


def test_folders_without_classes_are_studied_without_labels(here, quick):
    for path in [*Path("train").rglob("*.jpg")]:
        path.rename(path.parents[1] / f"{path.parent.name} {path.name}")
    for path in [*Path("validation").rglob("*.jpg")]:
        path.rename(path.parents[1] / f"{path.parent.name} {path.name}")
    run("free")
    study = load(yaml.safe_load(Path("config/free.yaml").read_text()), "free")
    assert study.reference == "predictions"
    assert {one.weights for one in study.classifiers.values()} == {"DEFAULT"}
    assert not check_pair(survey(Path("train")), survey(Path("validation")))


def test_labels_can_be_left_out(here, quick):
    run("free", "--unlabelled")
    study = load(yaml.safe_load(Path("config/free.yaml").read_text()), "free")
    assert study.reference == "predictions"


def test_named_classifiers_are_trained_or_come_with_weights(here, quick):
    named = ["--classifier", "timm/resnet18", "--classifier", "small_vgg"]
    run("mine", *named)
    study = load(yaml.safe_load(Path("config/mine.yaml").read_text()), "mine")
    assert [one.architecture for one in study.classifiers.values()] == named[1::2]
    assert all(one.is_trained for one in study.classifiers.values())


@pytest.mark.parametrize("images", [200, 20_000, 1_281_167])
@pytest.mark.parametrize("machine", [LAPTOP, CLUSTER])
@pytest.mark.parametrize("labelled", [True, False])
def test_choices_fit_images_and_machine(images, machine, labelled, quick):
    given = folders(labelled, images=images)
    choices = choose(given, [], False, machine)
    assert choices.size == (128 if machine is LAPTOP else 224)
    assert choices.crops["photos"] == max(1, min(150, -(-20_000 // images)))
    rates = new.measure_rates(None, choices.classifiers, 0, 0, None)
    corpora = new.corpus_sizes(given, choices.crops)
    amounts = choose_amounts(rates, corpora, 4, machine.workers)
    costs = new.estimate(rates, amounts, 300, machine.workers)
    assert 0 < sum(hours for _, hours in costs.values()) < 5
    if images > 10_000:  # enough for the hours to be used
        assert sum(hours for _, hours in costs.values()) > 1
    assert amounts["finetune"] <= 40 * corpora["train"]
    text = new.settings_text(
        "a", Path("a.yaml"), given, choices, amounts, 4.0, machine, "s2snets new"
    )
    study = new.check(text, Path("a.yaml"))
    assert study.finetune.images == amounts["finetune"]
    assert study.trainings == 1


def test_small_square_images_keep_their_size(quick):
    given = folders(short_side=28, square=1.0)
    choices = choose(given, [], False, LAPTOP)
    assert (choices.size, choices.resize) == (32, "squash")
    assert choices.crops == {"photos": 1, "train": 1}


def test_a_larger_network_costs_more():
    named = {"small": "lenet5", "large": "small_resnet"}
    classifiers = {
        name: Classifier(architecture=architecture)
        for name, architecture in named.items()
    }
    cpu = torch.device("cpu")
    rates = measure_rates(Autoencoder(width=8, stages=1), classifiers, 32, 3, cpu)
    wide = measure_rates(Autoencoder(width=64, stages=2), classifiers, 32, 3, cpu)
    assert wide.pretrain > rates.pretrain > 0
    for costs in (rates.train, rates.finetune, rates.predict):
        assert costs["large"] > costs["small"] > 0
    assert rates.finetune["large"] > rates.predict["large"]
