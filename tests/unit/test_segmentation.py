"""Segmentation by saliency: the labelled sets, GrabCut, the scores, their table."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from s2snets.config import Figures, Segmentation
from s2snets.data.segmentation import PUBLISHED, read_examples
from s2snets.figures import salient_segmentation
from s2snets.measure.segmentation import (
    add_printed,
    class_means,
    resampled,
    scores,
    summarise,
)
from s2snets.networks.architectures import small_alexnet
from s2snets.networks.checkpoints import save_classifier
from s2snets.networks.frozen import FrozenClassifier
from s2snets.reversal import grabcut
from s2snets.reversal.saliency import (
    METHODS,
    gaussian_baseline,
    saliency,
    saliency_maps,
)
from s2snets.runtime.assets import ASSETS
from s2snets.runtime.errors import UserError
from s2snets.runtime.tables import read_arrays, read_rows
from s2snets.stages.salient import Segment, TabulateSegmentation

ROOT = Path(__file__).parents[2]
SETTINGS = Segmentation(path="unused")


def reference(file, values):
    """A MATLAB v7.3 cell: object references, a row vector stored as a column."""
    cell = np.empty((len(values), 1), h5py.ref_dtype)
    cell[:, 0] = [file["#refs#"][value].ref for value in values]
    return cell


def write_matlab(path, examples, without=None):
    """A struct of cells as MATLAB writes it: arrays transposed, text as code units."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for place, (image, masks, category) in enumerate(examples):
            names = []
            for number, mask in enumerate(masks):
                names.append(f"m{place}_{number}")
                file[f"#refs#/{names[-1]}"] = mask.T.astype(np.uint8)
            if masks:
                file[f"#refs#/gt{place}"] = reference(file, names)
            else:
                file[f"#refs#/gt{place}"] = np.zeros(2, np.uint64)
                file[f"#refs#/gt{place}"].attrs["MATLAB_empty"] = 1
            file[f"#refs#/img{place}"] = image.T
            units = np.array([ord(letter) for letter in category], np.uint16)
            file[f"#refs#/target{place}"] = units[:, None]
        for field in {"img", "gt", "target"} - {without}:
            names = [f"{field}{place}" for place in range(len(examples))]
            file[f"value/{field}"] = reference(file, names)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124))
    return path


def example(height, width, masks, category, seed=0):
    drawn = np.random.default_rng(seed)
    image = drawn.integers(256, size=(height, width, 3), dtype=np.uint8)
    return image, [drawn.random((height, width)) < 0.5 for _ in range(masks)], category


def write_folder(path, examples):
    for place, (image, masks, category) in enumerate(examples):
        for kind, pixels in (("images", image), ("masks", masks[0])):
            file = path / kind / category / f"{place}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file)
    return path


EXAMPLES = [example(5, 7, 1, "n01", 1), example(6, 4, 3, "n02", 2)]


@pytest.mark.parametrize("write", [write_matlab, write_folder])
def test_both_formats_give_what_was_written(tmp_path, write):
    read = read_examples(write(tmp_path / "set", EXAMPLES))
    assert len(read) == 2
    for found, (image, masks, category) in zip(read, EXAMPLES, strict=True):
        assert (found.image == image).all()
        assert (found.masks == masks[: len(found.masks)]).all()
        assert found.masks.dtype == bool
        assert found.category == category
    assert len(read[1].masks) == (3 if write is write_matlab else 1)


def test_a_grey_image_of_the_published_set_has_three_channels(tmp_path):
    grey = EXAMPLES[0][0][..., 0]
    read = read_examples(write_matlab(tmp_path / "x", [(grey, *EXAMPLES[0][1:])]))
    assert (read[0].image == grey[..., None]).all()
    assert read[0].image.shape == (5, 7, 3)


def v5(path):
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(600))


def a_value_that_is_no_struct(path):
    with h5py.File(path, "w") as file:
        file["value"] = np.zeros(3)


