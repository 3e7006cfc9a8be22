"""A cohort as somebody who does not write SQL defines it: a YAML file, read strictly.

A definition is who belongs: criteria joined by `all`, `any` and `not`. This module knows the shape of a file; whether a code
exists is for the release to say (`cohort_query`). Nothing in a file is taken for anything but a value: no tags, no references, no
unknown keys.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

#: Care settings, as `person_activity_month` names them.
Setting = Literal[
    "gp", "emergency_department", "inpatient", "outpatient", "community", "mental_health", "social_care", "housing",
    "voluntary_sector",
]  # fmt: skip

#: A place in a document: keys and list positions from the top.
Where = tuple[str | int, ...]

_DEEPEST = 20
_MOST_NODES = 2_000
_LARGEST_FILE = 200_000


class CohortError(Exception):
    """A definition cannot be used, or not against this release; the message says where and what to do, one line a fault."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,)


def _as_any_of(value: Any) -> Any:
    return value if isinstance(value, dict) else {"any_of": value}


Text = Annotated[str, Field(min_length=1, max_length=200)]
#: One value or a list of them; any of them will do.
Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1, max_length=500)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Months = Annotated[int, Field(ge=1, le=60)]


class Span(_Strict):
    """Whole numbers from one to another, both included; one of them may be left out."""

    from_: Count | None = Field(default=None, alias="from")
    to: Count | None = None

    @model_validator(mode="after")
    def _is_a_span(self) -> Span:
        if self.from_ is None and self.to is None:
            raise ValueError("say `from`, `to` or both")
        if self.from_ is not None and self.to is not None and self.from_ > self.to:
            raise ValueError(f"`from` ({self.from_}) is above `to` ({self.to})")
        return self


class Area(_Strict):
    """Where people are registered (practice, pcn, place) or live (borough, lsoa): each key that is given must hold."""

    practice: Texts | None = None
    pcn: Texts | None = None
    place: Texts | None = None
    borough: Texts | None = None
    lsoa: Texts | None = None

    @model_validator(mode="after")
    def _names_an_area(self) -> Area:
        if not self.model_fields_set:
            raise ValueError("name a practice, pcn, place, borough or lsoa")
        return self


class Conditions(_Strict):
    """On at least `at_least` of these registers today; `began_within_months` counts from the day the register holds from."""

    any_of: Texts
    at_least: Annotated[int, Field(ge=1)] = 1
    began_within_months: Annotated[int, Field(ge=1, le=1_200)] | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> Conditions:
        if self.at_least > len(set(self.any_of)):
            raise ValueError(f"`at_least` is {self.at_least}, and any_of names {len(set(self.any_of))}")
        return self


class Score(_Strict):
    """A score in one of the bands, or between two values, both included."""

    code: Text
    band: Texts | None = None
    at_least: float | None = Field(default=None, strict=False, allow_inf_nan=False)
    at_most: float | None = Field(default=None, strict=False, allow_inf_nan=False)

    @model_validator(mode="after")
    def _asks_something(self) -> Score:
        if self.band is None and self.at_least is None and self.at_most is None:
            raise ValueError("say `band`, `at_least` or `at_most`")
        return self


class Segment(_Strict):
    """In one of these segments of a scheme, as the one they count in, at the last month end."""

    scheme: Text
    code: Texts


