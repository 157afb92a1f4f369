"""MBG/CNBD-k: MBG/NBD with purchases more regular than by chance."""

from patronage.models.regular_timing import RegularTimingFamily


class ModifiedBetaGeoCNBDModel(RegularTimingFamily):
    """Modified beta-geometric / condensed negative binomial model of repeat purchases [1]_.

    While active, a customer buys after gaps ~ Erlang(k, lambda), with a lambda of her own; after
    each purchase, the first one included, she leaves with a probability of her own, p ~ Beta(a, b).

    Parameters
    ----------
    k
        How regular: 1 is timing by chance, and the spread of gaps goes as 1 / sqrt(k). By default
        the k of highest likelihood, up to 12.
    prior
        None, or "weak"; see `prior`.

    Attributes
    ----------
    params_ : BetaGeoParams
        r, alpha, a, b; alpha in the data's time unit. Stages, k of which make a purchase, pass at
        rate lambda ~ Gamma(r, rate alpha).
    standard_errors_ : BetaGeoParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters.
    k_ : int
        How regular timing is; given or of highest likelihood.
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
    .. [1] Reutterer, Platzer & Schroeder (2021), Leveraging Purchase Regularity for Predicting
       Customer Behavior the Easy Way, International Journal of Research in Marketing 38(1).
    """

    title = "MBG/CNBD-k"
    leaves_at_first = True
