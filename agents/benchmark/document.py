"""A page of headings, paragraphs and tables, written as Markdown and as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to another page beside this one.

    Attributes:
        text: what is shown.
        target: a relative address, quoted.
    """

    text: str
    target: str


Text = str | Link
"""What a cell of a table holds."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page.

    Attributes:
        title: its heading.
        text: a paragraph under it; "" for none.
        rows: a table, the heads first; empty for none.
        points: a list behind the table.
        is_long: whether the table is folded away in HTML.
    """

    title: str
    text: str = ""
    rows: Sequence[Sequence[Text]] = ()
    points: Sequence[str] = ()
    is_long: bool = False


def as_markdown(title: str, sections: Sequence[Section]) -> str:
    """Writes a page as Markdown; whatever a text holds is shown as text."""
    parts = [f"# {_plain(title)}\n"]
    for each in sections:
        parts.append(f"## {_plain(each.title)}\n")
        if each.text:
            parts.append(f"{_plain(each.text)}\n")
        if each.rows:
            heads, *body = each.rows
            lines = [heads, ("---",) * len(heads), *body]
            parts.append("\n".join(_row(line) for line in lines) + "\n")
        if each.points:
            parts.append("\n".join(f"- {_plain(point)}" for point in each.points) + "\n")
    return "\n".join(parts)


def as_html(title: str, sections: Sequence[Section]) -> str:
    """Writes a page as HTML that loads nothing; whatever a text holds is shown as text."""
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{_safe(title)}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{_safe(title)}</h1>",
    ]
    for each in sections:
        parts.append(f"<h2>{_safe(each.title)}</h2>")
        if each.text:
            parts.append(f"<p>{_safe(each.text)}</p>")
        if each.rows:
            table = _table(each.rows)
            count = len(each.rows) - 1
            parts.append(
                f"<details><summary>{count} items</summary>{table}</details>"
                if each.is_long
                else table
            )
        if each.points:
            items = "".join(f"<li>{_safe(point)}</li>" for point in each.points)
            parts.append(f"<ul>{items}</ul>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _row(cells: Sequence[Text]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(cell: Text) -> str:
    if isinstance(cell, Link):
        return f"[{_plain(cell.text)}]({cell.target})"
    return _plain(cell)


def _plain(text: str) -> str:
    """Escapes what Markdown would take for a table's border, a link, HTML or code."""
    line = " ".join(_writable(text).split())
    return re.sub(r"([\\|\[\]<`*])", r"\\\1", line)


def _safe(text: str) -> str:
    return escape(_writable(text))


def _writable(text: str) -> str:
    """Replaces half a surrogate pair, which no file can hold, by a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _table(rows: Sequence[Sequence[Text]]) -> str:
    heads, *body = rows
    lines = [f"<tr>{''.join(f'<th>{_element(cell)}</th>' for cell in heads)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{_element(cell)}</td>' for cell in row)}</tr>" for row in body]
    return f"<div><table>{''.join(lines)}</table></div>"


def _element(cell: Text) -> str:
    if isinstance(cell, Link):
        return f'<a href="{_safe(cell.target)}">{_safe(cell.text)}</a>'
    return _safe(cell)


_STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 80rem; margin: 0 auto; padding: 0 1rem 3rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
p, li { max-width: 46rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem .2rem 0; text-align: right; border-bottom: 1px solid #8884;
  vertical-align: top; }
th { font-weight: 600; opacity: .75; }
th:first-child, td:first-child { text-align: left; }
summary { cursor: pointer; }
"""
