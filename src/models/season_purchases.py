"""Which models of purchases can have a season."""

from typing import Any

from patronage.errors import SettingsError
from patronage.models.purchase_model import PurchaseModel

TAKE_A_SEASON = (
    "BetaGeoModel, ModifiedBetaGeoModel, ParetoNBDModel, BetaGeoCNBDModel or "
    "ModifiedBetaGeoCNBDModel"
)


def check_takes_season(model: Any) -> None:
    """Refuse what has no time that a season could speed up, and covariates beside a season.

    Raises
    ------
    SettingsError
        If it is no model of purchases at any time, or has covariates.
    """
    if not isinstance(model, PurchaseModel):
        given = f"the class {model.__name__}" if isinstance(model, type) else repr(model)
        raise SettingsError(
            f"purchases={given} is no model of purchases that a season can be added to. Take an "
            f"unfitted {TAKE_A_SEASON}, e.g. SeasonalModel(BetaGeoModel())."
        )
    name = type(model).__name__
    if type(model)._time_slopes is PurchaseModel._time_slopes:
        raise SettingsError(
            f"{name} takes no season: its time is counted in opportunities, or has a season "
            f"already. Take {TAKE_A_SEASON}."
        )
    if getattr(model, "covariates", None) is not None:
        raise SettingsError(
            f"{name}(covariates={list(model.covariates)}) within a SeasonalModel: "
            "covariates and a season do not go together. Leave the covariates out, or fit the "
            "model without a season."
        )
