import dataclasses
import os
import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from patronage.config import Action
from patronage.report import ReportData, write_report
from patronage.report.page import report_html
from patronage.retention.judged_money import judged_money
from patronage.retention.wording import chance

SCORES = ("patronage", "p_no_purchase", "recency")
RANKS = {"auc": 0.7, "average_precision": 0.5, "top_decile_lift": 2.0}
PROBABLE = {"log_loss": 0.5, "brier": 0.2, "calibration_slope": 1.0, "calibration_intercept": 0.0}


def alive(rfm):
    return np.exp(-rfm["frequency"] * (rfm["T"] - rfm["recency"]) / 1000)


@pytest.fixture(scope="module")
def data(at_risk, customers):
    rng = np.random.default_rng(5)
    evaluation = pd.DataFrame({name: rng.random(300) for name in SCORES})
    models = {"patronage": RANKS | PROBABLE, "recency": RANKS | dict.fromkeys(PROBABLE)}
    return ReportData(
        at_risk=at_risk,
        customers=customers,
        metrics={"test": {"as_of": "1998-04-02", "n": 300, "churn_rate": 0.4, "models": models}},
        evaluation=evaluation.assign(churned=(rng.random(300) < 0.4).astype(int)),
        tracking=pd.DataFrame({"week": range(20), "actual": 5, "expected": 5.5}),
        p_alive_matrix=alive,
        manifest={
            "run_id": "run-1",
            "as_of": "1998-07-01",
            "model_version": "3",
            "currency": "USD",
            "counts": {"transactions": {"rows_kept": 6911, "rows_quarantined": 8}},
            "settings": {
                "churn": {"horizon_days": 90},
                "retention": {"actions": [{"name": "voucher"}, {"name": "call"}]},
            },
            "versions": {"patronage": "0.1.0"},
        },
    )


@pytest.fixture(scope="module")
def html(data):
    return report_html(data)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


