"""Value and churn models, one estimator per file."""

from patronage.models.betageo import BetaGeoModel
from patronage.models.betageo_quantities import BetaGeoParams
from patronage.models.customer_value import CustomerValueModel
from patronage.models.gammagamma import GammaGammaModel, GammaGammaParams
from patronage.models.modified_betageo import ModifiedBetaGeoModel
from patronage.models.purchase_model import PurchaseModel

__all__ = [
    "BetaGeoModel",
    "BetaGeoParams",
    "CustomerValueModel",
    "GammaGammaModel",
    "GammaGammaParams",
    "ModifiedBetaGeoModel",
    "PurchaseModel",
]
