"""The season that the settings speak of."""

from patronage.config import Settings
from patronage.models import PurchaseSeason


def season_of(settings: Settings) -> PurchaseSeason | None:
    """The season to try, from the settings."""
    if settings.value.season == "none":
        return None
    return PurchaseSeason(events=settings.value.events or None)
