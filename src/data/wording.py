"""Counts in words."""


def row_count(count: int) -> str:
    """So many rows.

    Examples
    --------
    >>> row_count(1), row_count(2500)
    ('one row', '2,500 rows')
    """
    return "one row" if count == 1 else f"{count:,} rows"
