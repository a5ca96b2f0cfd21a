"""A fit in words and numbers: the component table, a page to read, and a dictionary for programs."""

from ._flags import component_flags, principal_axes
from ._page import summary, summary_dict
from ._table import component_table, frozen_from_table, mixture_from_table

__all__ = ["component_flags", "component_table", "frozen_from_table", "mixture_from_table", "principal_axes", "summary", "summary_dict"]
