"""The CDNOW example: 69,659 purchases of 23,570 customers, which ship inside lifetimes."""

import logging
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from patronage.pipelines.settings_file import FILE_NAME, Value, settings_text, write_settings_file

log = logging.getLogger(__name__)

SETTINGS: dict[str, Value] = {
    "ledger.currency": "USD",
    "transactions.source": "data/cdnow.csv",
    "transactions.date_format": "%Y%m%d",
    "transactions.columns.customer_id": "customer_id",
    "transactions.columns.timestamp": "date",
    "transactions.columns.amount": "dollar_value",
    "transactions.columns.quantity": "number_of_cds",
    "features.active_days": 365,
    "churn.horizon_days": 90,
    "churn.lead_days": 0,
    "churn.trials": 5,
    "churn.seconds": 600,
    "value.horizon_days": 365,
    "value.margin": 0.30,
    "value.annual_discount_rate": 0.15,
    "retention.budget": 500.0,
    "retention.min_p_alive": 0.05,
    "retention.owner": "Retention team",
    "retention.actions.name": "5 dollar voucher by mail",
    "retention.actions.contact_cost": 0.50,
    "retention.actions.offer_cost": 5.00,
    "retention.actions.accept_rate": 0.15,
    "retention.actions.redeem_rate": 0.60,
}


def write_demo(folder: Path) -> Path:
    """Write the example's transactions and settings into `folder`; gives the settings file.

    A settings file that is there is kept, so that the example runs on when it has been edited.
    """
    settings = folder / FILE_NAME
    if settings.exists() and settings.read_text(encoding="utf-8") != settings_text(SETTINGS):
        log.info("kept your %s: it differs from the example's", settings)
    else:
        write_settings_file(settings, SETTINGS)
    _write_if_changed(folder / str(SETTINGS["transactions.source"]), cdnow().to_csv(index=False))
    return settings


def _write_if_changed(path: Path, text: str) -> None:
    """Leave a file that holds the text, so that its time still tells when it came to be."""
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def cdnow() -> pd.DataFrame:
    """Every purchase of the CDNOW cohort, as printed in lifetimes' file: text in every column.

    References
    ----------
    .. [1] Fader & Hardie (2001), Forecasting repeat sales at CDNOW, Interfaces 31(3).
    """
    package = find_spec("lifetimes")  # found, not imported: the import alters pandas' options
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the package lifetimes, which holds the example, is missing")
    path = Path(package.origin).parent / "datasets" / "CDNOW_master.txt"
    return pd.read_csv(path, sep=r"\s+", dtype=str)
