"""Classifiers from existing weights: torchvision's, timm's, files, functions."""

import dataclasses
import importlib
import os
import random
import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn
from weights import MODELS, placed, publish

from s2snets.config import Classifier
from s2snets.networks.architectures import lenet5
from s2snets.networks.checkpoints import load_classifier, save_classifier
from s2snets.networks.export import (
    AUXILIARY,
    count_logits,
    export_classifier,
    load_file,
)
from s2snets.networks.factory import (
    DEFAULT_PREPROCESSING,
    build_classifier,
    classifier_spec,
    merge_preprocessing,
)
from s2snets.networks.fetch import fetch, fetched_file, stated_hash
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.published import published_weights
from s2snets.networks.user_function import locate_module, source_digest
from s2snets.networks.vision import torchvision
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, sha256, write_json

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """Torch's folder of weights, and a working directory, both empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    return folder


def chosen(architecture, weights="IMAGENET1K_V1", **preprocessing):
    return Classifier(architecture=architecture, weights=weights, **preprocessing)


def receipt(classifier, folder):
    path = folder / "receipt.json"
    entry = published_weights(classifier.architecture, classifier.weights)
    write_json(path, fetch(entry))
    return path


def randomised(net):
    """A network whose batch norms, too, have seen something."""
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return net.eval()


def old_names(state):
    """A DenseNet's state as torchvision published it."""
    return {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): value
        for name, value in state.items()
    }


