"""Family channel: where the customer buys, and whether that has changed."""

import numpy as np

from patronage.features.arrays import FloatArray
from patronage.features.feature import Feature
from patronage.features.grid import Grid
from patronage.features.records import Texts
from patronage.features.variety import Variety

NEEDS = "channels"
NONE = "where no line bought has a channel"

FEATURES = (
    Feature("channels", "Distinct channels so far.", "count", "channel", "channels used"),
    Feature(
        "channels_90",
        "Distinct channels of the 90 days before as_of.",
        "count",
        "channel",
        "channels used in the last 90 days",
        window=90,
    ),
    Feature(
        "channel_entropy",
        "Spread of the lines over the customer's channels: 0 when all are through one, 1 when "
        "each has as many.",
        "share",
        "channel",
        "spread over channels",
        null=NONE,
    ),
    Feature(
        "top_channel_share",
        "Share of the lines through the channel with most of them.",
        "share",
        "channel",
        "share of the preferred channel",
        null=NONE,
    ),
    Feature(
        "channel_switched",
        "1 when the channel with most lines was not used on the last day with a channel.",
        "flag",
        "channel",
        "last purchase not through the usual channel",
        null=NONE,
    ),
    Feature(
        "days_since_new_channel",
        "Days from the last day with a channel new to the customer to as_of.",
        "days",
        "channel",
        "days since a new channel was used",
        null=NONE,
    ),
    Feature(
        "first_channel",
        "Channel with most lines on the first day with one, the first of the alphabet of several.",
        "text",
        "channel",
        "channel of the first purchase",
        null=NONE,
    ),
    Feature(
        "top_channel",
        "Channel with most lines so far, the first of the alphabet of several.",
        "text",
        "channel",
        "preferred channel",
        null=NONE,
    ),
)


def compute(grid: Grid) -> dict[str, FloatArray | Texts]:
    """The family's features, one value per row of the grid."""
    variety = Variety.of(grid, grid.over("channels").records, "channel")
    since_top = variety.days_since_top
    elsewhere = since_top > variety.known.days_since
    return {
        "channels": variety.distinct,
        "channels_90": variety.distinct_within(90),
        "channel_entropy": variety.evenness,
        "top_channel_share": variety.top_share,
        "channel_switched": np.where(np.isnan(since_top), np.nan, elsewhere),
        "days_since_new_channel": variety.days_since_new,
        "first_channel": variety.first,
        "top_channel": variety.top,
    }
