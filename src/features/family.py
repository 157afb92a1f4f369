"""What a family of features is: its features, what it needs, and how it is computed."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from patronage.features.arrays import Columns
from patronage.features.customer_tables import TableName
from patronage.features.feature import Feature
from patronage.features.grid import Grid


@dataclass(frozen=True)
class Family:
    """Features computed together."""

    name: str
    features: tuple[Feature, ...]
    compute: Callable[[Grid], Columns]
    """One value of each feature for each row of the grid, from what lies before as_of."""
    needs: TableName | None = None
    """The optional table without which there is nothing to compute."""

    @classmethod
    def of(cls, module: ModuleType) -> "Family":
        """The family of a module with FEATURES, compute and, where it needs a table, NEEDS."""
        name = module.__name__.rpartition(".")[2]
        return cls(name, module.FEATURES, module.compute, getattr(module, "NEEDS", None))
