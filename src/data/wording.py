"""Counts in words, and texts of the data on one line."""


def row_count(count: int) -> str:
    """So many rows.

    Examples
    --------
    >>> row_count(1), row_count(2500)
    ('one row', '2,500 rows')
    """
    return "one row" if count == 1 else f"{count:,} rows"


def on_one_line(text: str) -> str:
    r"""A text of the data as it is printed: line ends and control characters are escaped.

    Examples
    --------
    >>> print(on_one_line("visit\nof a café"))
    visit\nof a café
    """
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