def cropped(path):
    write_matlab(path, EXAMPLES)
    path.write_bytes(path.read_bytes()[:-500])


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (lambda path: None, "no such set"),
        (v5, "v5, not v7.3"),
        (cropped, "no whole MATLAB v7.3 file"),
        (lambda path: path.write_bytes(b"<html>"), "no whole MATLAB v7.3 file"),
        (lambda path: write_matlab(path, EXAMPLES, "gt"), "lacks value/img, value/gt"),
        (a_value_that_is_no_struct, "lacks value/img, value/gt"),
        (os.mkfifo, "x.mat: not a regular file"),
        (lambda path: write_matlab(path, [example(5, 7, 0, "n01")]), "has no mask"),
        (
            lambda path: write_matlab(
                path, [(EXAMPLES[0][0], EXAMPLES[1][1], EXAMPLES[0][2])]
            ),
            "mask has 6×4 pixels, the image 5×7",
        ),
        (
            lambda path: write_matlab(
                path, [(EXAMPLES[0][0], [np.zeros(3, bool)], EXAMPLES[0][2])]
            ),
            "mask has 3 pixels, the image 5×7",
        ),
    ],
)
def test_a_broken_published_set_is_told_in_a_line(tmp_path, write, complaint):
    write(tmp_path / "x.mat")
    with pytest.raises(UserError, match=complaint) as told:
        read_examples(tmp_path / "x.mat")[0]
    assert "\n" not in str(told.value)


