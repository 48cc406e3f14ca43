"""Settings that decide what the paper leaves undefined, with their documentation."""

import json
from functools import reduce

from s2snets.config import Study

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
    "finetune.replicates",
    "predict.clip",
    "information.bins",
    "information.channels",
    "information.average_method",
    "information.images",
    "seeds",
)
"""Keys of the settings that the page lists."""


def open_definitions(study: Study) -> list[dict[str, str | None]]:
    """Return a row (key, value, default, text) for each setting in ``OPEN``.

    Value and default are JSON; the text is the setting's documentation.
    """
    rows = []
    for key in OPEN:
        *sections, name = key.split(".")
        section = reduce(getattr, sections, study)
        field = type(section).model_fields[name]
        rows.append(
            {
                "key": key,
                "value": json.dumps(getattr(section, name)),
                "default": json.dumps(field.default),
                "text": field.description,
            }
        )
    return rows