@pytest.mark.parametrize(
    ("name", "builder", "published_as"),
    [
        ("squeezenet1_1", {}, dict),
        ("mobilenet_v3_small", {}, dict),
        ("mnasnet0_5", {}, lambda state: state),  # its state carries a version
        ("densenet121", {}, old_names),
        ("googlenet", {"transform_input": True, "init_weights": False}, dict),
        ("inception_v3", {"transform_input": True, "init_weights": False}, dict),
    ],
)
def test_published_weights_give_torchvisions_own_logits(
    name, builder, published_as, hub, tmp_path, monkeypatch
):
    torch.manual_seed(0)
    net = randomised(MODELS.get_model(name, weights=None, **builder))
    path = placed(published_as(net.state_dict()), hub, name)
    entry = publish(monkeypatch, name, path)
    classifier = chosen(f"torchvision/{name}")
    model, spec = export_classifier(
        classifier, 256, fetched_file(receipt(classifier, tmp_path))
    )
    save_classifier(
        model, spec, tmp_path / "weights.safetensors", tmp_path / "spec.json"
    )
    reloaded = load_classifier(tmp_path)
    pixels = torch.rand(1, 3, 256, 256)
    with torch.inference_mode():
        truth = net(entry.transforms()(pixels))
        assert truth.shape == (1, 1000)
        torch.testing.assert_close(model(pixels), truth, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(reloaded(pixels), truth, rtol=1e-3, atol=1e-4)
    assert not any(name.startswith(AUXILIARY) for name in model.net.state_dict())
    spec = read_json(tmp_path / "spec.json")
    assert spec["categories"][:2] == ["tench", "goldfish"]
    assert spec["weights"] == {"file": path.name, "sha256": sha256(path)}


def every_weights():
    for name in MODELS.list_models(module=MODELS):
        for entry in MODELS.get_model_weights(name):
            if entry.meta["categories"]:
                yield pytest.param(name, entry, id=f"{name}-{entry.name}")


def test_every_published_weights_preprocessing_is_torchvisions():
    torch.manual_seed(0)
    pixels, seen = torch.rand(1, 3, 256, 256), {}
    for name, entry in (one.values for one in every_weights()):
        given = published_weights(f"torchvision/{name}", entry.name)
        assert len(given.categories) == given.classes
        assert stated_hash(given.file)
        seen.setdefault(str(given.preprocessing), (given.preprocessing, entry))
    assert len(seen) > 10
    for preprocessing, entry in seen.values():
        mine = FrozenClassifier(nn.Identity(), **preprocessing)(pixels)
        truth = entry.transforms()(pixels)
        torch.testing.assert_close(mine, truth, rtol=0, atol=2e-5, msg=str(entry))


def test_what_is_set_goes_over_what_the_weights_expect():
    given = published_weights("torchvision/inception_v3", "IMAGENET1K_V1").preprocessing
    assert (given["resize"], given["crop"]) == (342, 299)
    for changes, resize, crop in (
        ({}, 342, 299),
        ({"mean": (0, 0, 0)}, 342, 299),
        ({"resize": 299}, 299, None),
        ({"crop": 224}, None, 224),
        ({"resize": 256, "crop": 224}, 256, 224),
    ):
        made = merge_preprocessing(chosen("torchvision/inception_v3", **changes), given)
        assert (made["resize"], made["crop"]) == (resize, crop)
    assert (
        merge_preprocessing(Classifier(architecture="lenet5"), {})
        == DEFAULT_PREPROCESSING
    )


def test_default_means_the_librarys_best():
    one, best = (
        published_weights("torchvision/resnet50", name)
        for name in ("IMAGENET1K_V2", "DEFAULT")
    )
    assert one == best
    assert one.preprocessing["resize"] == 232


@pytest.mark.parametrize(
    ("architecture", "weights", "told"),
    [
        ("torchvision/resnet50", "V9", r"no 'V9'; it has IMAGENET1K_V1"),
        ("torchvision/vgg16", "IMAGENET1K_FEATURES", "features, no classes"),
        ("torchvision/resnet51", "DEFAULT", r"no 'torchvision/resnet51'.*resnet50"),
    ],
)
def test_weights_that_do_not_exist_are_named(architecture, weights, told):
    with pytest.raises(UserError, match=told):
        published_weights(architecture, weights)


def test_small_networks_have_no_weights_by_name():
    with pytest.raises(ValueError, match=r"'V1' is neither a file \(\.safetensors"):
        Classifier(architecture="lenet5", weights="V1")


@pytest.fixture
def squeezenet(hub, monkeypatch):
    """SqueezeNet with published weights: its settings and their file."""
    path = placed(MODELS.squeezenet1_1().state_dict(), hub)
    publish(monkeypatch, "squeezenet1_1", path)
    return chosen("torchvision/squeezenet1_1", resize=64), path


def test_absent_weights_are_fetched_once_and_whole(
    squeezenet, hub, tmp_path, monkeypatch
):
    classifier, path = squeezenet
    (tmp_path / "elsewhere").mkdir()
    there = path.rename(tmp_path / "elsewhere" / path.name)
    table = MODELS.SqueezeNet1_1_Weights.IMAGENET1K_V1.value
    monkeypatch.setattr(table, "url", there.as_uri())
    told = read_json(receipt(classifier, tmp_path))
    assert told == {
        "architecture": "torchvision/squeezenet1_1",
        "address": there.as_uri(),
        "file": str(path),
        "sha256": sha256(there),
    }
    assert os.listdir(hub) == [path.name]
    there.unlink()
    assert read_json(receipt(classifier, tmp_path)) == told


def test_offline_it_says_which_file_from_where_to_put_where(squeezenet, tmp_path):
    classifier, path = squeezenet
    path.unlink()
    with pytest.raises(
        UserError, match=rf"{path} is not there.*get file:///nowhere/{path.name}.*TORCH"
    ) as told:
        receipt(classifier, tmp_path)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_what_its_name_states_is_refused(squeezenet, tmp_path):
    classifier, path = squeezenet
    path.write_bytes(b"junk")
    with pytest.raises(UserError, match=rf"{path.name}: its SHA-256 does not begin"):
        receipt(classifier, tmp_path)


def test_a_damaged_download_leaves_nothing(squeezenet, hub, tmp_path, monkeypatch):
    classifier, path = squeezenet
    there = path.rename(tmp_path / path.name)
    there.write_bytes(b"half")
    table = MODELS.SqueezeNet1_1_Weights.IMAGENET1K_V1.value
    monkeypatch.setattr(table, "url", there.as_uri())
    with pytest.raises(UserError, match=r"cannot be fetched .*invalid hash"):
        receipt(classifier, tmp_path)
    assert not os.listdir(hub)


def test_weights_that_went_after_they_were_fetched_are_named(squeezenet, tmp_path):
    classifier, path = squeezenet
    fetched = receipt(classifier, tmp_path)
    path.write_bytes(b"changed")
    with pytest.raises(UserError, match=rf"{path} is gone or changed.*receipt\.json"):
        export_classifier(classifier, 64, fetched_file(fetched))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_own_weights_are_read_and_their_classes_counted(tmp_path, suffix):
    path, net = tmp_path / f"own{suffix}", lenet5(7)
    (save_file if suffix == ".safetensors" else torch.save)(net.state_dict(), path)
    model, spec = export_classifier(chosen("lenet5", str(path)), 32)
    assert spec["classes"] == 7
    assert torch.equal(model.net[0].weight, net[0].weight)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state, "epoch": 3, "best": torch.tensor(0.5)},
        lambda state: {"model": {f"module.{key}": state[key] for key in state}},
        lambda state: {f"module._orig_mod.{key}": state[key] for key in state},
        lambda state: {"state_dict": {f"model.{key}": state[key] for key in state}},
    ],
)
def test_states_are_unwrapped(tmp_path, wrap):
    net = MODELS.shufflenet_v2_x0_5(num_classes=4)
    torch.save(wrap(dict(net.state_dict())), tmp_path / "own.pth")
    own_weights = chosen("torchvision/shufflenet_v2_x0_5", str(tmp_path / "own.pth"))
    model, spec = export_classifier(own_weights, 64)
    assert spec["classes"] == 4
    assert torch.equal(model.net.fc.weight, net.fc.weight)