def test_a_broken_folder_is_told_in_a_line(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        read_examples(tmp_path)
    write_folder(tmp_path, EXAMPLES)
    mask = tmp_path / "masks/n01/0.png"
    Image.new("L", (3, 3)).save(mask)
    with pytest.raises(UserError, match=r"images/n01/0.png: its mask has 3×3"):
        read_examples(tmp_path)[0]
    mask.unlink()
    with pytest.raises(UserError, match=r"n01/0.png: no such mask \(1 of 2"):
        read_examples(tmp_path)
    Image.new("RGB", (3, 3)).save(tmp_path / "images/stray.png")
    with pytest.raises(UserError, match=r"stray.png: is not in a class's folder"):
        read_examples(tmp_path)


@pytest.mark.parametrize("write", [write_matlab, write_folder])
def test_a_changed_set_has_another_fingerprint(tmp_path, write):
    write(tmp_path / "a", EXAMPLES)
    write(tmp_path / "b", [EXAMPLES[0], example(6, 4, 3, "n02", 9)])
    one, other = (read_examples(tmp_path / name).fingerprint for name in "ab")
    assert one == read_examples(tmp_path / "a").fingerprint
    assert one != other


def test_scores_of_a_hand_computed_case_take_the_best_mask_for_each():
    found = np.array([[1, 1, 0, 0]], bool)
    masks = np.array([[[1, 0, 0, 0]], [[1, 1, 1, 1]], [[0, 0, 0, 0]]], bool)
    # 3/4 and 1/2 of the first; 2/4 and 2/4 of the second; 2/4 and 0 of the third.
    assert scores(found, masks) == (0.75, 0.5)
    # A mask that is best for one score need not be for the other.
    masks = np.array([[[0, 0, 0, 1]], [[1, 1, 1, 1]]], bool)
    assert scores(np.array([[1, 0, 0, 0]], bool), masks) == (0.5, 0.25)


def test_nothing_found_where_nothing_is_scores_one():
    nothing = np.zeros((1, 2, 2), bool)
    assert scores(nothing[0], nothing) == (1, 1)
    assert scores(nothing[0], ~nothing) == (0, 0)


def test_classes_count_alike_however_many_images_they_have():
    values = np.array([[0.0], [1.0], [0.2], [0.4], [0.6]])
    assert class_means(values, list("aabbb")) == pytest.approx(0.45)
    times = np.array([[0, 0, 3, 0, 0], [1, 1, 0, 2, 0]])
    found = class_means(values, list("babab"), times)
    # b: images 0, 2, 4; a: 1, 3. The first resample has no a.
    assert found[:, 0] == pytest.approx([0.2, (0 + (1 + 2 * 0.4) / 3) / 2])


def test_resamples_are_paired_and_centred():
    drawn = np.random.default_rng(1).random(300)
    values = np.stack([drawn, drawn + 0.1], 1)
    found = resampled(values, np.arange(300) % 7, 130, seed=3)
    assert found[:, 1] - found[:, 0] == pytest.approx(np.full(130, 0.1))
    assert found[:, 0].mean() == pytest.approx(drawn.mean(), abs=0.01)
    # A mean of 300 uniform numbers deviates by 1/sqrt(12 * 300).
    assert found[:, 0].std() == pytest.approx(1 / 60, rel=0.25)
    assert (found[:65] == resampled(values, np.arange(300) % 7, 65, seed=3)).all()


def rows(classifier, method, iou, seed=0, images=None):
    return pd.DataFrame(
        {
            "seed": seed,
            "classifier": classifier,
            "method": method,
            "set": PUBLISHED,
            "image": np.arange(len(iou)) if images is None else images,
            "category": list("aab")[: len(iou)],
            "pp": 0.5,
            "iou": iou,
        }
    )


def test_the_table_averages_seeds_then_images_then_classes():
    table = summarise(
        pd.concat(
            [
                rows("V", "salinet", [0.0, 0.4, 0.6]),
                rows("V", "salinet", [0.2, 0.4, 1.0], seed=1),
                rows("none", "gaussian", [0.5, 0.5, 0.5]),
            ]
        ),
        200,
        0,
    )
    assert table["classifier"].tolist() == ["V", "none"]
    assert table["seeds"].tolist() == [2, 1]
    assert table[["images", "classes"]].to_numpy().tolist() == [[3, 2], [3, 2]]
    assert table["iou"].to_numpy() == pytest.approx([(0.25 + 0.8) / 2, 0.5])
    first = table.iloc[0]
    assert first["iou_low"] < first["iou"] < first["iou_high"]
    assert (table[["pp", "pp_low", "pp_high"]] == 0.5).all(axis=None)


def test_methods_on_other_images_are_refused():
    whole = rows("V", "salinet", [0.0, 0.4, 0.6])
    for lacking in (
        rows("A", "salinet", [0.0, 0.4]),
        rows("V", "salinet", [0.0, 0.4], seed=1),
    ):
        with pytest.raises(UserError, match="lacks images that others have"):
            summarise(pd.concat([whole, lacking]), 10, 0)


def test_printed_scores_stand_beside_the_papers_networks_on_its_images_alone():
    printed = pd.DataFrame(
        [("AlexNet", "salinet", 0.8, 0.57), ("", "gaussian", 0.79, 0.46)],
        columns=["network", "method", "pp", "iou"],
    )
    table = summarise(
        pd.concat(
            [
                rows(name, method, [0.1, 0.2, 0.3])
                for name, method in (
                    ("A", "salinet"),
                    ("A", "deconvnet"),
                    ("own", "salinet"),
                    ("none", "gaussian"),
                )
            ]
        ),
        10,
        0,
    )
    named = {"A": "torchvision/alexnet", "own": "small_alexnet"}
    found = add_printed(table, printed, named, PUBLISHED)
    assert found["source"].tolist() == ["measured"] * 4 + ["printed"] * 2
    shown = found["printed_iou"].fillna(0).tolist()
    assert shown == [0.57, 0, 0, 0.46, 0, 0]
    assert found["iou"].tolist()[4:] == [0.57, 0.46]
    elsewhere = add_printed(table, printed, named, "another")
    assert elsewhere["printed_iou"].isna().all()


def test_seeds_are_quantiles_with_an_own_limit_for_salinet():
    ranks = np.random.default_rng(0).permutation(1000).reshape(20, 50)
    found = grabcut.seed_pixels(ranks, SETTINGS, "desalinet")
    assert [(found == one).sum() for one in range(-2, 3)] == [5, 295, 600, 95, 5]
    assert (found[ranks >= 995] == grabcut.ALWAYS).all()
    assert (found[ranks < 5] == grabcut.NEVER).all()
    own = grabcut.seed_pixels(ranks, SETTINGS, "salinet")
    assert (own > 0).sum() == 50


def blocks():
    """A bright, noisy square on a dark, noisy ground; its mask."""
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:45] = True
    noise = np.random.default_rng(0).normal(0, 8, (40, 60, 3))
    image = np.where(mask[..., None], (200, 60, 60), (40, 80, 120)) + noise
    return image.clip(0, 255).astype(np.uint8), mask


