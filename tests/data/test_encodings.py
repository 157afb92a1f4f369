import pytest

from patronage.data.encodings import likely_encoding, odd_words

HEADERS = {
    "German": ("Größe;Straße;Bestätigung;Überweisung", "cp1252"),
    "French": ("Numéro;Prix payé;Remise accordée;Forêt;Leçon;À Orléans", "cp1252"),
    "Spanish": ("Número;Año;Señor;Código", "cp1252"),
    "Swedish": ("Köpdatum;Åsa;Östersund;Återbetalning", "cp1252"),
    "Danish": ("Købsdato;Beløb;Århus;Æbler", "cp1252"),
    "Polish": ("Ilość;Wartość;Kanał;Łódź;Źródło", "cp1250"),
    "Polish of ISO": ("Ilość;Wartość;Kanał;Łódź;Źródło", "iso-8859-2"),
    "Czech": ("Zákazník;Částka;Množství;Příliš žluťoučký kůň", "cp1250"),
    "Hungarian": ("Vásárló;Összeg;Győr;Szűcs", "cp1250"),
    "Turkish": ("Müşteri;Alışveriş;İstanbul;Iğdır", "cp1254"),
    "Lithuanian": ("Pirkėjas;Išlaidų suma;Šiauliai;Dešimtąjį;Įmonė", "cp1257"),
    "Russian": ("Клиент;Дата покупки;Сумма;Москва", "cp1251"),
    "Greek": ("Πελάτης;Ημερομηνία;Ποσό;Αθήνα", "cp1253"),
}


@pytest.mark.parametrize(("text", "encoding"), HEADERS.values(), ids=HEADERS.keys())
def test_the_letters_of_a_language_tell_the_encoding(text, encoding):
    assert likely_encoding(odd_words([text.encode(encoding)])) == encoding


@pytest.mark.parametrize("word", ["Müller", "œuf", "à", "10 €", "\u201cquoted\u201d", "Café"])
def test_what_fits_several_is_taken_for_western_europe(word):
    assert likely_encoding(odd_words([word.encode("cp1252")])) == "cp1252"


def test_words_are_counted_once_and_without_end_of_ascii():
    assert odd_words([b"a;\xe9t\xe9;b", b"\xe9t\xe9;\x80uro"]) == [b"\xe9t\xe9", b"\x80uro"]