class Activity(_Strict):
    """So many contacts in the months to the run's month, that month among them; a missed appointment is none."""

    setting: Annotated[tuple[Setting, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    emergency_only: bool = False
    at_least: Count | None = None
    at_most: Count | None = None
    months: Months

    @model_validator(mode="after")
    def _asks_something(self) -> Activity:
        if self.at_least is None and self.at_most is None:
            raise ValueError("say `at_least` or `at_most`")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"`at_least` ({self.at_least}) is above `at_most` ({self.at_most})")
        return self


class Criterion(_Strict):
    """One thing to be met: exactly one of its fields is set. What is not known is not met."""

    all: Annotated[tuple[Criterion, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    any: Annotated[tuple[Criterion, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    not_: Criterion | None = Field(default=None, alias="not")
    age: Span | None = None
    sex: Annotated[tuple[Literal["female", "male"], ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    ethnic_group: Texts | None = None
    deprivation_decile: Span | None = None
    area: Area | None = None
    registered: bool | None = None
    condition: Annotated[Conditions, BeforeValidator(_as_any_of)] | None = None
    score: Score | None = None
    segment: Segment | None = None
    cohort: Texts | None = None
    activity: Activity | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Criterion:
        given = [name.rstrip("_") for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise ValueError(
                f"one criterion is expected here, found {found}; join several with `all` or `any`, each after a dash"
            )
        return self

    @property
    def kind(self) -> str:
        """The key that the criterion has in the file."""
        return next(field.alias or name for name, field in type(self).model_fields.items() if getattr(self, name) is not None)

    @property
    def value(self) -> Any:
        """What the file says under the key."""
        return next(getattr(self, name) for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def parts(self) -> tuple[Criterion, ...]:
        """Criteria inside this one; none when it is a leaf."""
        if self.not_ is not None:
            return (self.not_,)
        return self.all or self.any or ()


class Definition(_Strict):
    """A cohort: what it is called, and who belongs to it."""

    name: Text
    version: Annotated[Text, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
    description: Annotated[str, Field(max_length=2_000)] = ""
    owner: Annotated[str, Field(max_length=200)] = ""
    who: Criterion


#: Keys allowed inside each key, for suggestions.
_MODELS: Mapping[str, type[BaseModel]] = {
    "who": Criterion, "all": Criterion, "any": Criterion, "not": Criterion, "age": Span, "deprivation_decile": Span, "area": Area,
    "condition": Conditions, "score": Score, "segment": Segment, "activity": Activity,
}  # fmt: skip

_IN_WORDS = {
    "missing": "this must be there, and is not",
    "string_type": "text is expected; write a code that looks like a number, a date or yes/no in quotes",
    "int_type": "a whole number is expected",
    "int_parsing": "a whole number is expected",
    "float_type": "a number is expected",
    "bool_type": "true or false is expected",
    "model_type": "lines of `key: value` are expected here",
    "tuple_type": "a list is expected",
    "too_short": "at least one value is expected",
}


@dataclass(frozen=True)
class Document:
    """A definition and where each part of it stands in its file."""

    path: Path
    definition: Definition
    positions: Mapping[Where, tuple[int, int]]

    def fault(self, at: Where, what: str) -> str:
        """A fault in one line: file, line, column, what."""
        return _fault(self.path, _position(self.positions, at), what)


def read_definition(path: Path) -> Document:
    """Read a file. Raises `CohortError` with every fault, each with file, line and column."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise CohortError(f"{path} is larger than {_LARGEST_FILE:,} bytes: a definition is short")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CohortError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}") from error
    values, positions = _plain_values(path, text)
    if not isinstance(values, dict):
        raise CohortError(f"{path} is no cohort definition: `phm cohort new` writes one to begin with")
    try:
        definition = Definition.model_validate(values)
    except ValidationError as error:
        faults = [_explain(path, positions, dict(each)) for each in error.errors(include_url=False, include_input=False)]
        raise CohortError("\n".join(dict.fromkeys(faults))) from error
    return Document(path, definition, positions)


def leaves(criterion: Criterion, at: Where = ("who",), *, is_negated: bool = False) -> Iterator[tuple[Criterion, Where, bool]]:
    """Every criterion that holds no others, in order: where it stands, and whether the definition asks for its opposite."""
    if not criterion.parts:
        yield criterion, at, is_negated
    elif criterion.not_ is not None:
        yield from leaves(criterion.not_, (*at, "not"), is_negated=not is_negated)
    else:
        for number, part in enumerate(criterion.parts):
            yield from leaves(part, (*at, criterion.kind, number), is_negated=is_negated)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Names near a word, as the end of a sentence; else some of those there are."""
    names = sorted(set(known))
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(word.casefold(), folded, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(folded[name] for name in near)}?"
    if not names:
        return "there are none"
    return f"there are {', '.join(names[:12])}{f' and {len(names) - 12} more' if len(names) > 12 else ''}"


def _plain_values(path: Path, text: str) -> tuple[Any, dict[Where, tuple[int, int]]]:
    """A document as dictionaries, lists and scalars, with the line and column (from 1) of every key and value."""
    positions: dict[Where, tuple[int, int]] = {}
    loader = yaml.SafeLoader(text)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise CohortError(
                    _fault(path, _mark(event.start_mark), "references (& and *) are not allowed here: write the part out")
                )
        node = loader.get_single_node()
        return (None if node is None else _values_of(path, loader, node, (), positions)), positions
    except yaml.MarkedYAMLError as error:
        where = _mark(error.problem_mark or error.context_mark)
        hint = "; a text with a colon or a quote in it goes in quotes, and lines are indented with spaces"
        raise CohortError(_fault(path, where, f"{error.problem or error.context}{hint}")) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CohortError(f"{path} is no YAML that can be read: {type(error).__name__}") from error
    finally:
        loader.dispose()


def _values_of(path: Path, loader: yaml.SafeLoader, node: yaml.Node, at: Where, positions: dict[Where, tuple[int, int]]) -> Any:
    positions.setdefault(at, _mark(node.start_mark))
    if len(at) > _DEEPEST or len(positions) > _MOST_NODES:
        raise CohortError(_fault(path, _mark(node.start_mark), "the definition is too deep or too long to be read by people"))
    if isinstance(node, yaml.SequenceNode):
        return [_values_of(path, loader, each, (*at, number), positions) for number, each in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            if not key or key in values:
                what = (
                    f"{key!r} is there twice; join criteria with `all` or `any`, each after a dash"
                    if key
                    else "a key is expected"
                )
                raise CohortError(_fault(path, _mark(key_node.start_mark), what))
            positions[(*at, key)] = _mark(key_node.start_mark)
            values[key] = _values_of(path, loader, value_node, (*at, key), positions)
        return values
    return loader.construct_object(node)


def _explain(path: Path, positions: Mapping[Where, tuple[int, int]], error: Mapping[str, Any]) -> str:
    """A fault that pydantic found, in our words, at its place."""
    at = tuple(error["loc"])
    last = at[-1] if at else ""
    if error["type"] == "extra_forbidden":
        model = next((_MODELS[key] for key in reversed(at[:-1]) if key in _MODELS), Definition)
        known = [field.alias or name for name, field in model.model_fields.items()]
        what = f"there is no key {last!r} here; {did_you_mean(str(last), known)}"
    elif error["type"] == "literal_error":
        what = f"{error['ctx']['expected']} is expected"
    elif error["type"] == "value_error":
        what = str(error["ctx"]["error"])
    elif error["type"] == "missing":
        what = f"the key {last!r} must be there, and is not"
    else:
        what = _IN_WORDS.get(error["type"], str(error["msg"])[:1].lower() + str(error["msg"])[1:])
    return _fault(path, _position(positions, at), what)


def _position(positions: Mapping[Where, tuple[int, int]], at: Sequence[str | int]) -> tuple[int, int]:
    """Where a part stands; for a part that the file leaves unsaid, where the part around it does."""
    wanted = tuple(at)
    if wanted not in positions and "any_of" in wanted:
        wanted = tuple(key for key in wanted if key != "any_of")
    while wanted not in positions and wanted:
        wanted = wanted[:-1]
    return positions.get(wanted, (1, 1))


def _fault(path: Path, position: tuple[int, int], what: str) -> str:
    return f"{path.name}, line {position[0]}, column {position[1]}: {what}"


def _mark(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