def test_grabcut_finds_an_object_from_a_vague_saliency():
    image, mask = blocks()
    rows, columns = np.mgrid[:40, :60]
    vague = np.exp(-((rows - 18) ** 2 + (columns - 30) ** 2) / 150)
    found = grabcut.segment(image, vague, SETTINGS, "desalinet")
    pp, iou = scores(found, mask[None])
    assert pp > 0.98
    assert iou > 0.95
    again = grabcut.segment(image, vague, SETTINGS, "desalinet")
    assert (found == again).all()


def test_pixels_of_which_nothing_is_known_teach_neither_side_its_colours():
    image, mask = blocks()
    seeds = np.full(mask.shape, grabcut.UNKNOWN, np.int8)
    seeds[:3] = grabcut.NEVER
    seeds[20, 25:40] = grabcut.LIKELY
    seeds[20, 30] = grabcut.ALWAYS
    assert scores(grabcut.cut_foreground(image, seeds, 1), mask[None])[1] > 0.95


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 40), (40, 60)])
@pytest.mark.parametrize("flat", [True, False])
def test_whatever_the_saliency_the_foreground_is_one_component_or_none(shape, flat):
    drawn = np.random.default_rng(0)
    image = np.zeros((*shape, 3), np.uint8) if flat else blocks()[0][-shape[0] :]
    image = np.ascontiguousarray(image[:, : shape[1]])
    one = np.zeros(shape)
    one.flat[-1] = 1
    for given, some in (
        (np.zeros(shape), False),
        (one, one.size > 1),
        (1 - one, None),
        (drawn.random(shape), one.size > 1),
    ):
        found = grabcut.segment(image, given, SETTINGS, "salinet")
        assert found.shape == shape
        assert some is None or found.any() == some
        assert (found == grabcut.largest_component(found)).all()


def test_the_largest_component_is_kept_and_corners_connect():
    mask = np.array([[1, 0, 0, 1, 1], [0, 1, 0, 0, 0], [1, 0, 0, 0, 1]], bool)
    kept = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0]], bool)
    assert (grabcut.largest_component(mask) == kept).all()
    assert not grabcut.largest_component(np.zeros((2, 2), bool)).any()


def test_a_mask_grows_by_whole_pixels():
    mask = np.array([[1, 0], [0, 1]], bool)
    grown = np.kron(mask, np.ones((3, 2), bool))
    assert (grabcut.resize_mask(mask, (6, 4)) == grown).all()


def test_the_baseline_is_the_published_blob():
    found = gaussian_baseline(256, 340)
    centre = found[127, 169]
    assert centre == found.max() == 1
    assert found[0, 0] == found[-1, 0] == found[0, -1] == found[-1, -1] == -1
    # 24 pixels off the centre, and at the window's edge and just outside it.
    assert found[127, 169 + 24] == pytest.approx(np.exp(-0.5), rel=1e-5)
    assert found[127 + 62, 169] == pytest.approx(np.exp(-(62**2) / 2 / 24**2), rel=1e-4)
    assert found[127 + 63, 169] == 0
    assert (found > 0).sum() == 125**2
    assert (found < 0).sum() == 4 * 63**2


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (31, 64), (64, 31)])
def test_the_baseline_fits_any_image(shape):
    found = gaussian_baseline(*shape)
    assert found.shape == shape
    assert np.isfinite(found).all()


def test_salinet_and_desalinet_backpropagate_normalisation():
    assert {name: rules.lrn for name, rules in METHODS.items()} == {
        "salinet": "backprop", "desalinet": "backprop", "deconvnet": "identity",
    }  # fmt: skip