def test_own_inception_comes_without_its_auxiliary_head(tmp_path):
    net = MODELS.googlenet(num_classes=3, aux_logits=True, init_weights=False)
    torch.save(net.state_dict(), tmp_path / "own.pth")
    model, spec = export_classifier(
        chosen("torchvision/googlenet", str(tmp_path / "own.pth")), 64
    )
    assert spec["classes"] == 3
    assert not model.net.transform_input


def lacking(state):
    del state["0.bias"], state["3.weight"]


def strange(state):
    state["4.weight"] = state["4.bias"] = torch.zeros(1)


def misshapen(state):
    state["0.weight"] = torch.zeros(6, 1, 5, 5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lacking, r"it lacks 0\.bias and 1 more\)"),
        (strange, r"it has 4\.weight and 1 more\)"),
        (misshapen, r"of another shape: 0\.weight \(6×1×5×5, not 6×3×5×5\)\)"),
    ],
)
def test_a_mismatch_names_the_first_tensors(tmp_path, change, told):
    state, path = lenet5(10).state_dict(), tmp_path / "own.pth"
    change(state)
    torch.save(state, path)
    with pytest.raises(UserError, match=rf"own\.pth: not lenet5's \({told}"):
        export_classifier(chosen("lenet5", str(path)), 32)


def test_another_networks_weights_are_refused(tmp_path):
    torch.save(lenet5(10).state_dict(), tmp_path / "own.pth")
    with pytest.raises(UserError, match=r"not small_resnet's \(it lacks 6\.bias\)"):
        export_classifier(chosen("small_resnet", str(tmp_path / "own.pth")), 32)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"a": os.system}, "not loaded; save the network's state_dict"),
        ({"a": 1}, "not only named tensors"),
        (None, "no such file"),
    ],
)
def test_what_is_no_state_is_told_and_never_run(tmp_path, content, told):
    path = tmp_path / "own.pth"
    if content is not None:
        torch.save(content, path)
    with pytest.raises(UserError, match=rf"own\.pth: .*{told}"):
        export_classifier(chosen("lenet5", str(path)), 32)


def wrapped_in_itself(state):
    state["state_dict"] = state
    return state


