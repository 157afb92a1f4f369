"""Which encoding a text has that is no UTF-8: the one whose letters spell a language."""

import re
from collections.abc import Iterable

from patronage.table_settings import Encoding

_ALPHABETS: dict[Encoding, tuple[str, ...]] = {
    "cp1252": (
        *("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "àèéìíòóù", "àáâãçéêíóôõúü", "åäöéü"),
        *("æøåéü", "áéëïíóöúü", "áðéíóúýþæö"),
    ),
    "cp1250": (
        *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű", "áäčďéíĺľňóôŕšťúýž", "čćđšž"),
        "ăâîşţ",
    ),
    "iso-8859-2": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű", "áäčďéíĺľňóôŕšťúýž", "čćđšž"),
    "cp1254": ("çğıöşüâîûİ",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"),
    "cp1251": (
        "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    ),
    "cp1253": ("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",),
}
"""Small letters beyond English, for each language that is written so; the most common first."""

_NEUTRAL = frozenset("€£§°·«»–—‘’‚“”„…•™®©\xa0½¼№²³µªº")
_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_MOST_WORDS = 5_000
_GREEK = "\u0370"  # this and what follows is no Latin letter


def odd_words(chunks: Iterable[bytes]) -> list[bytes]:
    """Different words with a byte beyond ASCII, at most 5,000."""
    found: dict[bytes, None] = {}
    for chunk in chunks:
        found.update(dict.fromkeys(_WORD.findall(chunk)))
        if len(found) >= _MOST_WORDS:
            break
    return list(found)[:_MOST_WORDS]


def likely_encoding(words: list[bytes]) -> Encoding:
    """The encoding in which most letters are those of one language; in doubt that of Windows.

    Examples
    --------
    >>> likely_encoding(["Kanał".encode("cp1250"), "Wartość".encode("cp1250")])
    'cp1250'
    >>> likely_encoding(["Größe".encode("cp1252")])
    'cp1252'
    """
    scores = {
        encoding: max(_spelt(_decoded(words, encoding), one) for one in alphabets)
        for encoding, alphabets in _ALPHABETS.items()
    }
    return max(scores, key=scores.__getitem__)


def _decoded(words: list[bytes], encoding: str) -> list[str]:
    return [word.decode(encoding, errors="replace") for word in words]


def _spelt(words: list[str], alphabet: str) -> float:
    """How many signs beyond ASCII are letters of the alphabet, less those that are not."""
    letters = frozenset(alphabet + alphabet.upper())
    return sum(
        1 if sign in letters and _may_stand(word, place) else -1
        for word in words
        for place, sign in enumerate(word)
        if not sign.isascii() and sign not in _NEUTRAL
    )


def _may_stand(word: str, place: int) -> bool:
    """Not a capital after a small letter, nor a letter of another script among Latin ones."""
    capital = place > 0 and word[place].isupper() and word[place - 1].islower()
    mixed = word[place] >= _GREEK and any(sign.isascii() for sign in word)
    return not (capital or mixed)
