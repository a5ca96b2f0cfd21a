"""Numbers and lists in words, for messages and representations."""

from collections.abc import Sequence
from difflib import get_close_matches


def counted(n: int, noun: str, several: str = "") -> str:
    """A number with its noun, which is in the plural unless the number is 1.

    Parameters
    ----------
    n : int
    noun : str
        The singular.
    several : str
        The plural; by default the singular with an s.

    Examples
    --------
    >>> counted(1, "component"), counted(1200, "component"), counted(0, "flux", "fluxes")
    ('1 component', '1,200 components', '0 fluxes')
    """
    return f"{n:,} {noun if n == 1 else several or noun + 's'}"


def either(choices: Sequence[str]) -> str:
    """Join choices for a message.

    Parameters
    ----------
    choices : sequence of str

    Examples
    --------
    >>> either(["sky", "particle", "streak"])
    'sky, particle or streak'
    """
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def lettered(n: int) -> list[str]:
    """Names of n models that have none: letters, then numbers.

    Examples
    --------
    >>> lettered(2), lettered(27)[-1]
    (['A', 'B'], 'model 27')
    """
    return [chr(ord("A") + i) if i < 26 else f"model {i + 1}" for i in range(n)]


def listed(names: Sequence[str]) -> str:
    """Join names that all count.

    Parameters
    ----------
    names : sequence of str

    Examples
    --------
    >>> listed(["4", "16", "64"])
    '4, 16 and 64'
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def nearest(name: str, names: Sequence[str], most: int = 20) -> str:
    """A question whether another name was meant, or else the names that there are.

    Parameters
    ----------
    name : str
        A name that is not one of them.
    names : sequence of str
    most : int
        Number of names that are listed at most.

    Examples
    --------
    >>> nearest("g_i", ["g_r", "parallax"]), nearest("mass", ["g_r", "parallax"])
    ('did you mean g_r?', 'choose from g_r, parallax')
    """
    lower = [one.lower() for one in names]
    near = get_close_matches(name.lower(), lower, n=1)
    if near:
        return f"did you mean {names[lower.index(near[0])]}?"
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"choose from {', '.join(names[:most])}{rest}"


def readable(text: str) -> str:
    r"""A text that can be encoded, where the name of a file is not UTF-8.

    Parameters
    ----------
    text : str
        Bytes that are not UTF-8 stand in it as Python's `os.fsdecode` leaves them.

    Returns
    -------
    str
        With a backslash and a number for each such byte.

    Examples
    --------
    >>> readable("caf\udce9.fits")
    'caf\\xe9.fits'
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