def alexnet(seed=0):
    torch.manual_seed(seed)
    return FrozenClassifier(
        small_alexnet(), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), size=32
    )


@pytest.mark.parametrize("method", METHODS)
def test_saliency_is_a_map_of_the_image_whatever_its_size(method):
    pixels = torch.rand(2, 3, 45, 64, generator=torch.Generator().manual_seed(0))
    found = saliency(alexnet(), pixels, method)
    assert found.shape == (2, 45, 64)
    assert (found >= 0).all()
    assert found.flatten(1).any(1).all()


def test_salinets_saliency_is_the_gradient_of_the_positive_logits():
    classifier = alexnet()
    pixels = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    x = classifier.prepare(pixels).requires_grad_()
    y = classifier.net(x)
    assert y.max() > 0
    y.max().backward()
    found = saliency(classifier, pixels, "salinet")
    torch.testing.assert_close(found, x.grad.abs().amax(1))


def test_a_class_is_asked_for_wherever_it_is_positive():
    torch.manual_seed(3)
    features, head = nn.Conv2d(3, 6, 8), nn.Linear(6, 5)
    net = nn.Sequential(features, nn.ReLU(), nn.Flatten(), head)
    classifier = FrozenClassifier(net, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), size=8)
    pixels = torch.rand(1, 3, 12, 15, generator=torch.Generator().manual_seed(0))
    x = classifier.prepare(pixels).requires_grad_()
    y = head(features(x).relu().movedim(1, -1))
    best = y[..., y.amax((0, 1, 2)).argmax()]
    assert (best > 0).sum() > 1
    best.clamp(min=0).sum().backward()
    found = saliency(classifier, pixels, "salinet")
    torch.testing.assert_close(found, x.grad.abs().amax(1))


def test_images_of_several_sizes_get_the_maps_they_get_alone():
    sizes = ((40, 48), (36, 36), (40, 48))
    images = [example(*size, 1, "x", n)[0] for n, size in enumerate(sizes)]
    classifier, device = alexnet(), torch.device("cpu")
    together = saliency_maps(images, classifier, device)
    for place, image in enumerate(images):
        for method, (alone,) in saliency_maps([image], classifier, device).items():
            np.testing.assert_allclose(together[method][place], alone, atol=1e-6)


def stage(module, *arguments):
    module.main([str(one) for one in arguments])


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    """The demo's set, a little of it, by an untrained network and by the baseline."""
    root = tmp_path_factory.mktemp("segmented")
    spec = {"architecture": "small_alexnet", "classes": 10, "size": 32}
    spec |= {"published": False, "resize": None, "crop": None}
    spec |= {"mean": [0.5] * 3, "std": [0.25] * 3}
    weights = root / "A/weights.safetensors"
    save_classifier(alexnet(), spec, weights, root / "A/spec.json")
    chosen = {"path": str(ROOT / "resources/demo/segmentation"), "side": 48}
    chosen |= {"images": 10, "iterations": 2}
    settings = json.dumps({"segmentation": chosen, "examples": 2})
    for name, given in (("A", ("--classifier", weights)), ("baseline", ())):
        stage(
            Segment, "--images", chosen["path"], *given, "--name", name,
            "--scores", root / f"{name}.parquet", "--examples", root / f"{name}.npz",
            "--record", root / f"{name}.json", "--settings", settings,
        )  # fmt: skip
    return root


def test_a_network_and_the_baseline_are_scored_on_the_same_images(segmented):
    network = read_rows([segmented / "A.parquet"])
    baseline = read_rows([segmented / "baseline.parquet"])
    assert network.groupby("method", observed=True).size().to_dict() == {
        "deconvnet": 10, "desalinet": 10, "salinet": 10,
    }  # fmt: skip
    assert set(network["image"]) == set(baseline["image"])
    assert network[["pp", "iou"]].to_numpy().min() >= 0
    assert network[["pp", "iou"]].to_numpy().max() <= 1
    assert baseline["pp"].mean() > 0.8  # of dark surroundings, and products in them
    assert not list(segmented.glob(".*parts"))


