"""MBG/NBD: a customer may silently leave after any purchase, the first one included."""

from patronage.models.betageo_family import BetaGeoFamily


class ModifiedBetaGeoModel(BetaGeoFamily):
    """Modified beta-geometric / negative binomial model of repeat purchases [1]_.

    As BG/NBD, but a customer may also leave right after her first purchase, so that one-time
    buyers, too, are active only with some probability.

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
    .. [1] Batislam, Denizel & Filiztekin (2007), Empirical Validation and Comparison of Models for
       Customer Base Analysis, International Journal of Research in Marketing 24(3).
    """

    title = "MBG/NBD"
    leaves_at_first = True
