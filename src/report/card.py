"""What a model card is made of, and its two forms: a page and Markdown."""

import re
from dataclasses import dataclass, field

from patronage.report.pictures import Picture
from patronage.report.templates import template


@dataclass(frozen=True)
class CardTable:
    """A table of texts; all columns but the first hold numbers, those after `numbers` words."""

    head: list[str]
    rows: list[list[str]]
    note: str = ""
    numbers: int = 99


@dataclass(frozen=True)
class CardSection:
    """A part of the card, shown in this order: texts, facts, tables, charts."""

    title: str
    texts: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    tables: list[CardTable] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


@dataclass(frozen=True)
class Card:
    """A model card: title, summary and sections."""

    title: str
    summary: str
    sections: list[CardSection]

    def html(self) -> str:
        """One page that needs no network; every text is escaped."""
        return template("model_card.html.j2").render(card=self)

    def markdown(self) -> str:
        """The same without the charts, which lie beside it; every text is escaped."""
        lines = [f"# {_plain(self.title)}", "", _plain(self.summary), ""]
        for section in self.sections:
            lines += [f"## {_plain(section.title)}", "", *_lines(section)]
        return "\n".join(lines).rstrip() + "\n"


def _lines(section: CardSection) -> list[str]:
    lines = [line for text in section.texts for line in (_plain(text), "")]
    if section.items:
        lines += [*(f"- {_plain(item)}" for item in section.items), ""]
    if section.facts:
        lines += [*_table(["", ""], [list(fact) for fact in section.facts]), ""]
    for table in section.tables:
        lines += [*_table(table.head, table.rows), ""]
        lines += [_plain(table.note), ""] if table.note else []
    return [*lines, *(line for one in section.pictures for line in (_plain(one.reading), ""))]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    body = [f"| {' | '.join(map(_plain, row))} |" for row in (head, *rows)]
    return [body[0], "| --- " * len(head) + "|", *body[1:]]


def _plain(text: str) -> str:
    """Text that Markdown takes for nothing but text, on one line."""
    return re.sub(r"([\\`*\[\]|<>~])", r"\\\1", " ".join(text.split())).replace("\\<", "&lt;")
