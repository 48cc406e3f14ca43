"""Claims of section 3.3: accuracy on reconstructions, before and after fine-tuning."""

from math import nan

from s2snets.claims.claim import Margins, Test, accuracy_gains, accuracy_losses
from s2snets.claims.evidence import Estimate, Tables, Untestable


def decoder_is_best_part(tables: Tables) -> Margins:
    """Return top-1 with the decoder tuned less that with the other parts tuned."""
    scores = {}
    for _, row in tables.table("parts").iterrows():
        low, high = row.get("top1_low", nan), row.get("top1_high", nan)
        scores[row["part"], row["classifier"]] = Estimate(row["top1"], low, high)
    margins = {
        f"{name}: decoder against {part}": scores["decoder", name] - score
        for (part, name), score in scores.items()
        if part != "decoder" and ("decoder", name) in scores
    }
    if not margins:
        raise Untestable("only one part of the autoencoder was fine-tuned")
    return margins


def lenet_is_lowest(tables: Tables) -> Margins:
    """Return every classifier's top-1 on originals less LeNet-5's."""
    lenet, others = tables.ours_and_others("L")
    lowest = tables.clean(lenet, "original")
    return {name: tables.clean(name, "original") - lowest for name in others}


TESTS: dict[str, Test] = {
    "decoder-is-best-part": decoder_is_best_part,
    "lenet-is-lowest": lenet_is_lowest,
    "pretrained-costs-top1": accuracy_losses("A_S"),
    "pretrained-costs-top5": accuracy_losses("A_S", score="top5"),
    "pretrained-cost-is-small": lambda tables: {
        name: tables.change(name, "A_S") + 0.05 for name in tables.classifiers
    },
    "finetuning-recovers-loss": accuracy_gains("A_i"),
    "finetuning-improves-on-pretrained": accuracy_gains("A_i", "A_S"),
    "finetuning-surpasses-top1": accuracy_gains("A_i"),
    "finetuning-surpasses-top5": accuracy_gains("A_i", score="top5"),
}
