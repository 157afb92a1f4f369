import pytest

from patronage.data.column_names import recognise

HEADERS = {
    "Online Retail": (
        ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID"],
        {
            "timestamp": "InvoiceDate",
            "customer_id": "Customer ID",
            "order_id": "Invoice",
            "product_id": "StockCode",
            "quantity": "Quantity",
            "price": "Price",
        },
    ),
    "German shop": (
        ["Bestell-Nr", "Kundenname", "Kundennr", "Geburtsdatum", "Rechnungsdatum", "Artikelnr"]
        + ["Artikelbezeichnung", "Menge", "Einzelpreis", "Gesamtpreis", "MwSt-Betrag"],
        {
            "timestamp": "Rechnungsdatum",
            "customer_id": "Kundennr",
            "order_id": "Bestell-Nr",
            "product_id": "Artikelnr",
            "quantity": "Menge",
            "amount": "Gesamtpreis",
            "price": "Einzelpreis",
        },
    ),
    "German orders": (
        ["Auftragsnr", "Kunden-Nr.", "Datum", "EAN", "Anzahl", "Umsatz"],
        {
            "timestamp": "Datum",
            "customer_id": "Kunden-Nr.",
            "order_id": "Auftragsnr",
            "product_id": "EAN",
            "quantity": "Anzahl",
            "amount": "Umsatz",
        },
    ),
    "German invoices": (
        ["Rechnungsnr", "Lieferdatum", "Bestelldatum", "Kunde", "SKU", "Stück", "Umsatzsteuer"]
        + ["Nettobetrag"],
        {
            "timestamp": "Bestelldatum",
            "customer_id": "Kunde",
            "order_id": "Rechnungsnr",
            "product_id": "SKU",
            "quantity": "Stück",
            "amount": "Nettobetrag",
        },
    ),
    "French": (
        ["N° commande", "Nom du client", "Client", "Date", "Quantité", "Prix", "Montant"],
        {
            "timestamp": "Date",
            "customer_id": "Client",
            "order_id": "N° commande",
            "quantity": "Quantité",
            "amount": "Montant",
            "price": "Prix",
        },
    ),
    "Spanish": (
        ["Nº pedido", "Fecha", "Cliente", "Artículo", "Cantidad", "Precio", "Importe"],
        {
            "timestamp": "Fecha",
            "customer_id": "Cliente",
            "order_id": "Nº pedido",
            "product_id": "Artículo",
            "quantity": "Cantidad",
            "amount": "Importe",
            "price": "Precio",
        },
    ),
    "snake case": (
        ["updated_at", "order_status", "order_id", "order_date", "user_id", "total_amount", "tax"],
        {
            "timestamp": "order_date",
            "customer_id": "user_id",
            "order_id": "order_id",
            "amount": "total_amount",
        },
    ),
    "English lines": (
        ["customer_id", "date", "amount", "product_category", "channel", "Discount %"]
        + ["discount_amount", "gross_profit", "qty", "customer_category"],
        {
            "timestamp": "date",
            "customer_id": "customer_id",
            "quantity": "qty",
            "amount": "amount",
            "category": "product_category",
            "channel": "channel",
            "discount": "discount_amount",
            "margin": "gross_profit",
        },
    ),
    "German lines": (
        ["Kundennr", "Datum", "Umsatz", "Warengruppe", "Vertriebskanal", "Rabatt (%)", "Rabatt"]
        + ["Deckungsbeitrag", "Menge", "Artikelnr", "Margensatz"],
        {
            "timestamp": "Datum",
            "customer_id": "Kundennr",
            "product_id": "Artikelnr",
            "quantity": "Menge",
            "amount": "Umsatz",
            "category": "Warengruppe",
            "channel": "Vertriebskanal",
            "discount": "Rabatt",
            "margin": "Deckungsbeitrag",
        },
    ),
    "French lines": (
        ["Client", "Date", "Montant", "Catégorie", "Canal", "Remise", "Marge", "Taux de remise"],
        {
            "timestamp": "Date",
            "customer_id": "Client",
            "amount": "Montant",
            "category": "Catégorie",
            "channel": "Canal",
            "discount": "Remise",
            "margin": "Marge",
        },
    ),
    "Spanish lines": (
        ["Cliente", "Fecha", "Importe", "Categoría", "Canal", "Descuento", "Margen"],
        {
            "timestamp": "Fecha",
            "customer_id": "Cliente",
            "amount": "Importe",
            "category": "Categoría",
            "channel": "Canal",
            "discount": "Descuento",
            "margin": "Margen",
        },
    ),
    "nothing known": (["a", "b", "mean"], {}),
}


@pytest.mark.parametrize(("names", "expected"), HEADERS.values(), ids=HEADERS.keys())
def test_names_of_exports_are_recognised(names, expected):
    assert recognise(names, lambda contract, name: True) == expected


@pytest.mark.parametrize("name", ["order_qty", "OrderQty", "Qty.", "QTY ordered"])
def test_a_short_part_is_a_word_of_the_name(name):
    assert recognise([name], lambda contract, name: True) == {"quantity": name}


def test_a_name_whose_values_do_not_fit_is_passed_over():
    names = ["total", "Sales"]
    assert recognise(names, lambda contract, name: name != "total") == {"amount": "Sales"}
