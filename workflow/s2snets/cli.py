"""The command ``s2snets``: a look at a study, its bundle, progress and shards.

s2snets new mine --train images/train --validation images/validation
s2snets see photo.jpg
s2snets publish results/demo bundle
s2snets pull owner/name@commit bundle
s2snets status --configfile config/paper.yaml
s2snets scrub results/paper/clean exclude.txt
"""

import argparse
import io
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from s2snets.config import Figures
from s2snets.figures import network_view
from s2snets.figures.style import THEME
from s2snets.runtime.command import run_command
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import replacing

DEMO = Path("results/demo")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    commands = argparse.ArgumentParser(prog="s2snets", description=__doc__)
    commands.formatter_class = argparse.RawDescriptionHelpFormatter
    kinds = commands.add_subparsers(title="commands", required=True, metavar="COMMAND")
    new = kinds.add_parser(
        "new",
        help="write the settings of a study of your own folders, and what it will cost",
        description="Look at folders of images, measure this machine, and write the"
        " settings of a study that fits both, with a comment for each choice.",
    )
    new.add_argument("name", help="of the study: letters, digits, dots, underscores")
    new.add_argument(
        "--train",
        type=Path,
        required=True,
        help="images to train on; where all lie in folders, these are the classes",
    )
    new.add_argument(
        "--validation",
        type=Path,
        required=True,
        help="other images, in the same classes, on which everything is measured",
    )
    new.add_argument("--photos", type=Path, help="for pretraining (default: TRAIN)")
    new.add_argument(
        "--classifier",
        action="append",
        default=[],
        metavar="NAME",
        help="torchvision/NAME, timm/NAME or one of the small ones, once for each"
        " (default: five small ones, or four of ImageNet where there are no labels)",
    )
    new.add_argument(
        "--pretrained",
        action="store_true",
        help="classifiers come with published weights; their classes must have the"
        " folders' names",
    )
    new.add_argument(
        "--unlabelled", action="store_true", help="the folders are no classes"
    )
    new.add_argument(
        "--hours",
        type=float,
        default=1.0,
        help="that the study may take here (default: %(default)s)",
    )
    new.add_argument("--cores", type=int, help="of the CPU (default: all)")
    new.set_defaults(command=new_study)
    see = kinds.add_parser(
        "see",
        help="one image through every autoencoder and classifier",
        description="Draw an image beside its reconstruction by every autoencoder of a"
        " study, what changed, and every classifier's top-5 on each.",
    )
    see.add_argument("image", type=Path, help="an image file of any size")
    see.add_argument(
        "--study",
        help="folder of a finished study or a bundle, or owner/name@commit of a hub"
        f" (default: {DEMO}, or else what comes with the library: ImageNet networks)",
    )
    see.add_argument(
        "--trust",
        action="store_true",
        help="let Python functions run that the study names as its classifiers",
    )
    see.add_argument("--seed", type=int, help="repetition (default: the first)")
    see.add_argument(
        "--out",
        type=Path,
        help="PNG to write (default: IMAGE-seen.png here, numbered if there is one)",
    )
    see.add_argument(
        "--show",
        action=argparse.BooleanOptionalAction,
        help="open a window (default: where there is a display)",
    )
    see.set_defaults(command=see_image)
    publish = kinds.add_parser(
        "publish",
        help="write a study's autoencoders as a bundle for others",
        description="Write a bundle: weights of the autoencoders, records, tables, a"
        " card that model hubs read, and checksums.",
    )
    publish.add_argument("study", type=Path, help="folder of a finished study")
    publish.add_argument("bundle", type=Path, help="folder to be written")
    publish.add_argument(
        "--licence", help="of the weights, as an SPDX identifier such as cc-by-4.0"
    )
    publish.add_argument(
        "--images", help="what the images are and under which licence, for the card"
    )
    publish.set_defaults(command=publish_study)
    pull = kinds.add_parser(
        "pull",
        help="copy a bundle from a folder or a model hub, and verify it",
        description="Copy a bundle and verify its checksums; nothing in it is run.",
    )
    pull.add_argument("source", help="a bundle's folder, or owner/name@commit of a hub")
    pull.add_argument("bundle", type=Path, help="folder to be written")
    pull.set_defaults(command=pull_bundle)
    status = kinds.add_parser(
        "status",
        help="how many jobs of a study are done, running and left, and GPU-hours",
        description="Print how many jobs of each rule are done, running and left, and"
        " estimate the GPU-hours of the rest from the benchmark files.",
    )
    status.add_argument(
        "--configfile", nargs="+", default=[], help="as for Snakemake (default: demo)"
    )
    status.add_argument("--profile", help="as for Snakemake: its GPUs are counted")
    status.set_defaults(command=print_status)
    scrub = kinds.add_parser(
        "scrub",
        help="remove photographs from cleaned shards",
        description="Remove photographs, or all photographs of users, from every"
        " shard of a store. Nothing is fetched, and a killed run can be repeated.",
    )
    scrub.add_argument("store", type=Path, help="folder clean.store")
    scrub.add_argument(
        "exclude",
        type=Path,
        help="list of photo ids or users' ids (12345678@N00) to remove, one per line",
    )
    scrub.set_defaults(command=scrub_store)
    return commands


def free_path(stem: str) -> Path:
    """Return ``STEM.png`` in the working directory, or ``STEM-2.png`` and so on."""
    names = itertools.chain(
        [stem], (f"{stem}-{number}" for number in itertools.count(2))
    )
    return next(path for name in names if not (path := Path(f"{name}.png")).exists())


def can_show() -> bool:
    """Return whether matplotlib finds a display."""
    from matplotlib import pyplot
    from matplotlib.backends import BackendFilter, backend_registry

    interactive = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    return pyplot.get_backend().lower() in {name.lower() for name in interactive}


