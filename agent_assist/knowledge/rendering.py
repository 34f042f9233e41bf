"""Bodies as HTML that no browser runs anything of."""

from typing import Final

import nh3
from markdown_it import MarkdownIt

_TAGS: Final = frozenset(
    {"p", "br", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "a"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
)


def rendered(body: str) -> str:
    """A body's Markdown as HTML; HTML in it is shown as text, and only links to the web and to mail stay."""
    found = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    return nh3.clean(found, tags=set(_TAGS), attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"})
