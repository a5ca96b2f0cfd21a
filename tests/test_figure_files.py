"""Files of figures: descriptions, metadata, and the same bytes each time."""

import re

import numpy as np
import pytest
from drawable import make_masked_result
from handmade import make_result
from matplotlib.figure import Figure
from PIL import Image
from true_result import make_true_result
from two_models import HERE, THERE, make_model

import gmmx
from gmmx.commands.plot import plot as plot_files
from gmmx.config import PlotConfig
from gmmx.config.figures import FIGURES
from gmmx.io.files import file_digest
from gmmx.plane.grid import PixelGrid
from gmmx.show.figures import plot, profile_figure
from gmmx.show.figures.alt import describe, peaks
from gmmx.show.figures.view import View

BANDS = ((0.5, 1.2), (1.2, 2.0), (2.0, 7.0))
ONE = [name for name in FIGURES if name not in ("compare", "colour")]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Three model files of one sky in three bands."""
    folder = tmp_path_factory.mktemp("models")
    paths = []
    for i, band in enumerate(BANDS):
        path = folder / f"band{i}.h5"
        make_model(THERE if i else HERE, band=band, draws=4, seed=i).write(path)
        paths.append(path)
    return paths


def number_of(what):
    """How many models a figure shows."""
    return {"compare": 2, "colour": 3}.get(what, 1)


def text_of_png(path):
    """The texts in the metadata of a PNG."""
    with Image.open(path) as image:
        return dict(image.text)


@pytest.mark.filterwarnings("ignore:the models are of different energies")
@pytest.mark.parametrize(
    ("what", "suffix"), [("compare", "png"), ("signal", "pdf"), ("colour", "svg")]
)
def test_two_runs_write_the_same_bytes(tmp_path, models, what, suffix):
    files = [tmp_path / f"{name}.{suffix}" for name in ("first", "second")]
    for out in files:
        plot_files(models[: number_of(what)], out, PlotConfig(what=what, dpi=50))
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.filterwarnings("ignore:the models are of different energies")
def test_a_png_holds_its_description_its_models_and_its_command(tmp_path, models):
    out = tmp_path / "compare.png"
    command = "gmmx plot band0.h5 band1.h5 --what compare"
    config = PlotConfig(what="compare", dpi=50)
    plot_files(models[:2], out, config, command=command)
    found = text_of_png(out)
    assert found["Software"] == f"gmmx {gmmx.__version__}"
    assert found["Description"].startswith("Four panels compare two models")
    assert found["Comment"] == command
    digests = [file_digest(path) for path in models[:2]]
    assert found["Source"] == ", ".join(
        f"{path.name} sha256:{digest}" for path, digest in zip(models, digests, strict=False)
    )
    assert not re.search(r"\b20\d\d-", " ".join(found.values()))


@pytest.mark.parametrize(
    ("suffix", "pattern"),
    [
        ("pdf", rb"/Subject \(A picture in true colour shows the\s"),
        ("svg", rb"<dc:description>A picture in true colour shows the "),
    ],
)
def test_a_vector_file_holds_its_description(tmp_path, models, suffix, pattern):
    out = tmp_path / f"colour.{suffix}"
    plot_files(models, out, PlotConfig(what="colour", dpi=50))
    assert re.search(pattern, out.read_bytes())
    assert b"CreationDate" not in out.read_bytes()
    assert b"dc:date" not in out.read_bytes()


def test_the_description_is_written_into_a_file_of_its_own(tmp_path, models):
    out, alt = tmp_path / "signal.png", tmp_path / "signal.txt"
    plot_files(models[0], out, PlotConfig(what="signal", alt=str(alt), dpi=50))
    text = alt.read_text()
    assert text == f"{text_of_png(out)['Description']}\n"


def test_a_description_that_exists_is_not_replaced(tmp_path, models):
    out, alt = tmp_path / "signal.png", tmp_path / "signal.txt"
    alt.write_text("mine")
    with pytest.raises(gmmx.errors.OutputError, match=r"signal\.txt: exists"):
        plot_files(models[0], out, PlotConfig(what="signal", alt=str(alt), dpi=50))
    assert alt.read_text() == "mine"
    assert not out.exists()


@pytest.mark.parametrize("what", ONE)
def test_descriptions_are_two_sentences_without_markup(what):
    text = describe(View.of(make_masked_result(), PlotConfig(what=what)))
    assert len(re.findall(r"[.](?= [A-Z]|$)", text)) == 2
    assert not set("$\\{}\n") & set(text)
    assert "made by hand" in text


def test_a_description_names_the_brightest_place_and_the_scale():
    text = describe(View.of(make_true_result(), PlotConfig(what="signal")))
    # The narrow component is at (30, -60) arcsec of RA 150, Dec 2.
    assert re.search(r"is at RA 09:59:58.0, Dec \+01:(58:59|59:00)", text)
    assert "0.5-2 keV" in text
    assert "on a logarithmic scale" in text
    assert re.search(r"a field of [\d.]+ by [\d.]+ arcmin about RA 10:00:00.0, Dec \+02:00", text)


def test_a_description_of_a_row_names_all_panels():
    text = describe(View.of(make_true_result(), PlotConfig(what="data,residual,profile")))
    assert text.startswith(
        "Three panels show the smoothed photons, the residuals and the radial profile of "
    )
    assert "sigma" in text


def test_a_model_without_components_is_described():
    result = make_result(make_true_result().observations)
    text = describe(View.of(result, PlotConfig(what="signal")))
    assert "no extended emission" in text


def test_the_largest_difference_is_described():
    one, other = (make_model(HERE, fluxes=f, draws=9) for f in ((3000, 100), (3000, 4000)))
    text = plot([one, other], "compare").description
    # The second source is at RA 149.985, Dec 1.99.
    assert re.search(r"largest, -[\d.]+ sigma .*, at RA 09:59:5[67].\d, Dec \+01:59:[123]\d", text)


def test_a_figure_that_a_script_saves_has_its_fonts_embedded(tmp_path):
    out = tmp_path / "signal.pdf"
    plot(make_true_result(), "signal").savefig(out, dpi=50)
    assert b"/FontFile2" in out.read_bytes()
    assert b"/Type3" not in out.read_bytes()


def test_the_figure_of_a_profile_is_described():
    figure = profile_figure(make_true_result().profile(bins="0,10,20,40,80"))
    text = figure.description
    assert text.startswith(
        "A plot shows the surface brightness in 4 annuli out to 80 arcsec about "
    )
    assert re.search(r"half-light radius is [\d.]+ \+- [\d.]+ arcsec[.]$", text)
    assert len(re.findall(r"[.](?= [A-Z]|$)", text)) == 2


def test_two_peaks_are_found_and_their_order():
    values = np.zeros((40, 40))
    values[10, 10], values[30, 20], values[31, 21] = 2.0, 5.0, 4.0
    grid = PixelGrid.covering((0, 40), (0, 40), 1.0)
    assert [value for _, value in peaks(values, grid)] == [5.0, 2.0]
    assert peaks(values, grid)[1][0] == (10.5, 10.5)


def test_a_notebook_shows_a_picture_that_fits_its_width():
    figure = plot(make_true_result(), "overview")
    picture, size = figure._repr_png_()
    assert isinstance(figure, Figure)
    assert picture.startswith(b"\x89PNG")
    assert 500 < size["width"] <= 960
    assert plot(make_true_result(), "signal", width=20)._repr_png_()[1]["width"] == 960
