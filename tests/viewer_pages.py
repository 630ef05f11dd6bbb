"""What the viewer's pages hold, for tests: the index in the page, the data beside it."""

import json
import re
from pathlib import Path


def index_of(page: Path) -> dict:
    """Returns the index that a written page holds."""
    found = re.search(r'id="index">([^<]*)</script>', page.read_text(encoding="utf-8"))
    return json.loads(found[1])


def details_of(page: Path) -> list[dict]:
    """Returns the episodes of the data files beside a page, in order."""
    index = index_of(page)
    if "all" in index:
        return index["all"]
    found = []
    for number in range(len(list((page.parent / index["data"]).iterdir()))):
        text = (page.parent / index["data"] / f"{number}.js").read_text(encoding="utf-8")
        head, _, rest = text.partition(",")
        assert head == f"loaded({number}"
        found += json.loads(rest.removesuffix(")\n"))
    return found
