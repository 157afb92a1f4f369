"""Value and churn models, one estimator per file."""

from patronage.models.backtest import Backtest, backtest_value
from patronage.models.betadiscreteweibull import BetaDiscreteWeibullModel
from patronage.models.betageo import BetaGeoModel
from patronage.models.betageo_cnbd import BetaGeoCNBDModel
from patronage.models.betageo_quantities import BetaGeoParams
from patronage.models.betageobetabinom import BetaGeoBetaBinomModel
from patronage.models.choose_purchases import choose_purchases
from patronage.models.churn import ChurnModel
from patronage.models.contract_input import survivor_table
from patronage.models.customer_value import CustomerValueModel
from patronage.models.gammagamma import GammaGammaModel, GammaGammaParams
from patronage.models.inference import likelihood_ratio_test
from patronage.models.modified_betageo import ModifiedBetaGeoModel
from patronage.models.modified_betageo_cnbd import ModifiedBetaGeoCNBDModel
from patronage.models.paretonbd import ParetoNBDModel
from patronage.models.paretonbd_quantities import ParetoNBDParams
from patronage.models.purchase_model import PurchaseModel
from patronage.models.purchase_season import PurchaseSeason
from patronage.models.saving import load_model
from patronage.models.seasonal_model import SeasonalModel
from patronage.models.shiftedbetageo import ShiftedBetaGeoModel
from patronage.models.simulated_log import simulate_log

__all__ = [
    "Backtest",
    "BetaDiscreteWeibullModel",
    "BetaGeoBetaBinomModel",
    "BetaGeoCNBDModel",
    "BetaGeoModel",
    "BetaGeoParams",
    "ChurnModel",
    "CustomerValueModel",
    "GammaGammaModel",
    "GammaGammaParams",
    "ModifiedBetaGeoCNBDModel",
    "ModifiedBetaGeoModel",
    "ParetoNBDModel",
    "ParetoNBDParams",
    "PurchaseModel",
    "PurchaseSeason",
    "SeasonalModel",
    "ShiftedBetaGeoModel",
    "backtest_value",
    "choose_purchases",
    "likelihood_ratio_test",
    "load_model",
    "simulate_log",
    "survivor_table",
]
