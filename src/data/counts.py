"""Row counts of one table, which must add up."""

from dataclasses import InitVar, dataclass, field

from patronage.errors import PatronageError


@dataclass(frozen=True)
class TableCounts:
    """Rows of one table on their way from the source to the ledger.

    `rows_read` = `rows_filtered` + `rows_in` and `rows_in` = `rows_kept` + `rows_quarantined` +
    `rows_dropped`, checked when made. `rows_dropped` repeat a row that is kept. `reasons` counts
    the quarantined rows by reason, most frequent first, `n_duplicates` the kept rows that equal an
    earlier one in every column of the source.

    Raises
    ------
    PatronageError
        If the counts do not add up: rows would have been lost or invented on the way.

    Examples
    --------
    >>> TableCounts(rows_read=5, rows_filtered=1, rows_in=4, rows_kept=3, rows_quarantined=1,
    ...             reasons={"amount is missing": 1}).bad_share
    0.25
    """

    rows_read: int
    rows_filtered: int
    rows_in: int
    rows_kept: int
    rows_quarantined: int
    reasons: dict[str, int] = field(default_factory=dict)
    n_duplicates: int = 0
    rows_dropped: int = 0
    table: InitVar[str] = "transactions"

    def __post_init__(self, table: str) -> None:
        """Check the sums."""
        sums = (
            self.rows_read == self.rows_filtered + self.rows_in,
            self.rows_in == self.rows_kept + self.rows_quarantined + self.rows_dropped,
            self.rows_quarantined == sum(self.reasons.values()),
        )
        if not all(sums):
            raise PatronageError(f"the row counts of {table} do not add up: {self}")

    @property
    def bad_share(self) -> float:
        """Share of the rows not left out by `where` that are quarantined, 0 to 1."""
        return self.rows_quarantined / self.rows_in if self.rows_in else 0.0
