"""Family value_model: what a model of purchases and spend, fitted as of the cutoff, expects.

`patronage.models.training_panel` computes it, since a model has to be fitted: on what lies before
the cutoff alone, of all customers.
"""

from patronage.features.feature import Feature

FEATURES = (
    Feature(
        "p_no_purchase",
        "Probability of no purchase in the horizon of the churn label.",
        "share",
        "value_model",
        "chance of no purchase",
    ),
    Feature(
        "p_alive",
        "Probability that the customer may still buy at all.",
        "share",
        "value_model",
        "chance of still being a customer",
    ),
    Feature(
        "horizon_purchases",
        "Purchase days expected in the horizon of the churn label.",
        "number",
        "value_model",
        "expected purchases",
    ),
    Feature(
        "expected_spend",
        "Net spend expected per future purchase day, by the Gamma-Gamma model.",
        "money",
        "value_model",
        "expected spend per purchase",
        null="where too few came back to fit a model of spend",
    ),
)
