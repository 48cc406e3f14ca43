"""What a stage of the study is: inputs, outputs, options and settings, declared once.

From the declaration follow its command line, the command of its rule, the settings in
the rule's ``params``, the record of a result and the key of resumable work.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import sys
import time
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from s2snets.config import Settings, Study, explain
from s2snets.runtime import run_lock
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import remove_chunks, sha256, write_json
from s2snets.runtime.fingerprint import fingerprint
from s2snets.runtime.records import make_record
from s2snets.runtime.slurm import launch_on_all_gpus

Model = TypeVar("Model", bound=Settings)
StageType = TypeVar("StageType", bound="Stage")


class Role(Enum):
    """What a field of a stage is to Snakemake."""

    INPUT = "input"
    OUTPUT = "output"
    OPTION = "params"
    EXECUTION = "execution"  # how it runs, which changes no result


InputFile = Annotated[Path, Role.INPUT]
OutputFile = Annotated[Path, Role.OUTPUT]


class Flag(BaseModel):
    """One option of a stage's command line."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: str
    role: Role
    several: bool
    optional: bool
    choices: tuple[str, ...]
    help: str | None

    @property
    def option(self) -> str:
        """The option as it is typed."""
        return "--" + self.name.replace("_", "-")

    @property
    def placeholder(self) -> str:
        """What Snakemake fills in."""
        if self.name == "threads":
            return "{threads}"
        return f"{{{self.role.value}.{self.name}:q}}"


def leaves(annotation: Any) -> list[Any]:
    """Return the types and roles inside an annotation, without containers."""
    if get_origin(annotation) is Annotated:
        inner, *roles = get_args(annotation)
        return [*leaves(inner), *roles]
    if get_origin(annotation) in (list, Union, types.UnionType):
        return [one for part in get_args(annotation) for one in leaves(part)]
    return [annotation]


class Stage(BaseModel):
    """One step of the study: files and settings in, files out.

    A subclass declares its fields and ``run``; the first line of its docstring is the
    help of its command. Inputs and outputs are ``InputFile`` and ``OutputFile``, also
    in lists or optional; every other field is an option, which the rule gives as one of
    its ``params``, and ``settings`` is JSON there. A subclass is importable without
    torch or pandas: ``run`` imports what it uses, and calls no other method, since only
    ``run`` and what it refers to count when code changes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: ClassVar[str] = "python -m s2snets.stages"

    def run(self) -> Mapping[str, object] | None:
        """Make the outputs from the inputs; may return facts for the record."""
        raise NotImplementedError

    @classmethod
    def is_complete(cls) -> bool:
        """Return whether the class is a stage, and not a base of stages."""
        return "run" in vars(cls)

    @classmethod
    def command_name(cls) -> str:
        """Return the name of the stage's command, such as ``train_classifier``."""
        letters = (f"_{one.lower()}" if one.isupper() else one for one in cls.__name__)
        return "".join(letters).lstrip("_")

    @classmethod
    def declaration(cls, command: str) -> str:
        """Return text that the module of a command's class contains."""
        return f"class {command.title().replace('_', '')}("

    @classmethod
    def flags(cls) -> list[Flag]:
        """Return the options of the command line, in the order of the fields."""
        found = []
        for name, field in cls.model_fields.items():
            kinds = [*leaves(field.annotation), *field.metadata]
            role = next((one for one in kinds if isinstance(one, Role)), Role.OPTION)
            literals = [one for one in kinds if get_origin(one) is Literal]
            found.append(
                Flag(
                    name=name,
                    role=role,
                    several=get_origin(field.annotation) is list,
                    optional=not field.is_required(),
                    choices=tuple(str(v) for one in literals for v in get_args(one)),
                    help=field.description,
                )
            )
        return found

    @classmethod
    def command(cls) -> str:
        """Return the shell command of the stage's rule, with Snakemake's placeholders.

        The number of threads is no part of ``params``: another one reruns nothing.
        """
        words = [cls.program, cls.command_name()]
        for flag in cls.flags():
            if flag.role is not Role.EXECUTION or flag.name == "threads":
                words += [flag.option, flag.placeholder]
        return " ".join([*words, "> {log:q} 2>&1"])

    @classmethod
    def code(cls) -> str:
        """Return the fingerprint of the stage's code."""
        return fingerprint(cls.run)

    @classmethod
    def settings_model(cls) -> type[Settings] | None:
        """Return the type of the stage's settings; None where it has none."""
        field = cls.model_fields.get("settings")
        return cast("type[Settings]", field.annotation) if field else None

    @classmethod
    def settings_for(cls, study: Study) -> Settings | None:
        """Return what the stage reads of a study's settings; None for nothing.

        By default it is the section of the settings' type, or a field of its settings
        is the study's of the same name. A subclass takes wildcards of its rule as
        further keyword arguments, by their names.
        """
        model = cls.settings_model()
        if model is None:
            return None
        sections = [one for one in (study, *vars(study).values()) if type(one) is model]
        return sections[0] if sections else select(model, study)

    @classmethod
    def settings_json(cls, study: Study, wildcards: Mapping[str, str]) -> str:
        """Return the settings as JSON in a fixed order: reordered YAML reruns nothing.

        Args:
            study: the study's settings.
            wildcards: of the rule; those are used that ``settings_for`` takes.
        """
        taken = inspect.signature(cls.settings_for).parameters
        values = {name: value for name, value in wildcards.items() if name in taken}
        settings = cls.settings_for(study, **values)
        return json.dumps(settings and settings.model_dump(mode="json"))

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """Return the stage that a command line asks for.

        Raises:
            UserError: a bad value, with its option.
        """
        parser = argparse.ArgumentParser(
            prog=f"{cls.program} {cls.command_name()}",
            allow_abbrev=False,
            description=(cls.__doc__ or "").partition("\n")[0],
        )
        for flag in cls.flags():
            parser.add_argument(
                flag.option,
                nargs="*" if flag.several else "?" if flag.optional else None,
                required=not flag.optional,
                default=argparse.SUPPRESS,
                choices=flag.choices or None,
                help=flag.help,
            )
        given = vars(parser.parse_args(arguments))
        given = {name: value for name, value in given.items() if value is not None}
        model = cls.settings_model()
        try:
            if model is not None:
                given["settings"] = model.model_validate_json(given["settings"])
        except ValidationError as error:
            raise UserError(explain(error, "--settings")) from None
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise UserError(explain(error, "command line")) from None

    def cache_key(self, **digests: object) -> dict[str, object]:
        """Return all that decides the result: code, settings, options and inputs.

        Args:
            digests: digests of inputs that are not hashed as files, by field.
        """
        key: dict[str, object] = {"code": self.code()}
        for flag in self.flags():
            value = getattr(self, flag.name)
            if flag.name in digests:
                key[flag.name] = digests[flag.name]
            elif flag.role is Role.INPUT:
                paths = value if isinstance(value, list) else [value]
                key[flag.name] = [path and sha256(path) for path in paths]
            elif isinstance(value, Settings):
                plain = value.model_dump(mode="json")
                key |= {f"{flag.name}.{one}": plain[one] for one in plain}
            elif flag.role is Role.OPTION:
                key[flag.name] = value
        return key

    def execute(self) -> None:
        """Run the stage, and write its record where it declares one."""
        if lock := os.environ.get(run_lock.VARIABLE):
            run_lock.join_run(lock)
        started = time.monotonic()
        facts = self.run()
        path = getattr(self, "record", None)
        if path is not None:
            settings = getattr(self, "settings", None)
            record = make_record(
                self.command_name(),
                settings and settings.model_dump(mode="json"),
                getattr(self, "seed", None),
                self.code(),
                started,
            )
            write_json(path, record | dict(facts or {}))
        for flag in self.flags():
            if flag.role is Role.OUTPUT:
                remove_chunks(getattr(self, flag.name))

    @classmethod
    def main(cls, arguments: Sequence[str] | None = None) -> None:
        """Parse a command line and execute the stage."""
        cls.parse(sys.argv[1:] if arguments is None else arguments).execute()


