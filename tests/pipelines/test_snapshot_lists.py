import re
import shutil

import openpyxl
import pandas as pd
from snapshot_tables import FIRST, customers, latest, outputs, page_of, write


def test_the_report_says_in_words_who_may_leave_and_why(trained):
    page = page_of(latest(trained))
    listed = pd.read_csv(latest(trained) / "at_risk.csv")
    stayed = customers()[customers()["left"] == "no"]
    assert set(listed["customer_id"]) == set(stayed["id"])
    assert f"Of {len(stayed):,} customers, about {listed['p_churn'].sum():,.0f} will leave." in page
    assert f"{1500 - len(stayed):,} customers who have left are not listed" in page
    for text in (
        "Measured on",
        "customers kept aside",
        "as the column &#34;left&#34; has it",
        "nine times in ten the model would have had AUC",
        "Share of all who left",
        "Most hangs on",
        "The mean chance to leave if all customers had the value on the axis",
        "Left out, since they know too well who left",
        "why alone tells who churned",
        'href="model_card.html"',
        "an action promised more than it costs",
    ):
        assert text in page, text
    words = re.sub(r"<(style|script).*?</\1>|data:[^\"]*", "", page, flags=re.DOTALL)
    for text in ("purchase", "None", "nan", "still a customer", "Not known"):
        assert text not in words, text


def test_every_listed_customer_has_a_reason_that_fits_the_chance(trained):
    listed = pd.read_csv(latest(trained) / "at_risk.csv", keep_default_na=False)
    share = (customers()["left"] == "yes").mean()
    stays = listed["reason_1"].str.startswith("likely to stay")
    assert listed["reason_1"].ne("").all()
    assert stays[listed["p_churn"] < share - 0.05].all()
    assert not stays[listed["p_churn"] > share + 0.05].any()
    assert listed["reason_1"].str.contains(r"Months|months: \d+").any()


def test_the_workbook_has_the_columns_that_a_snapshot_knows(trained):
    book = openpyxl.load_workbook(latest(trained) / "at_risk.xlsx")
    act = [cell.value for cell in book["Act now"][1]]
    assert {"Customer", "What to do", "Main reason", "Chance to leave", "Value if kept"} <= set(act)
    assert not {"Chance still a customer", "Lifetime value", "Purchases expected"} & set(act)
    guide = "\n".join(str(cell.value) for row in book["How to read"] for cell in row)
    assert 'a customer leaves, as the column "left" has it' in guide
    assert "purchase" not in guide
    assert "gone" not in guide


def test_the_model_card_is_that_of_the_version_and_in_the_registry(trained):
    card = page_of(outputs(trained), "model_card.md")
    for text in (
        'The probability that a customer leaves, as the column "left" has it.',
        "beside 0.",
        "Quality out of fold",
        "It passed the gate.",
        "3 columns: plan, months, yearly_margin.",
        "margin, yearly | empty",
        "It was judged by other customers of the same table",
        "plan: trial",
        "months: ",
    ):
        assert text in card, text
    assert "purchase" not in card


def test_report_alone_is_made_anew_from_the_latest_scores(trained, tmp_path, patronage):
    shutil.copytree(trained.parent / "outputs", tmp_path / "outputs", symlinks=True)
    text = trained.read_text().replace("accept_rate = 0.3", "accept_rate = 0.001")
    tracking = f'\n[tracking]\nfolder = "{trained.parent / "mlruns"}"\n'
    config = write(tmp_path, text + tracking)
    assert patronage("report", "-c", config) == 0
    assert pd.read_csv(outputs(config) / "at_risk.csv")["selected"].sum() == 0
    assert "Nobody is to be contacted: no action pays." in page_of(outputs(config))


def test_without_costs_there_is_a_list_by_chance_and_no_workbook(tmp_path, patronage):
    config = write(tmp_path, FIRST)
    assert patronage("run", "-c", config) == 0
    folder = outputs(config)
    listed = pd.read_csv(folder / "at_risk.csv")
    assert listed["p_churn"].is_monotonic_decreasing
    assert "action" not in listed
    assert not (folder / "at_risk.xlsx").exists()
    page = page_of(folder)
    assert "Who is most likely to leave" in page
    assert "Value at risk" not in page
