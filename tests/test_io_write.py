"""How files are written: complete or not at all, and never over another without being asked."""

import os

import h5py
import pytest

from gmmx.errors import OutputError
from gmmx.io.write import check_target, replacing, replacing_hdf5


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "folder.fits").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_target(tmp_path / "folder.fits", overwrite=True)


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.fits")
    with pytest.raises(OutputError, match="not a regular file"):
        check_target(tmp_path / "pipe.fits", overwrite=True)


def test_a_folder_that_is_closed_is_named(tmp_path, monkeypatch):
    # The access rights of a folder do not bind the superuser, who may run the tests.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="not writable"):
        check_target(tmp_path / "model.fits")


def test_a_writer_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "old.txt"
    path.write_text("old")

    def half(error):
        with replacing(path, overwrite=True) as aside:
            aside.write_text("half")
            raise error

    with pytest.raises(OutputError, match="No space left"):
        half(OSError(28, "No space left on device"))
    with pytest.raises(KeyboardInterrupt):
        half(KeyboardInterrupt())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["old.txt"]


def test_replacing_follows_links_and_the_umask(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "link.txt", overwrite=True) as aside:
            aside.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    assert (tmp_path / "real.txt").stat().st_mode & 0o777 == 0o640


def test_a_target_that_appears_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "model.h5"

    def write():
        with replacing(path) as aside:
            aside.write_text("mine")
            path.write_text("theirs")

    with pytest.raises(OutputError, match="exists"):
        write()
    assert path.read_text() == "theirs"


def test_an_hdf5_file_is_written_when_it_is_complete(tmp_path):
    path = tmp_path / "numbers.h5"
    with replacing_hdf5(path) as file:
        file["numbers"] = [1, 2, 3]
        assert list(tmp_path.glob("numbers.h5")) == []
    with h5py.File(path) as file:
        assert list(file["numbers"]) == [1, 2, 3]


def test_an_hdf5_file_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), replacing_hdf5(tmp_path / "numbers.h5") as file:
        file["absent"]
    assert list(tmp_path.iterdir()) == []
