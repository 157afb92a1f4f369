"""Which contract column a name stands for: order exports in English and four more languages."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class _Words:
    """Parts of names, the surest first, and parts that say a name means something else."""

    parts: str
    never: str = ""


PRICE = "price"
"""Not of the contract, but with a quantity it gives the amount."""

_SHARES = "percent prozent pct pourcent porcent rate satz quote taux tasa"

_WORDS = {
    "timestamp": _Words(
        "timestamp invoicedate orderdate purchasedate transactiondate rechnungsdatum bestelldatum "
        "kaufdatum auftragsdatum datecommande dateachat fechapedido fechacompra datum date fecha "
        "zeitpunkt datazakupu datasprzedazy datazamowienia datatransakcji data kiedy createdat "
        "time day",
        "birth geburt naissance nacimiento update modif deliver liefer ship versand livraison due",
    ),
    "customer_id": _Words(
        "customerid customerno customernumber customernr customercode kundennr kundennummer "
        "kundenid kdnr debitornr debitorennr clientid idclient codeclient numclient numeroclient "
        "nclient clienteid codigocliente codcliente numcliente customer kunde debitor client "
        "nrklienta numerklienta idklienta kodklienta klient nabywca "
        "household member user buyer acheteur comprador account email",
        "name nom mail phone tel city segment group gruppe since type typ country land ort agent",
    ),
    "order_id": _Words(
        "orderid orderno ordernumber ordernr bestellnr bestellnummer bestellungsnr bestellid "
        "auftragsnr auftragsnummer auftragnr rechnungsnr rechnungsnummer rechnungnr belegnr "
        "belegnummer bonnr invoiceid invoiceno invoicenumber transactionid receiptno ncommande "
        "idcommande numcommande numerocommande numfacture npedido nopedido idpedido numpedido "
        "numeropedido numfactura invoice order basket receipt transaction bestell auftrag "
        "rechnung beleg commande facture pedido factura ticket "
        "nrparagonu numerparagonu nrzamowienia numerzamowienia nrfaktury paragon zamowien faktur",
        "date datum data fecha time zeit status typ amount value total betrag wert orderline "
        "lineno position channel addres adress price preis montant importe qty quantit cantidad "
        "menge",
    ),
    "product_id": _Words(
        "productid productno productcode stockcode sku ean gtin artikelnr artikelnummer artikelid "
        "artnr materialnr itemid itemno itemcode articleid refproduit codeproduit idproduit "
        "codigoproducto codproducto idproducto product artikel article articulo produit producto "
        "item isbn asin kodtowaru kodproduktu indeks towar",
        "name bez beschr desc text price preis prix precio qty quantit cantidad menge count anzahl "
        "group gruppe grupa nazwa categ kateg",
    ),
    "quantity": _Words(
        "quantity quantite cantidad menge anzahl stuckzahl stueckzahl qty qte units unidades "
        "stuck stueck pieces ilosc sztuk",
        "price preis prix precio",
    ),
    "amount": _Words(
        "netamount amountnet nettobetrag nettoumsatz nettowert montantht montantnet importeneto "
        "lineamount linetotal amount umsatz betrag gesamtpreis positionswert montant importe "
        "wartoscnetto kwotanetto wartosc kwota "
        "revenue sales gesamt total spend summe netto ventas value wert",
        "tax steuer mwst discount rabatt remise descuento ship versand fracht fee gebuhr date "
        "status person channel unit einzel code quantit menge items margin marge cost kosten "
        "bewert",
    ),
    PRICE: _Words(
        "unitprice einzelpreis stuckpreis stueckpreis preisprostuck prixunitaire preciounitario "
        "cenajednostkowa price preis prix precio cena",
        "total gesamt list old",
    ),
    "category": _Words(
        "category categorie categoria kategorie warengruppe artikelgruppe produktgruppe "
        "productgroup productfamily grupatowarowa grupaproduktow department rayon famille familia",
        "customer kunde client user price preis code nr number",
    ),
    "channel": _Words(
        "saleschannel vertriebskanal vertriebsweg channel kanal canal",
        "marketing cost kosten",
    ),
    "discount": _Words(
        "discountamount rabattbetrag montantremise importedescuento discount rabatt nachlass "
        "remise rabais descuento sconto rabat znizka",
        f"{_SHARES} code coupon type typ name reason grund",
    ),
    "margin": _Words(
        "contributionmargin deckungsbeitrag grossprofit rohertrag margin marge margen profit",
        f"{_SHARES} name type typ center",
    ),
}
_SHORT = 3
_WORD = re.compile(r"[A-Z]?[a-zà-ÿ]+|[A-Z]+")


def recognise(names: Sequence[str], fits: Callable[[str, str], bool]) -> dict[str, str]:
    """Contract column, or price, to the name that stands for it; a name stands for one only.

    Parameters
    ----------
    names
        Columns of a source.
    fits
        Whether the values of a column, the second argument, can be those of the contract column.

    Examples
    --------
    >>> recognise(["Kunde", "Kunden-Nr.", "Menge"], lambda contract, name: True)
    {'customer_id': 'Kunden-Nr.', 'quantity': 'Menge'}
    """
    found: dict[str, str] = {}
    for contract, words in _WORDS.items():
        free = [name for name in names if name not in found.values()]
        matches = (
            name
            for part in words.parts.split()
            for name in sorted(free, key=lambda name: _folded(name) != part)
            if _stands_for(name, part, words.never.split()) and fits(contract, name)
        )
        first = next(matches, None)
        if first is not None:
            found[contract] = first
    return found


def _stands_for(name: str, part: str, never: list[str]) -> bool:
    """A part of a few letters must be a word of the name: "ean" is none of "mean"."""
    folded = _folded(name)
    if "%" in name:
        return False
    if folded == part:
        return True
    if any(word in folded for word in never):
        return False
    if len(part) > _SHORT:
        return part in folded
    return part in [_folded(word) for word in _WORD.findall(name)]


def _folded(name: str) -> str:
    """Small letters and digits alone, accents off: "N° de Pédido" is "ndepedido"."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l"))
    return "".join(character for character in plain if character.isalnum())
