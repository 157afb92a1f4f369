"""The panel's features in DuckDB SQL, by hand: customer days once, then a query per cutoff.

Of the shapes tried, this is the fastest with several cutoffs: what does not depend on the cutoff
(days, gaps, numbers of purchases) is computed once and kept in a temporary table; a query per
cutoff has nothing left to do but filtered aggregates, and writes its own Parquet file.
"""

from datetime import date
from pathlib import Path

import duckdb

SEEN = {7, 30, 60, 90, 180, 365}

_DAYS = """
CREATE TEMP TABLE days AS
WITH lines AS (
    SELECT customer_id, CAST(timestamp AS DATE) AS day, amount, order_id, product_id, category,
        quantity, discount, margin, amount >= 0 AS buys
    FROM read_parquet('{source}')
), per_day AS (
    SELECT customer_id, day, sum(amount) AS spend,
        sum(CASE WHEN buys THEN 0.0 ELSE -amount END) AS returned,
        count(*) FILTER (buys) > 0 AS bought, count(*) FILTER (NOT buys) AS return_lines,
        count(DISTINCT order_id) FILTER (buys) AS orders,
        count(DISTINCT product_id) FILTER (buys) AS products,
        count(DISTINCT category) FILTER (buys) AS categories,
        coalesce(sum(quantity) FILTER (buys), 0.0) AS units,
        coalesce(sum(discount) FILTER (buys), 0.0) AS discount, sum(margin) AS margin
    FROM lines GROUP BY ALL
), news AS (
    SELECT customer_id, day, count(*) AS new_products FROM (
        SELECT customer_id, product_id, min(day) AS day FROM lines WHERE buys GROUP BY ALL
    ) GROUP BY ALL
), starts AS (
    SELECT customer_id, min(day) AS first_day FROM per_day WHERE bought GROUP BY ALL
), numbered AS (
    SELECT customer_id, day, row_number() OVER w - 1 AS number, day - lag(day) OVER w AS gap
    FROM per_day WHERE bought WINDOW w AS (PARTITION BY customer_id ORDER BY day)
), seconds AS (
    SELECT customer_id, day AS second_day FROM numbered WHERE number = 1
)
SELECT d.*, coalesce(new_products, 0) AS new_products, spend + returned AS gross,
    first_day, second_day, coalesce(day >= second_day, FALSE) AS repeats, number, gap,
    isodow(day) AS weekday, cos(2 * pi() * (day(day) - 1) / 31) AS month_cos,
    sin(2 * pi() * (day(day) - 1) / 31) AS month_sin
FROM per_day d JOIN starts USING (customer_id) LEFT JOIN news USING (customer_id, day)
    LEFT JOIN seconds USING (customer_id) LEFT JOIN numbered USING (customer_id, day)
WHERE day >= first_day ORDER BY customer_id, day
"""

_WINDOW = """count(*) FILTER (bought AND day >= c - {n}) AS n{n},
    coalesce(sum(spend) FILTER (day >= c - {n}), 0) AS s{n}"""
_BEFORE = """count(*) FILTER (bought AND day >= c - {m} AND day < c - {n}) AS b{n},
    coalesce(sum(spend) FILTER (day >= c - {m} AND day < c - {n}), 0) AS t{n}"""
_SEASON = """count(*) FILTER (bought AND day >= c - 365 AND day < c - 365 + {n}) AS y{n},
    coalesce(sum(spend) FILTER (day >= c - 365 AND day < c - 365 + {n}), 0) AS z{n}"""

