"""Documents of the project as parts of a page: Markdown, and settings."""

import json
import re

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from s2snets.config import Study, models_in

OPEN = (
    "resize_mode",
    "pretrain.photos.loss_space",
    "pretrain.labelled.loss_space",
    "pretrain.photos.precision",
    "pretrain.labelled.precision",
    "finetune.images",
    "finetune.schedule",
    "finetune.weight_decay",
    "finetune.precision",
    "predict.clip",
    "information.bins",
    "information.channels",
    "information.average_method",
    "information.images",
    "seeds",
)
"""Settings that decide what the paper leaves undefined."""

SCROLLING = '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>'


def signal(text):
    """``A_V`` in running text as the paper sets it, safe for HTML."""
    return Markup(re.sub(r"\bA_(\w+)", r"<i>A</i><sub>\1</sub>", str(escape(text))))


def field(key):
    """The model field of a dotted key of the study's settings."""
    model = Study
    for name in key.split("."):
        found = model.model_fields[name]
        model = next(iter(models_in(found.annotation)), None)
    return found


def value(config, key):
    """What stands in plain settings under a dotted key."""
    for name in key.split("."):
        config = config[name]
    return config


def definitions(config):
    """The open definitions: key, value chosen, default, documentation.

    Args:
        config: the study's settings, plain and complete.
    """
    return [
        {
            "key": key,
            "value": json.dumps(value(config, key)),
            "default": json.dumps(field(key).default),
            "text": field(key).description,
        }
        for key in OPEN
    ]


def markdown(text, level):
    """A document as HTML, without its title, with its sections' headings at ``level``.

    Links become their text, since they lead to files beside the document; tables may
    scroll; raw HTML is shown as text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    for rule in ("link_open", "link_close", "image"):
        parser.add_render_rule(rule, lambda *_: "")
    parser.add_render_rule(
        "text", lambda _, tokens, at, *rest: signal(tokens[at].content)
    )
    parser.add_render_rule("table_open", lambda *_: SCROLLING)
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    tokens = parser.parse(text)
    if tokens and tokens[0].tag == "h1":
        tokens = tokens[3:]  # opened, its text, closed
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{int(token.tag[1]) + level - 2}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))
