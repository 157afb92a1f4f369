"""BG/NBD: purchases until a customer silently leaves after one of them."""

from patronage.models.betageo_family import BetaGeoFamily


class BetaGeoModel(BetaGeoFamily):
    """Beta-geometric / negative binomial model of repeat purchases [1]_.

    While active, a customer buys at random with a rate of her own, lambda ~ Gamma(r, rate alpha);
    after each repeat purchase she leaves with a probability of her own, p ~ Beta(a, b).

    Parameters
    ----------
    prior
        None for maximum likelihood. "weak" for data that leave a parameter without a finite
        estimate: purchases within the longest T at the mean rate are lognormal around 1 with
        spread 3, the coefficient of variation of the rates around 1 with spread 1 (spreads of the
        logarithm); the mean dropout and the polarisation index 1 / (a + b + 1) are uniform on
        (0, 1). `log_likelihood_` is still that of the data.

    Attributes
    ----------
    params_ : BetaGeoParams
        r, alpha, a, b; alpha in the data's time unit.
    standard_errors_ : BetaGeoParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters.
    log_likelihood_ : float
        Total, with time in the data's own unit.
    n_customers_ : int or float
        Customers fitted; the sum of weights.
    converged_ : bool
        False where the data leave a parameter without a finite estimate; `diagnosis_` says why and
        what to do. Predictions are then those of the limiting model.
    diagnosis_ : str
        Empty where the fit converged; with a prior, what it says more about than the data.

    References
    ----------
    .. [1] Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science
       24(2).
    """

    title = "BG/NBD"
    leaves_at_first = False