_SUMS = """
SELECT customer_id, any_value(c) AS c, any_value(history) AS history,
    count(*) FILTER (bought) AS n, any_value(first_day) AS first,
    max(day) FILTER (bought) AS last, any_value(second_day) AS second,
    sum(spend) AS spend, sum(spend) FILTER (repeats) AS repeat_spend,
    sum(gross) AS gross, sum(returned) AS returned, sum(return_lines) AS return_lines,
    max(day) FILTER (return_lines > 0) AS last_return,
    sum(orders) AS orders, sum(products) AS products, sum(categories) AS categories,
    sum(products) FILTER (number > 0) AS later_products,
    sum(new_products) FILTER (number > 0) AS later_new, sum(units) AS units,
    sum(discount) AS discount, sum(margin) AS margin,
    median(gap) AS gap_median, stddev_samp(gap) AS gap_sd, max(gap) AS gap_max,
    sum(gap * number) AS gap_weighted, max_by(gap, day, 3) FILTER (bought) AS last_gaps,
    max(gross) FILTER (bought) AS basket_max, stddev_samp(gross) FILTER (bought) AS basket_sd,
    max_by(gross, day) FILTER (bought) AS basket_last,
    coalesce(sum(gross) FILTER (day >= c - 90), 0) AS gross_90,
    coalesce(sum(returned) FILTER (day >= c - 90), 0) AS returned_90,
    coalesce(sum(discount) FILTER (day >= c - 90), 0) AS discount_90,
    coalesce(sum(units) FILTER (day >= c - 90), 0) AS units_90,
    coalesce(sum(units) FILTER (day >= c - 365), 0) AS units_365,
    coalesce(sum(margin) FILTER (day >= c - 90), 0) AS margin_90,
    coalesce(sum(return_lines) FILTER (day >= c - 90), 0) AS return_lines_90,
    count(*) FILTER (bought AND discount > 0) AS discount_days,
    count(*) FILTER (bought AND discount > 0 AND day >= c - 90) AS discount_days_90,
    sum(discount) FILTER (discount > 0) AS reduction,
    sum(gross + discount) FILTER (discount > 0) AS full_price,
    sum(gap * ln(gap)) AS gap_log, count(*) FILTER (gap > 90) AS pauses,
    count(*) FILTER (bought AND day < c - 2 * third) AS n_begin,
    count(*) FILTER (bought AND day < c - third) AS n_middle,
    coalesce(sum(gross) FILTER (day < c - 2 * third), 0) AS gross_begin,
    coalesce(sum(gross) FILTER (day < c - third), 0) AS gross_middle,
    count(*) FILTER (bought AND day >= c - CAST((c - first_day) // 2 AS INT)) AS late,
    sum(month_cos) FILTER (bought) AS month_cos, sum(month_sin) FILTER (bought) AS month_sin,
    {weekdays},
    {windows}
FROM (SELECT *, DATE '{cutoff}' AS c, DATE '{cutoff}' - (SELECT min(day) FROM days) AS history,
    CAST((DATE '{cutoff}' - first_day) // 3 AS INT) AS third FROM days WHERE day < DATE '{cutoff}')
GROUP BY customer_id HAVING n > 0
"""

