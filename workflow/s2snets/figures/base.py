"""What a figure of the study is, for its rule, the report and the documentation."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import Field

import s2snets.figures
from s2snets.config import Figures, Study
from s2snets.runtime.fingerprint import fingerprint
from s2snets.study.axes import Axes
from s2snets.study.stage import InputFile, OutputFile, Role, Stage, load_subclasses

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MplFigure


__all__ = ["Axes", "Figures", "InputFile", "Study"]  # for the figures' modules


class Drawing(NamedTuple):
    """One file that a figure draws for a study."""

    figure: type[Figure]
    stem: str
    inputs: dict[str, str | list[str]]  # with Snakemake's path variables

    @property
    def rule(self) -> str:
        """Name of its rule."""
        return self.stem.replace("-", "_")


def table(name: str, columns: Iterable[str] = ()) -> Any:
    """Declare an input that is one of the study's tables.

    Args:
        name: of the file, such as ``noise.csv``.
        columns: names of those that a CSV must have.
    """
    return Field(
        json_schema_extra={"path": f"<tables>/{name}", "columns": list(columns)}
    )


def first_seed_path(axes: Axes, name: str) -> str:
    """Return the path of a file of the study's first seed, such as ``reversed/V.npz``.

    Figures of single images show one seed.
    """
    return f"<results>/seed-{axes.seeds[0]}/{name}"


def score_name(study: Study) -> str:
    """Return what top-1 measures: accuracy, or agreement where there are no labels."""
    if study.reference == "predictions":
        return "agreement with its own prediction on the original"
    return "accuracy"


def input_options(wildcards: object, input: Mapping[str, str | list[str]]) -> str:
    """Return named inputs as a command line has them: ``--name path path``."""
    options = []
    for name, paths in input.items():
        option = "--" + name.replace("_", "-")
        options += [option, *([paths] if isinstance(paths, str) else paths)]
    return shlex.join(options)


def read_input(path: Path, columns: Iterable[str] = ()) -> Any:
    """Return a table as a DataFrame, arrays as a dict, a JSON document as it is."""
    from s2snets.runtime.files import read_json
    from s2snets.runtime.tables import read_arrays, read_csv

    if path.suffix == ".csv":
        return read_csv(path, columns)
    return read_arrays(path) if path.suffix == ".npz" else read_json(path)


def first_input(*inputs: Any) -> Any:
    """Return the first input."""
    return inputs[0]


class Figure(Stage):
    """A figure: what it reads, what is said of it, and how it is drawn.

    A subclass declares its inputs with ``table``, and is importable without numpy,
    pandas and matplotlib: functions import what they use.

    Attributes:
        stem: name of its files and, with underscores, of its rule.
        section: heading of the report below which it stands.
        title: heading in the report.
        alternative_text: what a reader who cannot see it needs.
        draw: (*inputs, settings) -> matplotlib's figure.
        rows: (*inputs, settings) -> DataFrame of what is drawn; by default the first
            input.
        needs: axis of the study without which there is no such figure.
        reported: whether the report has room for it.
    """

    program: ClassVar[str] = "python -m s2snets.figures"
    stem: ClassVar[str]
    section: ClassVar[str]
    title: ClassVar[str]
    alternative_text: ClassVar[str]
    needs: ClassVar[str] = "classifiers"
    reported: ClassVar[bool] = True
    draw: ClassVar[Callable[..., MplFigure]]
    rows: ClassVar[Callable[..., pd.DataFrame]] = staticmethod(first_input)

    pdf: OutputFile
    png: OutputFile
    csv: OutputFile
    settings: Figures

    @classmethod
    def command_name(cls) -> str:
        """Return the name of its command: that of its files."""
        return cls.stem

    @classmethod
    def declaration(cls, command: str) -> str:
        """Return text that the module of a command's class contains."""
        return f'stem = "{command}"'

    @classmethod
    def code(cls) -> str:
        """Return the fingerprint of all that draws the figure."""
        return fingerprint(cls)

    @classmethod
    def is_complete(cls) -> bool:
        """Return whether the class is a figure, and not a base of figures."""
        return "stem" in vars(cls)

    @classmethod
    def caption(cls, study: Study) -> str:
        """Return what the figure shows and how to read it, as reStructuredText."""
        raise NotImplementedError

    @classmethod
    def applies(cls, axes: Axes) -> bool:
        """Return whether a study has the figure."""
        return bool(getattr(axes, cls.needs))

    @classmethod
    def inputs(cls, axes: Axes) -> dict[str, str | list[str]]:
        """Return the paths of its inputs by name: those that ``table`` declares."""
        return {
            name: str(field.json_schema_extra["path"])
            for name, field in cls.model_fields.items()
            if isinstance(field.json_schema_extra, dict)
        }

    @classmethod
    def drawings(cls, axes: Axes) -> list[Drawing]:
        """Return what the figure draws for a study: one file, or none."""
        if not cls.applies(axes):
            return []
        return [Drawing(cls, cls.stem, cls.inputs(axes))]

    @classmethod
    def any_command(cls) -> str:
        """Return the shell command of every figure's rule, which has its own inputs.

        Rules that are made in a loop cannot have commands of their own.
        """
        words = [cls.program, "{params.figure} {params.inputs}"]
        for flag in Figure.flags():
            words += [flag.option, flag.placeholder]
        return " ".join([*words, "> {log:q} 2>&1"])

    def read(self, name: str) -> Any:
        """Return the content of one input; a subclass may read it in its own way."""
        declared = type(self).model_fields[name].json_schema_extra
        columns: Any = declared["columns"] if isinstance(declared, dict) else ()
        return read_input(getattr(self, name), columns)

    def run(self) -> None:
        """Read the inputs, draw them, write PDF, PNG and a CSV of what is drawn."""
        import matplotlib

        from s2snets.figures.style import THEME
        from s2snets.runtime.files import replacing
        from s2snets.runtime.tables import write_csv

        inputs = [
            self.read(flag.name) for flag in self.flags() if flag.role is Role.INPUT
        ]
        with matplotlib.rc_context(THEME):
            figure = type(self).draw(*inputs, self.settings)
            with replacing(self.pdf) as draft:
                figure.savefig(draft, metadata={"CreationDate": None})
            with replacing(self.png) as draft:
                figure.savefig(draft)
        write_csv(type(self).rows(*inputs, self.settings), self.csv)


def all_figures() -> dict[str, type[Figure]]:
    """Return every figure of the library by its stem."""
    return {one.stem: one for one in load_subclasses(s2snets.figures, Figure)}


def study_drawings(axes: Axes) -> list[Drawing]:
    """Return everything that is drawn for a study."""
    figures = all_figures().values()
    return [drawing for figure in figures for drawing in figure.drawings(axes)]