@pytest.mark.parametrize(
    ("crafted", "told"),
    [
        (lambda state: {1: torch.ones(2)}, "not only named tensors"),
        (lambda state: [*state.values()], "not only named tensors"),
        (wrapped_in_itself, "not only named tensors"),
        (lambda state: {}, "it lacks 11"),
        (lambda state: {"": torch.ones(1)}, "it lacks 11"),
        (lambda state: {k: v.int() for k, v in state.items()}, "int32, no weights"),
        (lambda state: {k: v * torch.nan for k, v in state.items()}, "holds NaN"),
        (lambda state: {k: v.to("meta") for k, v in state.items()}, "not lenet5's"),
        (lambda state: {k: v.to_sparse() for k, v in state.items()}, "not lenet5's"),
        (lambda state: {k: v.bfloat16().cfloat() for k, v in state.items()}, "complex"),
    ],
)
def test_a_crafted_state_is_told_in_one_line(tmp_path, crafted, told):
    torch.save(crafted(dict(lenet5(10).state_dict())), tmp_path / "own.pth")
    with pytest.raises(UserError, match=rf"own\.pth: .*{told}") as caught:
        export_classifier(chosen("lenet5", str(tmp_path / "own.pth")), 32)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", ["own.pth", "old.pt", "own.safetensors"])
