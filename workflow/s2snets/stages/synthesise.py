"""Command line of rule ``synthesise``: what one network's neurons prefer to see."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from s2snets.config import Ascent, Filters, PretrainedAscent, Settings
from s2snets.data.imageset import ImageSet
from s2snets.evaluation import to_uint8
from s2snets.measure.synthesis import (
    confidence,
    high_frequency,
    rank,
    sought_activation,
    total_variation,
)
from s2snets.networks.checkpoints import load_classifier, load_weights
from s2snets.networks.generator import Autoencoder, Generator
from s2snets.runtime.chunked_parquet import ChunkedParquet, remove_chunks
from s2snets.runtime.device import use_device
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing, sha256
from s2snets.runtime.fingerprint import fingerprint
from s2snets.runtime.progress import Progress, log
from s2snets.runtime.tables import read_rows
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run
from s2snets.synthesis.ascent import ascend, groups
from s2snets.synthesis.targets import LOGITS, activations, output, targets

MODULE = "s2snets.stages.synthesise"
FILES = ("spec.json", "weights.safetensors")
KEYS = ("target", "kind", "layer", "mode")


class Sought(Settings):
    """What this stage reads of a ``config.Synthesis``."""

    scratch: Ascent
    pretrained: PretrainedAscent
    classes: list[str] | None
    filters: dict[str, list[Filters]]
    compounds: list[list[str]]
    batch: int


class Job(Settings):
    image_size: int
    synthesis: Sought


def form(weights, side):
    """The generator: with a trained autoencoder's decoder, or to be begun afresh."""
    if weights is None:
        return Generator(side)
    autoencoder = load_weights(Autoencoder(side), weights)
    generator = Generator(side, pretrained=True)
    generator.decoder.load_state_dict(autoencoder.decoder.state_dict())
    return generator


@torch.no_grad()
def scores(group, pictures, classifier, judge, known):
    """A row of numbers for each of a group's images, as they are kept.

    Args:
        pictures: uint8 (T, H, W, 3).
        known: names of the classes, in the order of the logits; None: their numbers.
    """
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    there, layer = pixels.to(classifier.mean.device), group[0].layer
    found, values = activations(output(classifier, there, layer))
    found, values = found.cpu().numpy(), values.cpu().numpy()
    judged = judge(there).argmax(1).tolist()
    classes = layer == LOGITS
    for target, a, z, image, opinion in zip(
        group, found, values, pixels.numpy(), judged, strict=True
    ):
        yield {
            "activation": sought_activation(a, target.units),
            "rank": rank(z, target.units),
            "units": len(z),
            "confidence": confidence(z, target.units) if classes else np.nan,
            "total_variation": total_variation(image),
            "high_frequency": high_frequency(image),
            "judged": known[opinion] if known else str(opinion),
            "agrees": float(opinion in target.units) if classes else np.nan,
        }


def rows(job, group, found, *networks):
    """A group's rows of the table, and its images as bytes in the last column.

    Args:
        found: an ``ascent.Found``.
        networks: the last arguments of ``scores``.
    """
    for target, started in zip(group, found.started, strict=True):
        if not started:
            log(
                f"{job.name}, {job.mode}: {target.name!r} was never active; its image"
                " shows nothing; raise steps or deviation to seek it longer"
            )
    pictures = to_uint8(found.pixels)
    keys = pd.DataFrame([target[:3] for target in group], columns=KEYS[:3])
    keys = keys.assign(mode=job.mode, classifier=job.name, seed=job.seed)
    table = pd.concat([keys, pd.DataFrame(scores(group, pictures, *networks))], axis=1)
    return table.assign(
        started=found.started,
        active=found.active,
        draws=found.draws,
        picture=[picture.tobytes() for picture in pictures],
    )


def chunks(job, wanted, missing, generator, *networks):
    """Yield the table of each missing group of targets."""
    ascent = getattr(job.settings.synthesis, job.mode)
    left = sum(len(wanted[part]) for part in missing)
    total = sum(map(len, wanted))
    steps = (total - left) * ascent.steps
    report = Progress(total * ascent.steps, steps, unit="steps")

    def after(taken):
        nonlocal steps
        steps += taken
        report(steps, targets=steps // ascent.steps)

    for part in missing:
        found = ascend(
            networks[0], wanted[part], generator, ascent, seed=job.seed, after=after
        )
        yield rows(job, wanted[part], found, *networks)


def keep(table, job):
    """The images and their keys as arrays; the numbers as a table."""
    side = job.settings.image_size
    pictures = [np.frombuffer(one, np.uint8) for one in table.pop("picture")]
    with replacing(job.preferred) as draft:
        np.savez_compressed(
            draft,
            pictures=np.stack(pictures).reshape(-1, side, side, 3),
            **{key: table[key].to_numpy(str) for key in KEYS},
        )
    with replacing(job.scores) as draft:
        table.to_parquet(draft, index=False)


def cache_key(job, images, wanted):
    """Return everything that the images depend on."""
    sought = job.settings.synthesis
    return {
        "ascent": getattr(sought, job.mode).model_dump(mode="json"),
        "image_size": job.settings.image_size,
        "targets": [list(target) for group in wanted for target in group],
        "batch": sought.batch,
        "mode": job.mode,
        "seed": job.seed,
        "classes": images.classes,
        "networks": [
            sha256(weights.parent / file)
            for weights in (job.classifier, job.judge)
            for file in FILES
        ],
        "generator": job.generator and sha256(job.generator),
        "code": fingerprint(MODULE),
    }


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "classifier", "judge", "preferred", "scores", "record"),
        model=Job,
        name={"required": True, "help": "the classifier's name in the study"},
        generator={
            "type": Path,
            "nargs": "?",
            "help": "a pretrained autoencoder's weights; none: from scratch",
        },
        mode={"choices": ["scratch", "pretrained"], "required": True},
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    if (job.mode == "pretrained") is (job.generator is None):
        raise UserError("--generator: give it with --mode pretrained, and only then")
    chosen, (device, _) = job.settings, use_device(job.threads)
    side, sought = chosen.image_size, chosen.synthesis
    with recorded(job.record, MODULE, chosen, job.seed):
        images = ImageSet(job.images, side)
        networks = [
            load_classifier(weights.parent, device, images.classes)
            for weights in (job.classifier, job.judge)
        ]
        wanted = groups(
            targets(networks[0], images.classes, sought, job.name, side), sought.batch
        )
        generator = form(job.generator, side).to(device)
        whole = job.preferred.with_name(f".{job.preferred.stem}.parquet")

        table = ChunkedParquet(whole, len(wanted), cache_key(job, images, wanted))
        table.write(
            chunks(job, wanted, table.missing, generator, *networks, images.classes)
        )
        keep(read_rows([whole]), job)
    remove_chunks(whole)
    whole.unlink()


if __name__ == "__main__":
    run(main)
