"""A fit in words and numbers: the component table, a page to read, and a dictionary for programs."""

from ._page import summary, summary_dict
from ._table import component_table, mixture_from_table, principal_axes

__all__ = ["component_table", "mixture_from_table", "principal_axes", "summary", "summary_dict"]