def test_damaged_weights_are_one_line_and_nothing_runs(tmp_path, name):
    """Files that are cut, and files with some bytes changed."""
    net, path = lenet5(10), tmp_path / name
    if path.suffix == ".safetensors":
        save_file(net.state_dict(), path)
    else:
        zipped = path.stem != "old"
        torch.save(net.state_dict(), path, _use_new_zipfile_serialization=zipped)
    whole, draw = path.read_bytes(), random.Random(0)
    lengths = [0, 1, 7, 8, 9, 64, len(whole) // 2, len(whole) - 1]
    files = [whole[:length] for length in lengths]
    for _ in range(60):
        changed = bytearray(whole)
        for _ in range(draw.choice([1, 3, 20])):
            changed[draw.randrange(draw.choice([100, 3000]))] = draw.randrange(256)
        files.append(bytes(changed))
    told = []
    for content in files:
        path.write_bytes(content)
        try:
            load_file(net, "lenet5", path)
        except UserError as error:
            told.append(str(error))
    assert len(told) > len(lengths) + 20
    assert all(text.startswith(f"weights: {path}: ") for text in told)
    assert not any("\n" in text for text in told)


def test_images_that_a_network_refuses_are_told_with_the_mend(tmp_path):
    net = MODELS.shufflenet_v2_x0_5(num_classes=2)
    torch.save(net.state_dict(), tmp_path / "own.pth")
    classifier = chosen("torchvision/shufflenet_v2_x0_5", str(tmp_path / "own.pth"))
    with pytest.raises(UserError, match="crop 70 is larger"):
        export_classifier(classifier.model_copy(update={"crop": 70}), 64)
    torch.save(lenet5(2, 64).state_dict(), tmp_path / "own.pth")
    (tmp_path / "strict.py").write_text(
        "from s2snets.networks.architectures import lenet5\n"
        "def net():\n    return lenet5(2, 64), {}\n"
    )
    with pytest.raises(
        UserError, match=r"strict:net refuses the study's 32×32.*resize"
    ):
        export_classifier(Classifier(architecture="strict:net"), 32)


# A user's function.


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module of the user's; imports are forgotten afterwards."""
    before, path = set(sys.modules), list(sys.path)

    def write(text, name="mine.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        importlib.invalidate_caches()

    yield write
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.split(".")[0] in {"mine", "nets", "mynets", "strict"}:
            del sys.modules[name]


def test_the_documents_example_works_as_printed(module, tmp_path):
    text = (ROOT / "docs/add-a-classifier.md").read_text()
    example = re.search(r"```python\n(.*?)```", text, re.S)[1]
    settings = re.search(r"architecture: (mynets:\w+)", text)[1]
    assert len(example.splitlines()) <= 10
    module(example, "mynets.py")
    (tmp_path / "weights").mkdir()
    body = nn.Conv2d(3, 8, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    net = nn.Sequential(*body, nn.Linear(8, 10))
    torch.save(net.state_dict(), "weights/tiny.pth")
    model, spec = export_classifier(Classifier(architecture=settings), 96)
    save_classifier(
        model, spec, tmp_path / "weights.safetensors", tmp_path / "spec.json"
    )
    pixels = torch.rand(2, 3, 96, 96)
    small = torchvision.transforms.functional.resize(pixels, [64, 64], antialias=True)
    truth = net((small - 0.5) / 0.25)
    for classifier in (model, load_classifier(tmp_path)):
        torch.testing.assert_close(classifier(pixels), truth)
        assert not any(weight.requires_grad for weight in classifier.parameters())
    spec = read_json(tmp_path / "spec.json")
    assert (spec["architecture"], spec["classes"]) == (settings, 10)
    assert spec["code"] == source_digest(settings)


FUNCTION = (
    "from torch import nn\n\ndef net():\n    return nn.Sequential(nn.Flatten(),"
    " nn.Linear(48, 4)), {}\n"
)


def test_a_function_may_leave_its_weights_to_a_file(module, tmp_path):
    module("", "nets/__init__.py")
    module(FUNCTION, "nets/small.py")
    state = {"1.weight": torch.rand(4, 48), "1.bias": torch.rand(4)}
    torch.save(state, "own.pth")
    model, spec = export_classifier(
        chosen("nets.small:net", "own.pth", mean=(0, 0, 0)), 4
    )
    assert torch.equal(model.net[1].bias, state["1.bias"])
    assert spec["mean"] == [0, 0, 0]
    assert spec["std"] == DEFAULT_PREPROCESSING["std"]
    assert not build_classifier(spec).training


def test_a_function_is_found_on_pythonpath(module, tmp_path, monkeypatch):
    module(FUNCTION, "elsewhere/mine.py")
    with pytest.raises(UserError, match="no module 'mine'"):
        locate_module("mine:net")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert locate_module("mine:net") == tmp_path / "elsewhere/mine.py"
    assert export_classifier(Classifier(architecture="mine:net"), 4)[1]["classes"] == 4


def test_a_functions_meaning_is_its_code(module):
    module(FUNCTION)
    before = source_digest("mine:net")
    module("# Ours.\n" + FUNCTION.replace("def net():", 'def net():\n    """Net."""'))
    assert source_digest("mine:net") == before
    module(FUNCTION.replace("Flatten(),", "Flatten(), nn.Identity(),"))
    assert source_digest("mine:net") != before


def used(name):
    """As the rules and then the stage use a function."""
    source_digest(name)
    export_classifier(Classifier(architecture=name), 4)


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("", "nowhere.nets:net", "no module 'nowhere.nets' in the working directory"),
        ("", "mine.deeper:net", "no module 'mine.deeper'"),
        ("", "mine:net", "mine has no function 'net'"),
        ("def net(:", "mine:net", r"mine\.py, line 1: invalid syntax"),
        ("def net():\n    return 1", "mine:net", "must return a torch module and"),
        (FUNCTION.replace("{}", "{'size': 3}"), "mine:net", "not 'size'"),
        (FUNCTION.replace("{}", "{'mean': 0.5}"), "mine:net", r"mine:net: mean: "),
        (FUNCTION.replace("{}", "{'categories': ['a']}"), "mine:net", "names 1 cat"),
        (FUNCTION.replace("4)), {}", "4), nn.Unflatten(1, (2, 2))), {}"), "mine:net",
         r"must give logits \(N, classes\)"),
    ],
)  # fmt: skip
def test_a_wrong_function_is_told_in_one_line(module, text, name, told):
    module(text)
    with pytest.raises(UserError, match=told) as error:
        used(name)
    assert "\n" not in str(error.value)


def test_a_functions_network_is_not_trained_and_its_weights_are_no_name():
    assert not Classifier(architecture="mine:net").is_trained
    assert Classifier(architecture="timm/resnet18").is_trained
    with pytest.raises(ValueError, match="'DEFAULT' is neither a file"):
        Classifier(architecture="mine:net", weights="DEFAULT")


# timm, which is optional.


def test_without_timm_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match="pip install timm"):
        published_weights("timm/resnet50", "DEFAULT")


