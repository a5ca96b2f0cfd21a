"""The edges of the process: streams, pipes, odd names, outputs over inputs, kernels on disk."""

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import error_line, run
from handmade import make_mixture, make_observation, make_result
from made_files import event_hdus, flat, image_hdus

import gmmx
from gmmx.cli.streams import expanded
from gmmx.errors import InputError, OutputError
from gmmx.io.models import write_model

QUICK = ("--k", "1", "--psf", "none", "--exchanges", "0", "--max-iter", "5", "--threads", "1")
ODD_STEMS = (
    "two words",
    "a[1]",
    "quo'te",
    'quo"te',
    "new\nline",
    "comma,here",
    "eq=sign",
    os.fsdecode(b"\xff\xfe"),
)


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "evt2.fits"
    event_hdus(n=300).writeto(path)
    return path


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.h5"
    write_model(path, make_result([make_observation(seed=1)], make_mixture()))
    return path


def in_shell(text, **variables):
    """Run a shell command in which $GMMX is the command line."""
    root = Path(gmmx.__file__).parents[1]
    return subprocess.run(
        ["bash", "-c", text],
        env={
            **os.environ,
            "PYTHONPATH": str(root),
            "GMMX": f"{sys.executable} -P -m gmmx",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=200,
    )


# Streams


@pytest.mark.parametrize("ends", ["<&- >&- 2>&-", "2>/dev/full"])
def test_messages_that_cannot_be_printed_cost_no_fit(events, tmp_path, ends):
    out = tmp_path / "out.h5"
    done = in_shell(f"$GMMX fit {events} {' '.join(QUICK)} --out {out} {ends}; exit $PIPESTATUS")
    assert done.returncode == 0
    assert len(gmmx.read(out).mixture) == 1


def test_results_on_a_full_disk_are_one_line_and_1(model):
    done = in_shell(f"$GMMX info {model} --json >/dev/full")
    assert done.returncode == 1
    assert done.stderr == (
        "gmmx: error: standard output: could not be written (No space left on device): "
        "the results are not printed\n"
    )


def test_help_on_a_full_disk_is_one_line_and_1():
    done = in_shell("$GMMX fit --help >/dev/full")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


# Pipes


@pytest.mark.parametrize("command", [("fit", "--out", "out.h5"), ("info",)])
def test_a_pipe_is_one_true_line(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    assert "pipe: is a pipe or a device" in error_line(run(*command, "pipe"))


@pytest.mark.parametrize("content", [b"SIMPLE  =", b"\x1f\x8b\x08", b"\x89HDF\r\n", b"a\0b"])
def test_a_file_in_the_place_of_a_list_is_one_true_line(content):
    assert "not a list of file names" in error_line(run("info", "-", stdin=content))


def test_no_model_is_written_among_the_devices():
    assert "no model can be written beside it" in error_line(run("fit", "/dev/stdin"))


def test_a_closed_standard_input_is_one_true_line(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        expanded(["-"])


# Names


@pytest.mark.parametrize("stem", ODD_STEMS)
def test_odd_names_work_for_every_file(tmp_path, monkeypatch, stem):
    monkeypatch.chdir(tmp_path)
    event_hdus(n=300).writeto(f"{stem}.fits")
    image_hdus(flat(1e6)).writeto(f"{stem}.exp")
    Path(f"{stem}.reg").write_text('fk5\ncircle(150.02,2.2,5")\n')
    files = ("--exposure", f"{stem}.exp", "--mask", f"{stem}.reg", "--out", f"{stem}.h5")
    assert run("fit", f"{stem}.fits", *QUICK, *files).exit_code == 0
    assert run("export", f"{stem}.h5", "--out", f"{stem}.ecsv").exit_code == 0
    assert run("render", f"{stem}.h5", "--bin", 8, "--out", f"{stem}_image.fits").exit_code == 0
    assert run("info", f"{stem}.h5", "--json").exit_code == 0


@pytest.mark.parametrize("name", ["x" * 300 + ".fits", "a\0b.fits"])
def test_names_that_no_file_can_have_are_one_line(name, tmp_path):
    line = error_line(run("fit", name, "--out", tmp_path / "out.h5"))
    assert "check" in line or "no such file" in line


# Outputs over inputs


@pytest.fixture
def links(events, monkeypatch):
    """Further names of the event list, which end as outputs do."""
    folder = events.parent
    monkeypatch.chdir(folder)
    for suffix in (".h5", ".fits", ".png", ".ecsv"):
        Path(f"link{suffix}").symlink_to(events.name)
    os.link(events, "hard.h5")
    return folder


@pytest.mark.parametrize("out", ["link.h5", "hard.h5", "./link.h5", "../{folder}/link.h5"])
def test_a_fit_never_replaces_its_events(links, out):
    out = out.format(folder=links.name)
    result = run("fit", "evt2.fits", *QUICK, "--overwrite", "--out", out, unchanged=links)
    assert error_line(result).startswith(f"{Path(out)}: is the same file as the input evt2.fits")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--exposure", "other.h5"),
        ("--mask", "other.h5"),
        ("--psf", "a.fits,other.h5"),
        ("--background", "sky,other.h5:fixed"),
        ("--sources", "other.h5"),
        ("--fix", "other.h5"),
    ],
)
def test_a_fit_never_replaces_a_file_that_it_reads(links, option, value):
    Path("other.h5").write_text("kept")
    words = ("fit", "evt2.fits", option, value, "--overwrite", "--out", "./other.h5")
    assert "is the same file as the input other.h5" in error_line(run(*words, unchanged=links))


def test_a_fit_never_replaces_its_configuration(links):
    Path("fit.toml").write_text("[fit]\nk = 1\n")
    Path("toml.h5").symlink_to("fit.toml")
    words = ("fit", "evt2.fits", "--config", "fit.toml", "--overwrite", "--out", "toml.h5")
    assert "the input fit.toml" in error_line(run(*words, unchanged=links))


def test_a_fit_may_replace_the_model_that_it_starts_from(links):
    assert run("fit", "evt2.fits", *QUICK, "--out", "m.h5").exit_code == 0
    again = ("fit", "evt2.fits", *QUICK, "--init", "m.h5", "--out", "m.h5", "--overwrite")
    assert run(*again).exit_code == 0


@pytest.mark.parametrize(
    ("command", "out"),
    [("render", "other.h5"), ("plot", "model.png"), ("export", "model.ecsv")],
)
def test_no_command_replaces_its_model(model, monkeypatch, command, out):
    monkeypatch.chdir(model.parent)
    Path(out).symlink_to("model.h5")
    words = (command, "model.h5", "--overwrite", "--out", out)
    assert "the input model.h5" in error_line(run(*words, unchanged=model.parent))


@pytest.mark.parametrize(
    ("command", "out"), [("render", "link.fits"), ("plot", "link.png"), ("export", "link.ecsv")]
)
def test_no_command_replaces_the_events_of_a_model(links, command, out):
    assert run("fit", "evt2.fits", *QUICK, "--out", "m.h5").exit_code == 0
    words = (command, "m.h5", "--overwrite", "--out", out)
    assert "the input evt2.fits" in error_line(run(*words, unchanged=links))


def test_a_result_does_not_write_over_its_events(links):
    assert run("fit", "evt2.fits", *QUICK, "--out", "m.h5").exit_code == 0
    with pytest.raises(OutputError, match="the same file as the input"):
        gmmx.read("m.h5").write("link.h5", overwrite=True)


# Kernels


@pytest.fixture
def package_without_cache(tmp_path):
    """A copy of the package beside whose kernels nothing can be written."""
    source = Path(gmmx.__file__).parent
    shutil.copytree(source, tmp_path / "gmmx", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "gmmx" / "_kernels" / "__pycache__").touch()
    return tmp_path


def test_kernels_work_where_nothing_can_be_written(package_without_cache):
    code = "from gmmx._kernels import _math, photons; print(_math.__name__)"
    done = in_shell(
        f"cd {package_without_cache}; env -u NUMBA_CACHE_DIR {sys.executable} -c '{code}'",
        PYTHONPATH=str(package_without_cache),
        HOME="/dev/null",
        XDG_CACHE_HOME="/dev/null",
    )
    assert done.stdout == "gmmx._kernels._math\n"
    assert done.stderr.count("set NUMBA_CACHE_DIR") == 1


@pytest.mark.parametrize("error", [OSError(28, "No space left"), EOFError(), pickle.PickleError()])
def test_files_of_kernels_that_cannot_be_used_cost_no_fit(monkeypatch, error):
    caching = pytest.importorskip("numba.core.caching")
    from gmmx._kernels._jit import kernel

    def fail(*arguments):
        raise error

    monkeypatch.setattr(caching.FunctionCache, "_load_overload", fail)
    monkeypatch.setattr(caching.FunctionCache, "_save_overload", fail)

    @kernel
    def total(values):
        return values.sum()

    assert total(np.arange(4.0)) == 6.0
