"""Markdown documents of the project as parts of the page."""

from markdown_it import MarkdownIt
from markupsafe import Markup

from s2snets.report.formatting import typeset_signals

SCROLLING_TABLE = (
    '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>'
)


def markdown_to_html(text: str, level: int) -> Markup:
    """Return a document as HTML, without its title, with its sections at ``level``.

    Links become their text, since they lead to files beside the document. Wide tables
    can be scrolled. Raw HTML is shown as text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    for rule in ("link_open", "link_close", "image"):
        parser.add_render_rule(rule, lambda *_: "")
    parser.add_render_rule(
        "text", lambda _, tokens, at, *rest: typeset_signals(tokens[at].content)
    )
    parser.add_render_rule("table_open", lambda *_: SCROLLING_TABLE)
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    tokens = parser.parse(text)
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]  # its opening, text and closing
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{int(token.tag[1]) + level - 2}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))
