"""A page in Markdown and HTML: what a text holds is never taken for anything else."""

from __future__ import annotations

from html.parser import HTMLParser

from pixel_env.agents.benchmark.document import Link, Section, as_html, as_markdown

HOSTILE = "<script>alert(1)</script> | [x](javascript:y) \ud800\n# head"
PAGE = [
    Section(HOSTILE, HOSTILE, [("a", HOSTILE), (Link(HOSTILE, 'x"y/view.html#episode-1-0'), "1")]),
    Section("points", points=[HOSTILE]),
    Section("long", rows=[("head",), ("row",)], is_long=True),
]


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.texts.append(data)


def test_html_shows_every_text_as_text():
    reader = Reader()
    reader.feed(as_html(HOSTILE, PAGE))
    assert "script" not in reader.tags
    assert HOSTILE.replace("\ud800", "?") in reader.texts
    assert reader.links == ['x"y/view.html#episode-1-0']
    assert reader.tags.count("details") == 1
    assert not {"src", "link", "img"} & set(reader.tags)


def test_markdown_keeps_its_rows_and_holds_no_html():
    written = as_markdown("title", PAGE)
    table = [line for line in written.splitlines() if line.startswith("| ")]
    assert [line.replace(r"\|", "").count("|") for line in table] == [3, 3, 3, 2, 2, 2]
    assert "<script" not in written.replace(r"\<", "")
    assert "[x](" not in written.replace(r"\[", "")


def test_a_link_of_markdown_leads_on():
    written = as_markdown("title", [Section("s", rows=[("a",), (Link("b", "c/d.html#e"),)])])
    assert "| [b](c/d.html#e) |" in written
