"""The words that are read as true and as false: English, German, French, Spanish and neighbours."""

TRUE_WORDS = (
    *("true", "t", "yes", "y", "1", "on", "ja", "j", "wahr", "oui", "o", "vrai"),
    *("si", "sí", "sì", "s", "verdadero", "vero", "sim", "verdadeiro", "waar"),
)
FALSE_WORDS = (
    *("false", "f", "no", "n", "0", "off", "nein", "falsch", "non", "faux"),
    *("falso", "não", "nao", "nee", "onwaar"),
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