def test_images_smaller_than_the_network_are_refused(segmented, tmp_path):
    settings = json.loads((segmented / "A.json").read_text())["settings"]
    settings["segmentation"]["side"] = 31
    with pytest.raises(
        UserError, match=r"segmentation.side: 31 pixels are too few for A"
    ):
        stage(
            Segment, "--images", settings["segmentation"]["path"],
            "--classifier", segmented / "A/weights.safetensors", "--name", "A",
            "--scores", tmp_path / "A.parquet", "--examples", tmp_path / "A.npz",
            "--record", tmp_path / "A.json", "--settings", json.dumps(settings),
        )  # fmt: skip


def test_scores_do_not_depend_on_which_images_are_reversed_together(
    segmented, tmp_path, monkeypatch
):
    monkeypatch.setattr("s2snets.reversal.segmentation.GROUP_SIZE", 3)
    settings = json.loads((segmented / "A.json").read_text())["settings"]
    stage(
        Segment, "--images", settings["segmentation"]["path"],
        "--classifier", segmented / "A/weights.safetensors", "--name", "A",
        "--scores", tmp_path / "A.parquet", "--examples", tmp_path / "A.npz",
        "--record", tmp_path / "A.json", "--settings", json.dumps(settings),
        "--threads", 2,
    )  # fmt: skip
    order = ["method", "image"]
    one, other = (
        read_rows([folder / "A.parquet"]).sort_values(order).reset_index(drop=True)
        for folder in (segmented, tmp_path)
    )
    pd.testing.assert_frame_equal(one, other)


def test_the_figure_is_drawn_from_the_table_and_the_examples(segmented, tmp_path):
    table = tmp_path / "segmentation.csv"
    stage(
        TabulateSegmentation,
        "--scores", segmented / "A.parquet", segmented / "baseline.parquet",
        "--printed", ASSETS / "mahendran2016/table1.csv",
        "--names", "A", "--architectures", "small_alexnet",
        "--examples", segmented / "A.npz", segmented / "baseline.npz",
        "--table", table, "--gallery", tmp_path / "gallery.npz",
        "--settings", '{"resamples": 50}',
    )  # fmt: skip
    found = pd.read_csv(table)
    assert found["source"].tolist() == ["measured"] * 4 + ["printed"] * 9
    assert found["printed_iou"].isna().all()
    assert found["iou"].between(0, 1).all()
    examples = read_arrays(tmp_path / "gallery.npz")
    assert examples["pictures"].shape == (2 * (2 + 3 * 3) + 2 * (2 + 3), 48, 48, 3)
    stage(
        salient_segmentation.SegmentationScores, "--segmentation", table,
        "--examples", tmp_path / "gallery.npz",
        "--pdf", tmp_path / "x.pdf", "--png", tmp_path / "x.png",
        "--csv", tmp_path / "x.csv", "--settings", Figures().model_dump_json(),
    )  # fmt: skip
    drawn = pd.read_csv(tmp_path / "x.csv")
    assert len(drawn) == 2 * 13
    assert (tmp_path / "x.pdf").stat().st_size > 5000


def test_a_printed_score_that_stands_beside_has_no_line_of_its_own():
    table = pd.DataFrame(
        [
            ("measured", "A", "AlexNet", "salinet", 0.5),
            ("measured", "B", None, "salinet", None),
            ("printed", None, "AlexNet", "salinet", None),
            ("printed", None, "VGG-16", "salinet", None),
        ],
        columns=["source", "classifier", "network", "method", "printed_iou"],
    )
    found = salient_segmentation.score_lines(table)
    names = [salient_segmentation.line_label(line) for _, line in found.iterrows()]
    assert names == ["$A$ SaliNet", "$B$ SaliNet", "VGG-16 SaliNet, printed"]


def test_the_demos_set_has_masks_that_are_neither_empty_nor_all():
    read = read_examples(ROOT / "resources/demo/segmentation")
    assert len(read) == 60
    share = [one.masks[0].mean() for one in read]
    assert min(share) > 0.02
    assert max(share) < 0.3
    assert len({one.category for one in read}) == 10
