"""The image files below a folder."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from s2snets.data.images import SUFFIXES
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import is_hidden, unreadable


def list_folder(folder: str | Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder, sorted by name, without what is hidden.

    Raises:
        UserError: the folder cannot be listed, or has a link to nothing.
    """
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not is_hidden(entry.name)]
        for entry in entries:
            if entry.is_symlink() and not is_image(entry.name):
                os.stat(entry.path)  # it may have been a folder of many images
    except OSError as error:
        raise unreadable(error, error.filename or folder) from None
    return sorted(entries, key=lambda entry: entry.name)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether something in a folder is a folder, or a link to one."""
    # A link to itself, for one, is no folder, and is refused when it is read.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def is_image(name: str) -> bool:
    """Return whether a file's name has the suffix of an image."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def walk_images(folder: str | Path) -> Iterator[str]:
    """Yield the image files below a folder; see ``walk_files``."""
    return walk_files(folder, SUFFIXES)


def walk_files(
    folder: str | Path,
    suffixes: Collection[str],
    above: tuple[tuple[int, int], ...] = (),
) -> Iterator[str]:
    """Yield the files with a suffix below a folder, to any depth, sorted, none hidden.

    Linked folders are followed, unless they lead back to one ``above``, each of which
    is known by its device and inode.

    Raises:
        UserError: a folder cannot be listed, or has a link to nothing.
    """
    entries = list_folder(folder)
    status = os.stat(folder)
    here = status.st_dev, status.st_ino
    if here in above:
        return
    for entry in entries:
        if is_folder(entry):
            yield from walk_files(entry.path, suffixes, (*above, here))
        elif os.path.splitext(entry.name)[1].lower() in suffixes:
            yield entry.path


def image_files(folder: str | Path) -> list[Path]:
    """Return the image files below a folder, as ``walk_images`` finds them.

    Raises:
        UserError: there is no such folder, it cannot be listed, or holds no image.
    """
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: no such folder of images")
    files = [Path(path) for path in walk_images(folder)]
    if not files:
        raise UserError(f"{folder}: holds no images ({', '.join(sorted(SUFFIXES))})")
    return files