@pytest.fixture
def timm():
    torchvision.models  # noqa: B018 - declares what timm's import needs
    return pytest.importorskip("timm")


NAME, TAG = "mobilenetv3_small_050", "lamb_in1k"


@pytest.fixture
def no_hub(tmp_path, monkeypatch):
    """An empty cache of timm's hub, which is out of reach."""
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hf"


def agrees(timm, net, model):
    """Whether a wrapped network does to an image what timm would."""
    image = Image.effect_noise((256, 256), 64).convert("RGB")
    data = timm.data.resolve_data_config(pretrained_cfg=net.pretrained_cfg)
    truth = net(timm.data.create_transform(**data)(image)[None])
    pixels = torchvision.transforms.functional.pil_to_tensor(image)[None] / 255
    # timm resizes bytes
    return (model(pixels) - truth).abs().max() < 0.05 * truth.std()


def test_timms_weights_are_read_from_torchs_folder(
    timm, no_hub, hub, tmp_path, monkeypatch
):
    net = timm.create_model(f"{NAME}.{TAG}").eval()
    path = placed(net.state_dict(), hub)
    entry = dataclasses.replace(
        timm.get_pretrained_cfg(NAME), url=f"file:///nowhere/{path.name}"
    )
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda *_: entry)
    classifier = chosen(f"timm/{NAME}", "DEFAULT")
    model, spec = export_classifier(
        classifier, 256, fetched_file(receipt(classifier, tmp_path))
    )
    assert spec["architecture"] == f"timm/{NAME}.{TAG}"
    assert (spec["resize"], spec["crop"]) == (256, 224)
    assert spec["interpolation"] == "bicubic"
    assert spec["categories"][0].startswith("tench")
    save_classifier(
        model, spec, tmp_path / "weights.safetensors", tmp_path / "spec.json"
    )
    with torch.inference_mode():
        assert agrees(timm, net, load_classifier(tmp_path))
    path.unlink()
    with pytest.raises(UserError, match=rf"{path} is not there.*get file:///nowhere"):
        receipt(classifier, tmp_path)


def test_timms_weights_are_read_from_the_cache_of_its_hub(timm, no_hub, hub, tmp_path):
    net = timm.create_model(f"{NAME}.{TAG}", num_classes=1000).eval()
    folder = no_hub / f"models--timm--{NAME}.{TAG}"
    for part in ("refs", "blobs", "snapshots/abc"):
        (folder / part).mkdir(parents=True)
    (folder / "refs/main").write_text("abc")
    save_file(net.state_dict(), folder / "draft")
    digest = sha256(folder / "draft")
    (folder / "draft").rename(folder / "blobs" / digest)
    (folder / "snapshots/abc/model.safetensors").symlink_to(f"../../blobs/{digest}")
    classifier = chosen(f"timm/{NAME}", TAG)
    told = receipt(classifier, tmp_path)
    assert read_json(told)["revision"] == "abc"
    model, spec = export_classifier(classifier, 64, fetched_file(told))
    assert spec["weights"]["sha256"] == digest
    same = published_weights(f"timm/{NAME}", f"{TAG}@abc")
    assert fetch(same)["sha256"] == digest
    with pytest.raises(UserError, match=rf"{TAG}@def\.safetensors is not there"):
        fetch(published_weights(f"timm/{NAME}", f"{TAG}@def"))
    for one, other in zip(net.parameters(), model.net.parameters(), strict=True):
        assert torch.equal(one, other)
    (folder / "blobs" / digest).write_bytes(b"damaged")
    with pytest.raises(UserError, match="its SHA-256 does not begin with"):
        receipt(classifier, tmp_path)


def test_weights_on_timms_hub_alone_say_how_to_place_them(timm, no_hub, hub):
    entry = published_weights("timm/vit_tiny_patch16_224", "DEFAULT")
    name = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    assert entry.file == hub / f"{name}.safetensors"
    assert entry.address.endswith(f"timm/{name}/resolve/main/model.safetensors")
    with pytest.raises(UserError, match=rf"get {entry.address} and put it there"):
        fetch(entry)


