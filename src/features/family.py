"""What a family of features is: its features, what it needs, and how it is computed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

from patronage.features.arrays import FloatArray
from patronage.features.customer_tables import CustomerTables, TableName
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.records import Texts

Computed = Mapping[str, FloatArray | Texts]
"""One value of each feature for each row of the grid; texts for features of the unit "text"."""


@dataclass(frozen=True)
class Family:
    """Features computed together."""

    name: str
    features: tuple[Feature, ...]
    """Those that it has whatever the tables hold."""
    compute: Callable[[Grid], Computed]
    """One value of each feature for each row of the grid, from what lies before as_of."""
    needs: TableName | None = None
    """The optional table without which there is nothing to compute."""
    kinds: tuple[str, ...] = ()
    """The kinds of events that it looks at, where it needs events."""
    found_in: Callable[[CustomerTables], tuple[Feature, ...]] | None = None
    """Features that depend on the columns of the tables; they come after the others."""

    @classmethod
    def of(cls, module: ModuleType) -> "Family":
        """The family of a module with FEATURES and compute; with NEEDS, KINDS, found_in if any."""
        return cls(
            name=module.__name__.rpartition(".")[2],
            features=module.FEATURES,
            compute=module.compute,
            needs=getattr(module, "NEEDS", None),
            kinds=getattr(module, "KINDS", ()),
            found_in=getattr(module, "found_in", None),
        )

    def features_of(self, tables: CustomerTables) -> tuple[Feature, ...]:
        """All features that it computes of these tables, in order."""
        return self.features + (self.found_in(tables) if self.found_in else ())
