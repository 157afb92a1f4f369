"""The words that are read as true and as false: those of most languages of Europe."""

TRUE_WORDS = (
    *("true", "t", "yes", "y", "1", "on", "ja", "j", "wahr", "oui", "o", "vrai"),
    *("si", "sí", "sì", "s", "verdadero", "vero", "sim", "verdadeiro", "waar"),
    *("tak", "prawda", "ano", "áno", "pravda", "igen", "i", "igaz", "evet", "e", "doğru"),
    *("da", "adevărat", "kyllä", "k", "tosi", "sant", "sand", "sandt", "jah", "taip", "jā"),
)
FALSE_WORDS = (
    *("false", "f", "no", "n", "0", "off", "nein", "falsch", "non", "faux"),
    *("falso", "não", "nao", "nee", "onwaar"),
    *("nie", "fałsz", "ne", "nepravda", "nem", "hamis", "hayır", "h", "yanlış", "nu", "fals"),
    *("nej", "nei", "ei", "epätosi", "falskt", "falsk", "usant", "nē"),
)
"""In small letters; a value's own letters may be of any case."""

FLAG_HINT = (
    f"Read as true: {', '.join(TRUE_WORDS)}; as false: {', '.join(FALSE_WORDS)}; empty: not known. "
    "Write other words as one of these in the export, or leave the column unmapped."
)


def word_list(words: tuple[str, ...]) -> str:
    """The words as SQL takes a list.

    Examples
    --------
    >>> word_list(("ja", "oui"))
    "('ja', 'oui')"
    """
    return "('" + "', '".join(words) + "')"