def test_timms_mistakes_are_named(timm, no_hub):
    for architecture, weights, told in (
        ("timm/resnet51", "DEFAULT", r"no 'timm/resnet51'; perhaps .*timm/resnet50"),
        ("timm/resnet50", "V1", r"timm/resnet50 has no 'V1'; it has a1_in1k"),
    ):
        with pytest.raises(UserError, match=told):
            published_weights(architecture, weights)


def test_timms_networks_can_be_trained_or_come_with_own_weights(timm, tmp_path):
    spec = classifier_spec(Classifier(architecture=f"timm/{NAME}"), 5, 64)
    assert build_classifier(spec)(torch.rand(2, 3, 64, 64)).shape == (2, 5)
    net = timm.create_model(NAME, num_classes=3)
    torch.save({"state_dict": net.state_dict()}, tmp_path / "own.pth")
    model, spec = export_classifier(
        chosen(f"timm/{NAME}", str(tmp_path / "own.pth")), 64
    )
    assert spec["classes"] == 3
    assert torch.equal(model.net.classifier.bias, net.classifier.bias)


FAMILIES = {
    "timm/vit_tiny_patch16_224": {
        "img_size": 32, "patch_size": 8, "depth": 2, "embed_dim": 48, "num_heads": 2,
    },
    "timm/swin_tiny_patch4_window7_224": {
        "img_size": 32, "patch_size": 2, "window_size": 4, "embed_dim": 24,
        "depths": [1, 1], "num_heads": [2, 4],
    },
    "timm/convnext_atto": {"patch_size": 2, "depths": [1, 1, 1, 1], "dims": [8, 16, 16, 16]},
    "timm/mixer_s32_224": {"img_size": 32},
    "timm/densenet121": {"growth_rate": 8, "block_config": [2, 2]},
    "timm/regnetx_002": {},
    "timm/efficientnet_lite0": {},
    "torchvision/mobilenet_v3_small": {"dropout": 0.1},
    "torchvision/densenet121": {"drop_rate": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("architecture", FAMILIES)
def test_families_are_built_by_settings_alone_and_come_back(
    architecture, request, tmp_path
):
    if architecture.startswith("timm/"):
        request.getfixturevalue("timm")
    settings = Classifier(architecture=architecture, options=FAMILIES[architecture])
    spec = classifier_spec(settings, 5, 32)
    torch.manual_seed(0)
    net = build_classifier(spec).eval()
    pixels = torch.rand(2, 3, 32, 32, requires_grad=True)
    net(pixels).sum().backward()
    assert pixels.grad is not None
    save_classifier(net, spec, tmp_path / "weights.safetensors", tmp_path / "spec.json")
    loaded = load_classifier(tmp_path)
    with torch.inference_mode():
        assert loaded(pixels).shape == (2, 5)
    for name, weights in net.net.state_dict().items():
        assert weights.equal(loaded.net.state_dict()[name]), name


def test_options_that_a_constructor_refuses_are_told(timm):
    for architecture in ("timm/vit_tiny_patch16_224", "torchvision/resnet18"):
        settings = Classifier(architecture=architecture, options={"banana": 1})
        with pytest.raises(
            UserError, match=f"options: {architecture} refuses .*banana"
        ):
            build_classifier(classifier_spec(settings, 5, 32))


@pytest.mark.parametrize(
    ("architecture", "options", "told"),
    [
        ("lenet5", {"depth": 3}, "options: lenet5 takes none"),
        ("timm/resnet18", {"num_classes": 3}, "num_classes: the study sets it itself"),
    ],
)
def test_options_without_a_place_are_refused(architecture, options, told):
    with pytest.raises(ValidationError, match=told):
        Classifier(architecture=architecture, options=options)


def test_a_size_that_a_network_insists_on_is_told_before_training(timm):
    spec = classifier_spec(Classifier(architecture="timm/deit_tiny_patch16_224"), 5, 32)
    net = build_classifier(spec).eval()
    with pytest.raises(UserError, match=r"refuses the study's 32×32 .*options"):
        count_logits(net, 32, "timm/deit_tiny_patch16_224")