_FEATURES = """
SELECT customer_id, c AS as_of, n - 1 AS frequency, last - first AS recency, c - first AS T,
    CASE WHEN n > 1 THEN repeat_spend / (n - 1) ELSE 0 END AS monetary_value,
    c - last AS days_since_last, spend AS total_spend,
    gap_median AS usual_gap_days, (last - first) / nullif(n - 1, 0) AS gap_mean, gap_sd,
    gap_sd / ((last - first) / nullif(n - 1, 0)) AS gap_cv, gap_max, last_gaps[1] AS gap_last,
    ((n - 1) * coalesce(gap_median, 0) + (c - first) / n) / n AS expected_gap_days,
    (c - last) / expected_gap_days AS overdue_ratio, (c - last) / gap_max AS away_to_max_gap,
    last_gaps[1] / gap_median AS last_gap_ratio,
    CASE WHEN n > 3 THEN (gap_weighted - n / 2 * (last - first))
        / ((n - 1) * ((n - 1) * (n - 1) - 1) / 12) / ((last - first) / (n - 1)) END AS gap_trend,
    CASE WHEN n > 1 THEN len(list_filter(last_gaps, lambda gap: gap > gap_median)) END AS slow_gaps,
    (c - last - expected_gap_days) / sqrt(
        (greatest(n - 2, 0) * coalesce(gap_sd, 0) * coalesce(gap_sd, 0)
        + expected_gap_days * expected_gap_days) / (greatest(n - 2, 0) + 1)) AS recency_z,
    CASE WHEN n > 1 THEN least(greatest(1 + ((gap_log + (c - last) * ln(c - last)) / (c - first)
        - ln(c - first)) / ln(n), 0), 1) END AS clumpiness,
    {windows}, units_90, units_365, {purchase_trends}, {spend_trends},
    30 * (n90 / least(c - first, 90) - n / (c - first)) AS purchase_acceleration,
    late / nullif(n - 1, 0) AS late_half_share,
    CASE WHEN history >= 365 THEN y30 END AS season_purchase_days_30,
    CASE WHEN history >= 365 THEN y90 END AS season_purchase_days_90,
    CASE WHEN history >= 365 THEN z30 END AS season_spend_30,
    CASE WHEN history >= 365 THEN z90 END AS season_spend_90,
    CASE WHEN c - first < 30 THEN 0 WHEN c - first < 90 THEN 1 WHEN c - first < 180 THEN 2
        WHEN c - first < 365 THEN 3 WHEN c - first < 730 THEN 4 ELSE 5 END AS tenure_bucket,
    n_begin / n AS begin_share, (n_middle - n_begin) / n AS middle_share,
    (n - n_middle) / n AS end_share, (n - n_middle + 0.5) / (n_begin + 0.5) AS end_to_begin,
    gross_begin / nullif(gross, 0) AS begin_spend_share,
    1 - gross_middle / nullif(gross, 0) AS end_spend_share, pauses,
    spend / (c - first) AS spend_per_day,
    gross / n AS basket_mean, basket_max, basket_sd, basket_last / nullif(gross / n, 0)
        AS basket_last_ratio, orders / n AS orders_per_day, products / n AS products_per_day,
    categories / n AS categories_per_day, later_new / nullif(later_products, 0) AS new_product_rate,
    gross / nullif(units, 0) AS unit_price, returned / nullif(gross, 0) AS return_share,
    CASE WHEN gross_90 > 0.001 THEN returned_90 / gross_90 END AS return_share_90,
    return_share_90 - return_share AS return_change, return_lines, return_lines_90,
    c - last_return AS days_since_return,
    CAST(coalesce(last_return > last, FALSE) AS INT) AS returned_after_last,
    discount / nullif(gross + discount, 0) AS discount_share,
    CASE WHEN gross_90 > 0.001 THEN discount_90 / (gross_90 + discount_90) END AS discount_share_90,
    discount_share_90 - discount_share AS discount_change,
    discount_days / n AS discount_days_share, reduction / full_price AS discount_depth,
    1 - discount_days_90 / nullif(n90, 0) AS full_price_share_90,
    full_price_share_90 - (1 - discount_days_share) AS full_price_change,
    margin / nullif(gross, 0) AS margin_share,
    CASE WHEN gross_90 > 0.001 THEN margin_90 / gross_90 END AS margin_share_90,
    margin_share_90 - margin_share AS margin_change, (w6 + w7) / n AS weekend_share,
    -({entropy}) / ln(7) AS weekday_entropy,
    greatest(w1, w2, w3, w4, w5, w6, w7) / n AS weekday_top_share,
    sqrt(month_cos * month_cos + month_sin * month_sin) / n AS month_concentration,
    30 * (n - 1) / (c - first) AS purchase_rate, (last - first) / (c - first) AS active_share,
    CASE WHEN second < c THEN second - first END AS days_to_second,
    least(history, 730) AS history_days, sin(2 * pi() * (dayofyear(c) - 1) / 365.25) AS as_of_sin,
    cos(2 * pi() * (dayofyear(c) - 1) / 365.25) AS as_of_cos
FROM ({sums})
"""


def write_panel_by_sql(source: str, cutoffs: list[date], folder: Path) -> None:
    """Write a file per cutoff; column names are those of the panel."""
    with duckdb.connect(config={"preserve_insertion_order": "false"}) as connection:
        connection.execute(_DAYS.format(source=source))
        for cutoff in cutoffs:
            part = folder / f"as_of={cutoff}"
            part.mkdir(parents=True)
            connection.execute(
                f"COPY ({_query(cutoff)}) TO '{part / 'part-0.parquet'}' "
                "(FORMAT parquet, COMPRESSION zstd)"
            )


def _query(cutoff: date) -> str:
    spans = sorted(SEEN)
    parts = [_WINDOW.format(n=n) for n in spans]
    parts += [_BEFORE.format(n=n, m=2 * n) for n in (30, 90, 180)]
    parts += [_SEASON.format(n=n) for n in (30, 90)]
    weekdays = [f"count(*) FILTER (bought AND weekday = {d}) AS w{d}" for d in range(1, 8)]
    sums = _SUMS.format(cutoff=cutoff, weekdays=", ".join(weekdays), windows=", ".join(parts))
    usual = "0.5 * gross / n"
    return _FEATURES.format(
        sums=sums,
        windows=", ".join(f"n{n} AS purchase_days_{n}, s{n} AS spend_{n}" for n in spans),
        purchase_trends=", ".join(
            f"(n{n} + 0.5) / (b{n} + 0.5) AS purchase_trend_{n}" for n in (30, 90, 180)
        ),
        spend_trends=", ".join(
            f"(greatest(s{n}, 0) + {usual}) / nullif(greatest(t{n}, 0) + {usual}, 0) "
            f"AS spend_trend_{n}"
            for n in (30, 90)
        ),
        entropy=" + ".join(
            f"CASE WHEN w{d} > 0 THEN w{d} / n * ln(w{d} / n) ELSE 0 END" for d in range(1, 8)
        ),
    )
