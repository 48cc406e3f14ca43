"""What a report reads: tables, figures, costs. No rules here."""

from s2snets.config.depth import RANDOM, TRAINED
from s2snets.study.axes import CORPORA, INFORMED_BY, Axes

SEEDS = study.seeds
MAIN = Axes(study.main)
# A table of signal by depth in the report -> in its rule.
DEPTH = {
    "depth_losses": "losses",
    "depth_orders": "orders",
    "depth_pairs": "pairs",
    "depth_layers": "layer_table",
}
# A companion study's table -> the axis without which there is none.
COMPANIONS = {
    "selectivity": "reversed",
    "inversion": "inverted",
    "segmentation": "segmenters",
    "synthesis": "preferring",
}
TABLES = [
    "accuracy",
    "table1",
    "table2",
    "parts",
    "rrc",
    "information",
    "chains",
    "agreement",
    "orders",
    "correlations",
    "variance",
    "comparison",
]


def costs(axes):
    """Return the inputs of a study's costs: the jobs that take time.

    The rest are tables and drawings of seconds.
    """
    measured = [
        (rules.clean_photos, dict(batch=axes.batches)),
        (rules.pack_images, dict(set=axes.packed)),
        (rules.train_classifier, dict(classifier=axes.trained, seed=SEEDS)),
        (rules.export_classifier, dict(classifier=axes.exported, seed=SEEDS)),
        (rules.pretrain_autoencoder, dict(corpus=CORPORA, seed=SEEDS)),
        (
            rules.finetune_autoencoder,
            dict(
                part=axes.parts,
                classifier=axes.classifiers,
                seed=SEEDS,
            ),
        ),
        (
            rules.finetune_replicate,
            dict(
                part=axes.parts,
                classifier=axes.classifiers,
                seed=SEEDS,
                replicate=axes.replicates,
            ),
        ),
        (rules.predict, dict(source=axes.sources, seed=SEEDS)),
        (
            rules.predict_replicate,
            dict(
                source=axes.replicated,
                seed=SEEDS,
                replicate=axes.replicates,
            ),
        ),
        (
            rules.draw_classifier,
            dict(classifier=axes.looked_into, seed=SEEDS, repeat=axes.repeats),
        ),
        *(
            (
                rules.tune_for_layer,
                dict(
                    classifier=name,
                    depth=axes.depths(name, weights),
                    weights=weights,
                    seed=SEEDS,
                    repeat=axes.repeats,
                ),
            )
            for name in axes.looked_into
            for weights in (TRAINED, RANDOM)
        ),
        (
            rules.measure_depths,
            dict(
                classifier=axes.looked_into,
                weights=(TRAINED, RANDOM),
                seed=SEEDS,
                repeat=axes.repeats,
            ),
        ),
        (rules.compare_features, dict(seed=SEEDS)),
        (rules.train_denoiser, dict(seed=SEEDS if axes.learned_denoiser else [])),
        (rules.predict_denoised, dict(denoiser=study.denoise.methods, seed=SEEDS)),
        (rules.pretrain_lighter, dict(size=axes.lighter, seed=SEEDS)),
        (rules.predict_lighter, dict(size=axes.lighter, seed=SEEDS)),
        (rules.measure_color, dict(source=axes.main_sources, seed=SEEDS)),
        (rules.measure_information, dict(source=axes.main_sources, seed=SEEDS)),
        (
            rules.measure_replicate,
            dict(
                source=axes.tuned,
                seed=SEEDS,
                replicate=axes.replicates,
            ),
        ),
        (rules.reverse_network, dict(classifier=axes.reversed, seed=SEEDS)),
        (
            rules.train_inverse,
            dict(
                informed=INFORMED_BY if axes.inverted else [],
                seed=SEEDS,
            ),
        ),
        (rules.measure_inverse, dict(seed=SEEDS if axes.inverted else [])),
        (rules.segment, dict(segmenter=axes.segmenters, seed=SEEDS)),
        (rules.train_generator, dict(seed=SEEDS if "pretrained" in axes.modes else [])),
        (
            rules.synthesise,
            dict(mode=axes.modes, classifier=axes.preferring, seed=SEEDS),
        ),
        (rules.rank_images, dict(classifier=axes.preferring, seed=SEEDS[:1])),
    ]
    return dict(
        benchmarks=[benchmarks_of(jobs, **values) for jobs, values in measured],
        records=[collect(jobs.output.record, **values) for jobs, values in measured],
    )


def shown(axes, drawings):
    """Return the tables and figures in the report of a study."""
    tables = {table: f"<tables>/{table}.csv" for table in TABLES}
    for table, axis in COMPANIONS.items():
        tables[table] = f"<tables>/{table}.csv" if getattr(axes, axis) else []
    for table, output in DEPTH.items():
        found = rules.tabulate_depth.output[output]
        tables[table] = found if axes.looked_into else []
    return tables | dict(
        lattices="<tables>/lattices.json",
        distinct="<tables>/distinct-lattices.json",
        gallery="<tables>/gallery.npz",
        cleaning=rules.audit_photos.output.summary if study.clean else [],
        deviations=checkout_file("docs/deviations.md"),
        pretraining=f"<results>/seed-{SEEDS[0]}/autoencoders/pretrained/photos/record.json",
        figures=collect(
            "<figures>/{stem}.png",
            stem=[one.stem for one in drawings if one.figure.reported],
        ),
    )
