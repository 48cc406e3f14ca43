"""Files and folders of a user: links, pipes, hidden ones, and those without access."""

import os
import pickle
import re

import pytest

from s2snets.data.folders import image_files
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import is_hidden, read_input, replacing


def write(path, data=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


UNREADABLE = {
    "absent": (lambda path: None, "no such file or directory"),
    "folder": (lambda path: path.mkdir(), "is a directory"),
    "pipe": (os.mkfifo, "not a regular file"),
    "device": (lambda path: link(path, "/dev/zero"), "not a regular file"),
    "broken link": (lambda path: link(path, "nowhere"), "a link to nothing"),
    "link to itself": (lambda path: link(path, path), "too many levels"),
    "below a file": (lambda path: None, "not a directory"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_readable_file_is_one_line_and_never_waited_for(tmp_path, kind):
    make, reason = UNREADABLE[kind]
    path = tmp_path / "x.jpg"
    make(path)
    if kind == "below a file":
        path = write(tmp_path / "file") / "x.jpg"
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}: {reason}.*remove"):
        read_input(path)


def test_an_unreadable_input_is_not_taken_for_a_protected_output(tmp_path):
    complaint = "in.jpg: permission denied; mend or remove it"
    with (
        pytest.raises(UserError, match=f"^{complaint}$"),
        replacing(tmp_path / "out.tar"),
    ):
        raise UserError(complaint)


@pytest.fixture
def outside(tmp_path):
    """Write a folder of one image that lies elsewhere; return it."""
    return write(tmp_path / "elsewhere/sub/1.jpg").parents[1]


def names(folder):
    return [path.relative_to(folder).as_posix() for path in image_files(folder)]


def test_linked_folders_are_followed_and_loops_end(tmp_path, outside):
    folder = tmp_path / "set"
    write(folder / "dog/2.jpg")
    link(folder / "cat", outside)
    link(folder / "dog/all", folder)
    link(outside / "sub/back", outside)
    link(folder / "dog/3.jpg", outside / "sub/1.jpg")
    assert names(folder) == ["cat/sub/1.jpg", "dog/2.jpg", "dog/3.jpg"]


def test_hidden_files_and_folders_are_no_images(tmp_path):
    kept = ["cat/1.jpg", "dog.jpg/2.JPG", "x..jpg"]
    hidden = [
        ".git/1.jpg",
        "cat/.thumbnails/1.jpg",
        "__MACOSX/cat/1.jpg",
        "cat/._1.jpg",
    ]
    for name in (*kept, *hidden, "cat/notes.txt"):
        write(tmp_path / "set" / name)
    assert names(tmp_path / "set") == kept
    assert [is_hidden(name) for name in ("../a", "./a", ".a/b")] == [False, False, True]


def test_a_link_to_nothing_is_a_loss_that_is_told(tmp_path):
    write(tmp_path / "set/dog/2.jpg")
    link(tmp_path / "set/cat", tmp_path / "unmounted/cat")
    with pytest.raises(UserError, match="set/cat: a link to nothing"):
        image_files(tmp_path / "set")


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    write(tmp_path / "set/dog/2.jpg")
    closed = write(tmp_path / "set/cat/1.jpg").parent
    scandir = os.scandir  # root may read every folder

    def deny(folder):
        if os.fspath(folder) == str(closed):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(UserError, match="set/cat: permission denied; mend"):
        image_files(tmp_path / "set")


def test_a_strange_file_name_stays_on_the_line(tmp_path):
    with pytest.raises(UserError, match=r"/a\\nb\\udcff\.jpg: no such file") as told:
        read_input(tmp_path / "a\nb\udcff.jpg")
    assert str(told.value).isprintable()
    assert str(pickle.loads(pickle.dumps(told.value))) == str(told.value)
