"""Options that say which samples a catalogue holds."""

from dataclasses import dataclass

from .._words import counted
from ..errors import InputError
from ._checks import Options, make_tuples, require_bool, require_text
from .samples import HDF5_SUFFIXES


@dataclass(frozen=True, kw_only=True, repr=False)
class CatalogueOptions(Options):
    """Columns of a table that hold samples, their errors and their weights.

    Parameters
    ----------
    columns : str or sequence of str
        The D columns, separated by commas.
    errors : str or sequence of str
        Columns of their standard deviations, in the same order.
    correlations : str or sequence of str
        Columns of the correlations of the errors, for the pairs 1-2, 1-3, ... 2-3, ...
    covariance : str, optional
        Column whose cells hold covariance matrices of the errors, in place of the two above.
    weights : str, optional
        Column of weights.
    completeness : str, optional
        The completeness as an expression over the columns, such as "mag < 24", or an HDF5 file
        with a grid.
    background : str or sequence of str
        "uniform" adds a background that is uniform in the box that holds all samples, and
        "uniform:LOW:HIGH,..." one in a box with one range for each column. A file gives its
        density: a model of samples, such as that of a control field, or an HDF5 grid.
    no_checksum : bool
        Read a FITS file even if its CHECKSUM or DATASUM does not hold.

    Raises
    ------
    InputError
        If the numbers of columns do not fit together.

    Examples
    --------
    >>> CatalogueOptions(columns="g_r,r_i", errors="g_r_err,r_i_err")
    CatalogueOptions(columns=('g_r', 'r_i'), errors=('g_r_err', 'r_i_err'))
    >>> CatalogueOptions(columns="g_r,r_i", errors="g_r_err")
    Traceback (most recent call last):
    gmmx.errors.InputError: `errors` names 1 column for the 2 `columns`: give one for each
    """

    columns: tuple = ()
    errors: tuple = ()
    correlations: tuple = ()
    covariance: str | None = None
    weights: str | None = None
    completeness: str | None = None
    background: tuple = ()
    no_checksum: bool = False

    def __post_init__(self):
        make_tuples(self, "background")
        if len(self.background) > 1:
            raise InputError(
                f"`background` = {' '.join(self.background)}: a catalogue has one",
                parameter="background",
            )
        for text in self.background:
            if not text.lower().endswith(HDF5_SUFFIXES):
                box_of(text)
        for name in ("columns", "errors", "correlations"):
            make_tuples(self, name)
            parts = [part.strip() for one in getattr(self, name) for part in one.split(",")]
            if not all(parts):
                raise InputError(
                    f"`{name}` has an empty name: put one comma between names", parameter=name
                )
            object.__setattr__(self, name, tuple(parts))
        require_text(self, "covariance", "weights", "completeness")
        require_bool(self, "no_checksum")
        d, n_errors = len(self.columns), len(self.errors)
        if len(set(self.columns)) < d:
            raise InputError("`columns` repeats a column: name each once", parameter="columns")
        if n_errors not in (0, d):
            noun = "column" if n_errors == 1 else "columns"
            raise InputError(
                f"`errors` names {n_errors} {noun} for the {d} `columns`: give one for each",
                parameter="errors",
            )
        if self.covariance and n_errors:
            raise InputError(
                "`covariance` and `errors` say the same: give one of them", parameter="covariance"
            )
        n_pairs = d * (d - 1) // 2
        if self.correlations and (not n_errors or len(self.correlations) != n_pairs):
            raise InputError(
                f"`correlations` names {counted(len(self.correlations), 'column')}: give one for "
                f"each of the {counted(n_pairs, 'pair')} of {counted(d, 'column')} with `errors`",
                parameter="correlations",
            )

    @property
    def names(self):
        """All columns that are read, each once."""
        further = [one for one in (self.covariance, self.weights) if one is not None]
        every = [*self.columns, *self.errors, *self.correlations, *further]
        return list(dict.fromkeys(every))


def box_of(text):
    """The box of a uniform background: None for that of all samples, else a range for each column.

    Parameters
    ----------
    text : str
        "uniform", or "uniform:LOW:HIGH,LOW:HIGH,...".

    Returns
    -------
    tuple of (float, float) or None

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> box_of("uniform:-1:3,18:24")
    ((-1.0, 3.0), (18.0, 24.0))
    """
    word, _, rest = text.partition(":")
    if text == "uniform":
        return None
    try:
        ranges = tuple(tuple(map(float, part.split(":"))) for part in rest.split(","))
    except ValueError:
        ranges = ((),)
    if word != "uniform" or any(len(one) != 2 for one in ranges):
        raise InputError(
            f"`background` = {text}: samples know the backgrounds uniform, uniform:LOW:HIGH,... "
            "with a range for each column, or a file (.h5): a model or a grid",
            parameter="background",
        )
    return ranges