def see_image(job: argparse.Namespace) -> None:
    """Run ``s2snets see``."""
    # Imported here, so that a mistyped command does not wait for torch.
    import torch

    from s2snets.study import bundle
    from s2snets.study.finished import load_study
    from s2snets.study.view import read_pixels, view_image

    if job.out is not None and job.out.suffix.lower() != ".png":
        raise UserError(f"--out: {job.out} must end in .png")
    if job.show and not can_show():
        raise UserError("--show: matplotlib finds no display; leave it out")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shown = job.study or (DEMO if DEMO.exists() else None)
    folder = bundle.locate(str(shown)) if shown else bundle.SHIPPED
    study = load_study(folder, job.seed, device, job.trust)
    for name, why in study.absent.items():
        print(f"without the classes of {name}: {why}", file=sys.stderr)
    side = study.settings.image_size
    view = view_image(read_pixels(job.image, study.settings).to(device), study)
    title = (
        f"{job.image.name} through {shown or 'ImageNet networks'}, seed {study.seed};"
        f" {side} × {side} pixels"
    )
    out = job.out or free_path(f"{job.image.stem}-seen")
    replaced = ", replaced" if out.exists() else ""
    with matplotlib.rc_context(THEME):
        with replacing(out) as draft:
            network_view.draw(view, title, Figures()).savefig(draft)
        print(f"{out}{replaced}")
        if job.show or (job.show is None and can_show()):
            from matplotlib import pyplot

            network_view.draw(view, title, Figures(dpi=100), make=pyplot.figure)
            pyplot.show()


def new_study(job: argparse.Namespace) -> None:
    """Run ``s2snets new``."""
    import os
    import shlex
    from dataclasses import replace

    import torch
    from pydantic import TypeAdapter, ValidationError

    from s2snets.config.base import Name
    from s2snets.study.new import Folders, Machine, write_study
    from s2snets.study.survey import check_pair, describe, survey

    try:
        TypeAdapter(Name).validate_python(job.name)
    except ValidationError:
        raise UserError(
            f"{job.name}: no name of a study; use letters, digits, and single dots or"
            " underscores between them"
        ) from None
    if not job.hours > 0:
        raise UserError(f"--hours: {job.hours} must be more than 0")
    path = Path("config", f"{job.name}.yaml")
    if path.exists():
        raise UserError(f"{path}: exists; choose another name, or remove it")
    found = {
        folder: survey(folder)
        for folder in filter(None, (job.train, job.validation, job.photos))
    }
    for one in found.values():
        print("\n".join(describe(one)))
    train, validation = found[job.train], found[job.validation]
    if job.unlabelled:
        train, validation = (replace(one, classes=None) for one in (train, validation))
    labelled = check_pair(train, validation)
    machine = Machine(
        torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        job.cores or os.cpu_count() or 1,
    )
    folders = Folders(train, validation, found.get(job.photos, train), labelled)
    command = shlex.join(["s2snets", *sys.argv[1:]])
    costs = write_study(
        job.name, folders, job.classifier, job.pretrained, job.hours, machine, path,
        command,
    )  # fmt: skip
    print(f"\n{path}, for {machine.name}:")
    for part, (images, hours) in costs.items():
        print(f"  {part:10}{images:>12,} images{hours:8.2f} hours")
    spent = sum(hours for _, hours in costs.values())
    print(f"about {spent:.2g} hours in all, by this machine's measured rates:")
    print(f"  snakemake --cores {machine.cores} --configfile {path}")


def publish_study(job: argparse.Namespace) -> None:
    """Run ``s2snets publish``."""
    from s2snets.study import bundle

    bundle.publish(job.study, job.bundle, job.licence, job.images)
    size = sum(path.stat().st_size for path in job.bundle.rglob("*") if path.is_file())
    print(f"{job.bundle}: {size / 1e6:.1f} MB; its card is {job.bundle / bundle.CARD}")


def pull_bundle(job: argparse.Namespace) -> None:
    """Run ``s2snets pull``."""
    from s2snets.study import bundle

    files = bundle.pull(job.source, job.bundle)
    print(f"{job.bundle}: {files} files, each as its checksum says")


def print_status(job: argparse.Namespace) -> None:
    """Run ``s2snets status``."""
    from s2snets.study.status import status

    options = ["--configfile", *job.configfile] if job.configfile else []
    print(status([*options, *(["--profile", job.profile] if job.profile else [])]))


def scrub_store(job: argparse.Namespace) -> None:
    """Run ``s2snets scrub``."""
    from s2snets.cleaning.decide import scrub
    from s2snets.cleaning.exclusion import read_lists
    from s2snets.cleaning.shard import shard_files, shards_in

    lists, shards = read_lists(job.exclude), shards_in(job.store)
    removed, touched, unknown = 0, 0, []
    for shard in shards:
        files = shard_files(job.store, shard)
        if (gone := scrub(files, lists)) is None:
            unknown.append(str(files.tar))
        elif gone:
            print(f"{files.tar}: {', '.join(entry.photoid for entry in gone)}")
            removed, touched = removed + len(gone), touched + 1
    print(f"removed {removed:,} photographs from {touched:,} of {len(shards):,} shards")
    print(f"set clean.exclude to {job.exclude} and rerun, or they are fetched again")
    if unknown:
        raise UserError(
            f"{unknown[0]}: not whole ({len(unknown):,} such shards), so that nobody"
            " knows what is in it; delete it, or set clean.exclude and rerun"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may be no Unicode
        sys.stdout.reconfigure(errors="backslashreplace")
    job = parser().parse_args(argv)
    run_command(lambda: job.command(job))


if __name__ == "__main__":
    main()