class Page(HTMLParser):
    """Tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.inside = [], "", ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.text += data

    def attributes(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_headline_says_the_run_in_plain_words(page, at_risk):
    chosen, text = at_risk[at_risk["selected"]], page.text
    leaving = round(at_risk["p_churn"].sum())
    assert f"Of 200 active customers, about {leaving} will not buy again within 90 days" in text
    assert f"Contacting {len(chosen)} customers costs {chosen['action_cost'].sum():.2f} USD" in text
    assert f"bring {chosen['expected_net_value'].sum():,.2f} USD beyond that" in text


def test_leaving_is_named_for_what_it_is(page, at_risk):
    share = f"{at_risk['p_churn'].mean():.0%}; after 1998-04-02 it was 40%"
    assert "Expected not to buy in 90 days" in page.text
    assert share in page.text
    assert (
        "Chance to leave: the probability that the customer buys nothing in 90 days." in page.text
    )
    assert "Expected to leave" not in page.text


def test_the_first_table_tells_who_is_still_a_customer(data, html, at_risk):
    now = html[html.index('id="now"') : html.index('id="charts"')]
    first = at_risk[at_risk["selected"]].head(15)
    shown = re.findall(r'data-label="Chance still a customer">([^<]+)</td>', now)
    assert shown == [escape(chance(one)) for one in first["p_alive"]]
    assert '<th class="number">Chance still a customer</th>' in now


def test_every_part_is_there(page):
    sections = [attributes["id"] for attributes in page.attributes("section")]
    assert sections == ["now", "charts", "quality", "list", "data", "settings"]
    assert "transactions: rows used" in page.text
    assert "6,911" in page.text
    assert "retention.actions.2.name" in page.text


def test_scores_judged_in_money_have_a_section_of_their_own(data):
    scores = data.evaluation.assign(worth=50.0)
    mail = Action(name="<b>mail</b>", contact_cost=1, offer_cost=0, accept_rate=0.5)
    money = judged_money(scores, ["patronage", "p_no_purchase"], value="worth", actions=[mail])
    test = data.metrics["test"] | {"money": money}
    shown = Page(report_html(dataclasses.replace(data, metrics={"test": test})))
    sections = [attributes["id"] for attributes in shown.attributes("section")]
    assert sections == ["now", "charts", "quality", "cuts", "list", "data", "settings"]
    assert "The first 10%" in shown.text
    assert "<b>mail</b>" in shown.text
    assert not shown.attributes("b")


def test_at_most_fifteen_are_shown_first(data, policy, at_risk):
    everybody = dataclasses.replace(
        data, at_risk=at_risk.assign(selected=True, do_by=pd.Timestamp("1998-07-08"))
    )
    cells = Page(report_html(everybody)).attributes("td")
    assert [one.get("data-label") for one in cells].count("Do by") == 15


def test_every_chart_is_an_image_with_a_text(page):
    images = page.attributes("img")
    assert len(images) == 5
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in images)
    assert all(len(image["alt"]) > 30 for image in images)


def test_what_is_not_known_is_left_out(data):
    bare = dataclasses.replace(data, evaluation=None, tracking=None, p_alive_matrix=None)
    assert len(Page(report_html(bare)).attributes("img")) == 1


def test_nothing_comes_from_elsewhere(page):
    loading = ("img", "script", "link", "iframe", "source", "object", "embed")
    sources = [
        attributes.get("src") or attributes.get("href")
        for tag, attributes in page.tags
        if tag in loading
    ]
    assert [one for one in sources if one and not one.startswith("data:")] == []
    (policy,) = [one for one in page.attributes("meta") if "http-equiv" in one]
    assert policy["content"].startswith("default-src 'none'; img-src data:;")
    assert "http" not in policy["content"]


def test_the_page_is_small(html):
    assert len(html.encode()) < 3_000_000


def test_hostile_ids_are_texts(data, page, hostile_list):
    everybody = hostile_list.iloc[::-1].assign(selected=True, do_by=hostile_list["as_of"])
    html = report_html(dataclasses.replace(data, at_risk=everybody))
    tags = [tag for tag, _ in Page(html).tags]
    usual = [tag for tag, _ in page.tags]
    assert tags.count("script") == usual.count("script")
    assert tags.count("img") == usual.count("img")
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert "{{ 7 * 7 }}" in html
    assert len(html) < 3_000_000


def test_a_hostile_setting_is_a_text(data):
    manifest = dict(data.manifest, run_id="<script>", versions={"<img src=x>": "</table>"})
    html = report_html(dataclasses.replace(data, manifest=manifest))
    assert "run &lt;script&gt;" in html
    assert "&lt;img src=x&gt;" in html


def test_the_tables_and_what_to_look_at_are_shown(data):
    column = {"name": "kind", "kind": "text", "rows": 10, "nulls": 0, "distinct": 2}
    column |= {"minimum": None, "maximum": None, "quantiles": {}, "top": [["<b>x", 8]]}
    events = {"table": "events", "rows": 10, "customers": 4, "first_day": None, "last_day": None}
    events |= {"unknown_customers": 0, "unknown_rows": 0, "covered": 0.25, "columns": [column]}
    manifest = dict(data.manifest, tables={"events": events}, tables_missing=["surveys"])
    manifest["to_look_at"] = ["3 of 4 customers <b>are</b> unknown"]
    html = report_html(dataclasses.replace(data, manifest=manifest))
    assert "<b>" not in html
    text = " ".join(Page(html).text.split())
    assert "To be looked at 3 of 4 customers <b>are</b> unknown" in text
    assert "Events 10 rows of 4 customers. 25.0% of the customers with a transaction" in text
    assert "Not configured: surveys." in text


def test_nobody_to_contact_is_said(data, at_risk):
    table = at_risk.assign(selected=False, risk_band="no action")
    nobody = dataclasses.replace(data, at_risk=table)
    assert Page(report_html(nobody)).text.count("Nobody is to be contacted: no action pays.") == 2


def test_value_at_risk_is_explained_where_it_is_named(page):
    assert "The value at risk, each one's chance to leave times the margin to be" in page.text
    assert "chance to leave × value if kept" in page.text


def test_a_model_that_did_not_pass_is_said_at_the_top(data, page):
    training = {"version": "4", "gate": {"passed": False}}
    manifest = dict(data.manifest, training=training)
    text = Page(report_html(dataclasses.replace(data, manifest=manifest))).text
    said = "A new model was trained today (version 4, on what was known on 1998-07-01) but did not"
    assert text.index(said) < text.index("Of 200 active customers")
    assert "new model" not in page.text


def test_nobody_at_all_is_a_page(data, at_risk, customers):
    empty = dataclasses.replace(
        data, at_risk=at_risk.head(0), customers=customers.assign(eligible=False)
    )
    assert "No customer is eligible" in Page(report_html(empty)).text


def browser():
    return next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


@pytest.mark.skipif(
    browser() is None and "CI" not in os.environ, reason="needs Chromium to run the page"
)
def test_the_table_works_offline_and_runs_no_hostile_text(data, hostile_list, tmp_path):
    title = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    write_report(
        tmp_path / "report.html",
        data=dataclasses.replace(data, at_risk=hostile_list.assign(action=title, reason_1=title)),
    )
    command = [browser(), "--headless=new", "--no-sandbox", "--virtual-time-budget=5000"]
    command += ["--proxy-server=127.0.0.1:9", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [*command, "--dump-dom", (tmp_path / "report.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "<title>Customers at risk, 1998-07-01</title>" in shown
    assert f"Showing 1 to {len(hostile_list)} of {len(hostile_list)} entries" in shown
    table = shown[shown.index('id="at-risk"') :]
    assert re.findall(r"<img[^>]*onerror", table) == []


def test_the_model_card_is_linked_where_there_is_one(data, html):
    assert "model card" not in html
    carded = {**data.manifest, "model": {"card": True}}
    shown = report_html(dataclasses.replace(data, manifest=carded))
    assert '<a href="model_card.html">model card of version 3</a>' in shown


def test_the_share_that_left_is_shown_for_each_cutoff(data, html):
    shares = {"1997-12-02": {"rows": 4321, "share": 0.3333}}
    metrics = {**data.metrics, "train": {"churned": shares}}
    shown = report_html(dataclasses.replace(data, metrics=metrics))
    assert '<th scope="row">1997-12-02</th><td class="number">4,321</td>' in shown
    assert '<td class="number">33.3%</td>' in shown
    assert "Share that left" not in html


def test_the_headline_of_contracts_speaks_of_subscriptions(data):
    settings = {**data.manifest["settings"], "churn": {"label": "subscriptions"}}
    manifest = {**data.manifest, "settings": settings}
    shown = report_html(dataclasses.replace(data, manifest=manifest))
    assert "will let their subscription end" in shown
