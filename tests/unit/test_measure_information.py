import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import normalized_mutual_info_score

from s2snets.measure.information import MEANS, nmi, shuffle_pixels, summarise
from s2snets.runtime.errors import UserError


def photo(rng, count=1, size=24, channels=3):
    """Smooth images: neighbouring pixels alike, as in photographs."""
    steps = rng.normal(0, 12, (count, size, size, channels)).cumsum(1).cumsum(2)
    return np.clip(steps + 128, 0, 255).astype(np.uint8)


def noisy(rng, images, sigma=8):
    return np.clip(images + rng.normal(0, sigma, images.shape), 0, 255).astype(np.uint8)


def oracle(first, second, bins, channels, average_method):
    def score(a, b):
        a, b = (x.astype(int).ravel() * bins // 256 for x in (a, b))
        return normalized_mutual_info_score(a, b, average_method=average_method)

    if channels == "together":
        return [score(a, b) for a, b in zip(first, second, strict=True)]
    depth = range(first.shape[-1])
    return [
        np.mean([score(a[..., c], b[..., c]) for c in depth])
        for a, b in zip(first, second, strict=True)
    ]


@pytest.mark.parametrize("average_method", MEANS)
@pytest.mark.parametrize("channels", ["separate", "together"])
@pytest.mark.parametrize("bins", [2, 7, 32, 256])
def test_nmi_equals_scikit_learn(bins, channels, average_method):
    rng = np.random.default_rng(bins)
    first = photo(rng, 3)
    second = noisy(rng, first)
    options = {"bins": bins, "channels": channels, "average_method": average_method}
    expected = oracle(first, second, **options)
    assert nmi(first, second, **options) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shape", [(5, 1, 1, 1), (4, 3, 17, 2), (2, 9, 4, 5)])
def test_nmi_takes_any_size_and_number_of_channels(shape):
    first, second = np.random.default_rng(1).integers(0, 256, (2, *shape), np.uint8)
    for channels in ("separate", "together"):
        expected = oracle(first, second, 16, channels, "geometric")
        scores = nmi(first, second, bins=16, channels=channels)
        assert scores == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("average_method", MEANS)
def test_constant_planes_give_one_and_a_constant_beside_a_varying_one_zero(
    average_method,
):
    flat = np.full((1, 8, 8, 3), 9, np.uint8)
    varying = photo(np.random.default_rng(2), size=8)
    assert nmi(flat, flat + 1, average_method=average_method) == [1.0]
    assert nmi(flat, varying, average_method=average_method) == [0.0]
    mixed = np.concatenate([flat[..., :1], varying[..., 1:]], axis=-1)
    expected = oracle(mixed, varying, 256, "separate", average_method)
    scores = nmi(mixed, varying, average_method=average_method)
    assert scores == pytest.approx(expected, abs=1e-12)


def test_nearly_constant_planes_stay_close_to_scikit_learn():
    flat = np.zeros((1, 64, 64, 1), np.uint8)
    other = flat.copy()
    flat[0, 0, 0], other[0, 0, :2] = 255, 255
    expected = oracle(flat, other, 256, "separate", "geometric")
    assert nmi(flat, other) == pytest.approx(expected, abs=1e-10)


def test_nmi_of_a_chunked_batch_equals_that_of_its_images():
    rng = np.random.default_rng(3)
    first = photo(rng, 400, size=6)
    second = noisy(rng, first)
    for bins in (8, 256):
        scores = nmi(first, second, bins=bins)
        for place in range(0, 400, 57):
            alone = nmi(first[place], second[place], bins=bins)
            assert scores[place] == pytest.approx(alone[0], abs=1e-14)


def test_nmi_does_not_care_how_the_memory_is_laid_out():
    rng = np.random.default_rng(4)
    first = photo(rng, 2)
    second = noisy(rng, first)
    planar = np.ascontiguousarray(first.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    assert (nmi(planar, second) == nmi(first, second)).all()


def test_nmi_is_symmetric_bounded_and_one_against_itself():
    rng = np.random.default_rng(5)
    first = photo(rng, 4)
    second = noisy(rng, first)
    there, back = nmi(first, second), nmi(second, first)
    assert there == pytest.approx(back, abs=1e-13)
    assert ((there > 0) & (there < 1)).all()
    assert nmi(first, first) == pytest.approx(1, abs=1e-13)
    assert nmi(first, 255 - first) == pytest.approx(1, abs=1e-13)


def test_nmi_falls_as_the_error_grows():
    rng = np.random.default_rng(6)
    image = photo(rng, size=64)
    scores = [nmi(image, noisy(rng, image, sigma))[0] for sigma in (1, 4, 16, 64)]
    assert scores == sorted(scores, reverse=True)


def test_no_images_give_no_scores():
    none = np.zeros((0, 4, 4, 3), np.uint8)
    assert nmi(none, none).shape == (0,)


@pytest.mark.parametrize(
    ("key", "value"),
    [("bins", 1), ("bins", 257), ("channels", "rgb"), ("average_method", "mean")],
)
def test_a_setting_outside_its_range_is_named(key, value):
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(UserError, match=key):
        nmi(image, image, **{key: value})


def test_images_that_cannot_be_compared_are_refused():
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ValueError, match="float64"):
        nmi(image, image.astype(float))
    with pytest.raises(ValueError, match="differ"):
        nmi(image, image[:1])


def test_shuffling_keeps_the_colours_and_follows_each_images_own_seed():
    images = photo(np.random.default_rng(7), 3)
    drawn = shuffle_pixels(images, [5, 6, 5])
    for image, other in zip(images, drawn, strict=True):
        before, after = (x.reshape(-1, 3).tolist() for x in (image, other))
        assert sorted(before) == sorted(after)
    assert (drawn[1] != images[1]).any()
    assert (shuffle_pixels(images[1:], [6, 5]) == drawn[1:]).all()
    assert (shuffle_pixels(images[:1], [[5, 1]]) != drawn[:1]).any()


def test_shuffled_pixels_leave_the_known_bias():
    """2 N I is chi-squared with (k - 1)^2 degrees of freedom (Miller 1955)."""
    rng = np.random.default_rng(8)
    bins, samples = 8, 32 * 32
    images = rng.integers(0, 256, (300, 32, 32, 1), np.uint8)
    null = nmi(images, shuffle_pixels(images, range(300)), bins=bins)
    bias = (bins - 1) ** 2 / (2 * samples * np.log(bins))
    assert null.mean() == pytest.approx(bias, rel=0.05)


def test_summary_ranks_sources_within_measure_and_bins():
    rows = pd.DataFrame(
        [
            ("pretrained", "A_S", "intra", 256, 0.4),
            ("pretrained", "A_S", "intra", 256, 0.2),
            ("decoder-L", "A_L", "intra", 256, 0.1),
            ("decoder-L", "A_L", "intra", 256, 0.3),
            ("decoder-L", "A_L", "intra", 32, 0.5),
            ("decoder-L", "A_L", "inter", 256, 0.7),
        ],
        columns=["source", "label", "measure", "bins", "nmi"],
    ).assign(seed=0, image=[0, 1, 0, 1, 0, 0])
    table = summarise(rows, 50, 0)
    assert list(table) == [
        *("source", "label", "measure", "bins", "images"),
        *("mean", "low", "high", "mean_sd", "sd", "rank"),
    ]
    assert list(table["images"]) == [2, 2, 1, 1]
    assert list(table["mean"]) == pytest.approx([0.3, 0.2, 0.5, 0.7])
    assert list(table["sd"][:2]) == pytest.approx([0.02**0.5, 0.02**0.5])
    assert list(table["rank"]) == [1, 2, 1, 1]


def test_the_interval_of_the_mean_is_over_images_and_trainings():
    rng = np.random.default_rng(9)
    values, error = rng.random(40), {}
    for apart in (0.0, 0.1):
        rows = pd.DataFrame(
            {
                "seed": np.repeat([0, 1], 40),
                "image": np.tile(np.arange(40), 2),
                "nmi": np.tile(values, 2) + np.repeat([0.0, apart], 40),
            }
        ).assign(source="pretrained", label="A_S", measure="intra", bins=32)
        (row,) = summarise(rows, 4000, 0).itertuples()
        assert row.mean_sd == pytest.approx(apart / 2**0.5)
        assert row.low < row.mean < row.high
        error[apart] = (row.high - row.low) / 2
    assert error[0.0] / 1.96 == pytest.approx(values.std() / 40**0.5, rel=0.05)
    # Student's t of one degree of freedom is 12.7.
    assert error[0.1] == pytest.approx(12.7 * 0.1 / 2, rel=0.2)
