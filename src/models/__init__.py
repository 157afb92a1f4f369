"""Value and churn models, one estimator per file."""

from patronage.models.betageo import BetaGeoModel
from patronage.models.betageo_quantities import BetaGeoParams
from patronage.models.churn import ChurnModel
from patronage.models.customer_value import CustomerValueModel
from patronage.models.gammagamma import GammaGammaModel, GammaGammaParams

__all__ = [
    "BetaGeoModel",
    "BetaGeoParams",
    "ChurnModel",
    "CustomerValueModel",
    "GammaGammaModel",
    "GammaGammaParams",
]
