"""The columns in which chances of further horizons stand, by the days of each."""

import re
from collections.abc import Iterable

_CHANCE = re.compile(r"p_churn_([1-9][0-9]*)")


def horizon_columns(days: int) -> tuple[str, str, str]:
    """The chance of a further horizon and the ends of its interval.

    Examples
    --------
    >>> horizon_columns(30)
    ('p_churn_30', 'p_churn_30_low', 'p_churn_30_high')
    """
    return f"p_churn_{days}", f"p_churn_{days}_low", f"p_churn_{days}_high"


def horizons_in(columns: Iterable[object]) -> dict[int, str]:
    """The chances of further horizons among the columns, by their days, shortest first.

    Examples
    --------
    >>> horizons_in(["p_churn", "p_churn_low", "p_churn_60", "p_churn_30", "p_churn_30_low"])
    {30: 'p_churn_30', 60: 'p_churn_60'}
    """
    names = map(str, columns)
    found = ((_CHANCE.fullmatch(name), name) for name in names)
    return dict(sorted((int(match[1]), name) for match, name in found if match))
