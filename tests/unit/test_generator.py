"""The generator: its published size, other sizes, and what of it learns."""

import pytest
import torch

from s2snets.networks.generator import Autoencoder, Generator, ImageNorm, make_plan

SIDES = (8, 28, 32, 33, 64, 75)


def count(parameters):
    return sum(parameter.numel() for parameter in parameters)


def test_from_scratch_it_has_the_published_number_of_parameters():
    generator = Generator()
    assert count(generator.parameters()) == 5_240_841
    assert count(generator.trainable.values()) == 5_240_841


def test_pretrained_it_has_the_published_numbers_of_parameters():
    generator = Generator(pretrained=True)
    assert count(generator.parameters()) == 5_350_089
    assert {name: value.numel() for name, value in generator.trainable.items()} == {
        "alpha": 3200
    }


def test_at_224_pixels_the_plan_is_that_of_table_2():
    assert make_plan(224).code == (128, 5, 5)
    assert make_plan(224).blocks == ((512, 2), (256, 3), (256, 3), (128, 3), (128, 4))


def test_at_224_pixels_the_planes_are_the_published_ones():
    sides, generator = [], Generator().to("meta")
    for block in generator.decoder.blocks:
        block.register_forward_hook(lambda _, given, made: sides.append(made.shape[-1]))
    made = generator(torch.ones(1, 3200, device="meta"))
    assert sides == [9, 16, 30, 58, 113, 226]
    assert made.shape == (1, 3, 224, 224)


@pytest.mark.parametrize("pretrained", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_any_size_gives_images_of_that_size_with_pixels_in_range(side, pretrained):
    generator = Generator(side, pretrained)
    made = generator(torch.randn(2, generator.length) + 1)
    assert made.shape == (2, 3, side, side)
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("side", [128, 256, 299])
def test_the_plan_of_greater_sizes_ends_at_them(side):
    made = make_plan(side)
    reached = made.code[1]
    for _, kernel in made.blocks:
        reached = 2 * reached - kernel + 1
    assert 2 * reached - made.kernel + 1 == side
    assert made.code[1] <= 5


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match="7 pixels"):
        make_plan(7)


def test_a_fresh_generator_has_the_contrast_of_photographs():
    torch.manual_seed(0)
    generator = Generator(32, pretrained=True)
    made = generator(torch.rand(8, generator.length))
    assert abs(made.mean() - 0.5) < 0.02
    assert 0.15 < made.std() < 0.25


def test_an_image_does_not_depend_on_the_others_of_its_batch():
    generator = Generator(32, pretrained=True).double()
    features = torch.rand(3, generator.length, dtype=torch.float64)
    together = generator(features)
    for place in range(3):
        alone = generator(features[place : place + 1])[0]
        torch.testing.assert_close(together[place], alone)


def test_the_norm_of_one_image_is_batch_norm_in_training():
    own, batch = ImageNorm(4), torch.nn.BatchNorm2d(4)
    batch.load_state_dict(own.state_dict())
    image = 3 * torch.randn(1, 4, 5, 6) + 2
    torch.testing.assert_close(own.eval()(image), batch(image))


def test_pretrained_a_negative_code_is_none():
    generator = Generator(32, pretrained=True)
    features = torch.rand(1, generator.length) - 0.5
    torch.testing.assert_close(generator(features), generator(features.clamp(min=0)))
    fresh = Generator(32)
    assert not torch.allclose(fresh(features), fresh(features.clamp(min=0)))


def test_gradients_reach_alpha_alone_when_pretrained_and_everything_from_scratch():
    for pretrained in (False, True):
        generator = Generator(32, pretrained)
        # Squares: the mean alone is what the last norm leaves untouched.
        generator(torch.rand(1, generator.length)).square().sum().backward()
        reached = {
            name
            for name, parameter in generator.named_parameters()
            if parameter.grad is not None
        }
        assert reached == set(generator.trainable)
        assert generator.alpha.grad.abs().sum() > 0


def test_an_autoencoders_decoder_becomes_a_generators():
    autoencoder, generator = Autoencoder(32), Generator(32, pretrained=True)
    pixels = torch.rand(1, 3, 32, 32)
    assert autoencoder(pixels).shape == pixels.shape
    generator.decoder.load_state_dict(autoencoder.decoder.state_dict())
    code = autoencoder.encoder(pixels).relu()
    # With one image, batch norm in training is the norm by each image's own.
    torch.testing.assert_close(generator(code), autoencoder.decoder(code))


@pytest.mark.parametrize("side", SIDES)
def test_autoencoders_of_any_size_reconstruct_in_range(side):
    made = Autoencoder(side).eval()(torch.rand(2, 3, side, side))
    assert made.shape == (2, 3, side, side)
    assert made.min() >= 0
    assert made.max() <= 1


def test_an_autoencoder_learns():
    torch.manual_seed(0)
    autoencoder, pixels = Autoencoder(16), torch.rand(4, 3, 16, 16)
    pixels[:, :, 4:12, 4:12] = torch.tensor([0.1, 0.4, 0.6, 0.9]).view(4, 1, 1, 1)
    descent, errors = torch.optim.Adam(autoencoder.parameters(), 0.003), []
    for _ in range(60):
        error = (autoencoder(pixels) - pixels).square().mean()
        descent.zero_grad()
        error.backward()
        descent.step()
        errors.append(error.item())
    assert errors[-1] < errors[0] / 2
