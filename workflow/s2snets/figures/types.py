"""Types that annotations name; at run time they are ``Any``, and nothing is loaded."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes as MplAxes
    from matplotlib.figure import Figure as MplFigure
    from numpy import ndarray
    from pandas import DataFrame, Series

    Arrays = Mapping[str, ndarray]
else:
    Arrays = DataFrame = MplAxes = MplFigure = Series = ndarray = Any
