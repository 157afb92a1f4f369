"""The season that is known on one day, given to models of earlier days."""

from datetime import date, timedelta

from sklearn.base import clone

from patronage.features import DayTable
from patronage.features.arrays import calendar_day
from patronage.models.purchase_model import PurchaseModel
from patronage.models.purchase_season import PurchaseSeason
from patronage.models.seasonal_model import SeasonalModel


def with_known_season(
    purchases: PurchaseModel, days: DayTable, *, as_of: date, ahead_days: int
) -> PurchaseModel:
    """The model, its season no longer to be learned but given as it is known on `as_of`.

    A churn model that is trained on `as_of` starts from P(no purchase) at earlier cutoffs. Fitted
    on those cutoffs' past alone, the first year of them would know no season, and the trees would
    take its ups and downs for a change of the customers. Nothing after `as_of` enters.

    Parameters
    ----------
    purchases
        Unfitted; a model without a season is given back as it is.
    days
        Customer days.
    ahead_days
        The season is given for so many days from `as_of` on.
    """
    if not isinstance(purchases, SeasonalModel):
        return purchases
    season = clone(purchases).fit_days(days, as_of=as_of).season_
    end = as_of + timedelta(days=ahead_days + 1)
    factors = season.factors(calendar_day(days.first_day), end)
    return SeasonalModel(clone(purchases.purchases), PurchaseSeason(factors=factors))