def select(model: type[Model], study: Study, **values: object) -> Model:
    """Return a part of a study's settings.

    Args:
        model: settings whose fields are the study's of the same names.
        study: the study's settings.
        values: values of further fields, or in the place of the study's.
    """
    names = [name for name in model.model_fields if name not in values]
    shared = {name: getattr(study, name) for name in names if hasattr(study, name)}
    return model(**shared, **values)


Threads = Annotated[
    int,
    Role.EXECUTION,
    Field(ge=1, description="threads, or decoding processes on a GPU"),
]
Seed = Annotated[int, Field(ge=0, description="seed of everything random")]


class TrainingStage(Stage):
    """A stage that trains a network, on one process or many.

    It resumes from its checkpoint, and goes back into Slurm's queue when its time is
    nearly over.
    """

    images: InputFile
    weights: OutputFile
    curve: OutputFile
    record: OutputFile
    seed: Seed = 0
    threads: Threads = 1
    save_every: Annotated[float, Role.EXECUTION] = Field(
        60.0, ge=0, description="seconds between checkpoints"
    )
    devices: Annotated[int | None, Role.EXECUTION] = Field(
        None,
        ge=1,
        description="processes on each node; default: one for each GPU of the job",
    )
    nodes: Annotated[int, Role.EXECUTION] = Field(
        1, ge=1, description="machines that train together"
    )

    def execute(self) -> None:
        """Run the stage in a process for each GPU of its Slurm job."""
        launch_on_all_gpus()
        super().execute()


def load_subclasses(
    package: types.ModuleType, base: type[StageType], containing: str = ""
) -> list[type[StageType]]:
    """Return every complete subclass that the modules of a package declare.

    Args:
        package: its modules are imported, except ``__main__``.
        base: the class whose subclasses are wanted.
        containing: only modules whose source contains this text are imported.
    """
    for folder in package.__path__:
        for path in sorted(Path(folder).glob("[!_]*.py")):
            if containing in path.read_text(encoding="utf-8"):
                importlib.import_module(f"{package.__name__}.{path.stem}")
    found, queue = [], [base]
    while queue:
        subclasses = queue.pop().__subclasses__()
        queue += subclasses
        found += subclasses
    inside = f"{package.__name__}."
    return [
        one for one in found if one.is_complete() and one.__module__.startswith(inside)
    ]


def run_named(
    package: types.ModuleType, base: type[Stage], arguments: Sequence[str]
) -> None:
    """Execute the stage that the first argument names; list them all for ``--help``.

    Only the stage's own module is imported, so that it starts fast.

    Raises:
        UserError: there is no such stage.
    """
    name, *rest = arguments or ["--help"]
    for stage in load_subclasses(package, base, base.declaration(name)):
        if stage.command_name() == name:
            return stage.main(rest)
    stages = {one.command_name(): one for one in load_subclasses(package, base)}
    if name not in ("-h", "--help"):
        raise UserError(f"no {name!r}; there are {', '.join(sorted(stages))}")
    print(f"usage: {base.program} NAME [options]\n")
    for known, stage in sorted(stages.items()):
        print(f"  {known:24}{(stage.__doc__ or '').partition(chr(10))[0]}")
