"""Beta-discrete-Weibull: contract renewals with a chance to leave that changes with time."""

from typing import NamedTuple

from scipy.special import chdtrc

from patronage.errors import DataError
from patronage.models.contract_input import Renewals
from patronage.models.contract_model import ContractModel
from patronage.models.fitting import Optimum
from patronage.models.shiftedbetageo import ShiftedBetaGeoModel, contract_diagnosis


class BetaDiscreteWeibullParams(NamedTuple):
    """Of a customer's kind (1-theta)^(t^c) are left after t renewals, theta ~ Beta(alpha, beta)."""

    alpha: float
    beta: float
    c: float


class DurationTest(NamedTuple):
    """Likelihood-ratio test of c = 1."""

    statistic: float
    """Twice the gain in log-likelihood."""
    p_value: float
    """By the chi-squared distribution with 1 degree of freedom."""


class BetaDiscreteWeibullModel(ContractModel):
    """Beta-discrete-Weibull model of contract renewals [1]_.

    As the shifted beta-geometric model, but a customer's own chance to be lost changes from one
    renewal to the next: it rises where c > 1, falls where c < 1, and stays where c = 1, which is
    the shifted beta-geometric model.

    Attributes
    ----------
    params_ : BetaDiscreteWeibullParams
        alpha, beta, c.
    standard_errors_ : BetaDiscreteWeibullParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters.
    log_likelihood_ : float
        Total.
    n_customers_ : int or float
        Customers fitted; the sum of weights.
    converged_ : bool
        False where the data leave a parameter without a finite estimate; `diagnosis_` says why and
        what to do. Predictions are then those of the limiting model.
    diagnosis_ : str
        Empty where the fit converged.

    References
    ----------
    .. [1] Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to Project Customer Retention"
       Revisited: The Role of Duration Dependence, J. Interactive Marketing 43.
    """

    params_: BetaDiscreteWeibullParams
    standard_errors_: BetaDiscreteWeibullParams
    params_type = BetaDiscreteWeibullParams

    def duration_dependence_test(self, constant: ShiftedBetaGeoModel) -> DurationTest:
        """Test c = 1 against the shifted beta-geometric model of the same customers.

        Parameters
        ----------
        constant
            Fitted on the same data.

        Raises
        ------
        DataError
            If it was fitted on other data.
        """
        ours, theirs = ((model.data_digest_, model.n_customers_) for model in (self, constant))
        if ours != theirs:
            raise DataError(
                f"The models were fitted on different data: {self.n_customers_:,} customers, "
                f"digest {self.data_digest_}, and {constant.n_customers_:,} customers, digest "
                f"{constant.data_digest_}. Fit both on one table."
            )
        gain = max(2 * (self.log_likelihood_ - constant.log_likelihood_), 0.0)
        return DurationTest(gain, float(chdtrc(1, gain)))

    def _diagnosis(self, optimum: Optimum, renewals: Renewals) -> str:
        return contract_diagnosis("BdW", optimum, renewals)
