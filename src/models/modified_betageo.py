"""MBG/NBD: a customer may silently leave after any purchase, the first one included."""

from patronage.models.betageo_covariates import CovariateBetaGeoFamily


class ModifiedBetaGeoModel(CovariateBetaGeoFamily):
    """Modified beta-geometric / negative binomial model of repeat purchases [1]_.

    As BG/NBD, but a customer may also leave right after her first purchase, so that one-time
    buyers, too, are active only with some probability.

    Covariates z that do not change over time multiply a customer's purchase rate by exp(z @ effects
    on purchases) and the odds of her mean dropout probability, a / b, by exp(z @ effects on
    dropout): her alpha and b are alpha exp(-z @ effects) and b exp(-z @ effects), r and a are
    common. [2]_ lets a and b move apart; a multiplier they share would leave the mean where it is,
    and what it does to the spread alone can hardly be told from data.

    Parameters
    ----------
    prior
        None for maximum likelihood. "weak" for data that leave a parameter without a finite
        estimate: purchases within the longest T at the mean rate are lognormal around 1 with
        spread 3, the coefficient of variation of the rates around 1 with spread 1 (spreads of the
        logarithm); the mean dropout and the polarisation index 1 / (a + b + 1) are uniform on
        (0, 1). `log_likelihood_` is still that of the data.
    covariates
        Columns of the customer table that the rates may differ by, e.g. ["age", "channel"]; None
        for a model without, or for those of a table given to `fit`.

    Attributes
    ----------
    params_ : BetaGeoParams
        r, alpha, a, b; alpha in the data's time unit; of a customer whose covariates are all 0.
    standard_errors_ : BetaGeoParams
        From the exact Hessian; NaN where the fit did not converge.
    covariance_ : pandas.DataFrame
        Of the parameters and, after them, the effects: "purchases:age", "dropout:age".
    covariates_ : CovariateCoding or None
        How covariates become numbers.
    effects_ : pandas.DataFrame
        For each coded covariate, per unit of it: `purchases`, the effect on the logarithm of the
        purchase rate, and `dropout`, on the log-odds of the mean dropout probability, with their
        standard errors `purchases_se` and `dropout_se`. Empty without covariates.
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
    .. [2] Fader & Hardie (2007), Incorporating Time-Invariant Covariates into the Pareto/NBD and
       BG/NBD Models.
    """

    title = "MBG/NBD"
    leaves_at_first = True
