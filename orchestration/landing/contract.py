"""The source contract: what a supplier's extract must look like, and what happens to each column at the door.

A contract *is* the dbt source YAML (`dbt_project/models/staging/<source>/_<source>__sources.yml`). dbt reads it for lineage and
tests; this module reads the facts dbt does not know, kept under `config.meta.contract` of the source, of each table and of each
column. Unknown keys are refused, because dbt itself lets a misspelt key pass in silence.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

DataType = Literal["varchar", "integer", "bigint", "double", "boolean", "date", "timestamp"]

#: Roles that exist only in the identifiable zone: the column itself never reaches `raw`.
#: The value is what `raw` gets instead (column names), nothing for most.
DOOR_ROLES: dict[str, tuple[str, ...]] = {
    "record_id": ("record_token",),
    "related_record_id": (),  # becomes <column>_token
    "nhs_number": ("nhs_number_state",),
    "superseded_nhs_number": (),
    "title": (),
    "given_name": (),
    "middle_names": (),
    "family_name": (),
    "previous_family_name": (),
    "birth_date": ("birth_month",),
    "address_line": (),
    "postcode": ("postcode_token", "postcode_state"),
    "uprn": ("address_token",),
    "phone": (),
    "email": (),
}

#: Roles that linkage also reads, and that stay in `raw` as ordinary content.
#: `record_scope` is the organisation within which a local id is unique: it stays readable and is prefixed, in contract order,
#: to the record_id parts, so that one GUID in two practices gives two record tokens.
SHARED_ROLES = frozenset(
    {
        "record_scope",
        "sex",
        "death_date",
        "practice_code",
        "ethnic_category_code",
        "nhs_number_status",
        "identity_valid_from",
        "identity_valid_to",
    }
)

#: Technical columns that landing adds to every raw table.
RAW_COLUMNS: dict[str, str] = {
    "_load_seq": "integer",
    "_delivery_date": "date",
    "_window": "varchar",
    "_line": "bigint",
    "_row_hash": "ubigint",
    "_is_deleted": "boolean",
}


class ContractError(Exception):
    """A contract file that cannot be used; the message says which file and which key."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


StringList = Annotated[list[str], BeforeValidator(_as_list)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileFormat(_Strict):
    """How the bytes of a table's files are read."""

    kind: Literal["csv", "xml"] = "csv"
    delimiter: str = ","
    quote: str = '"'
    encoding: Literal["utf-8", "cp1252"] = "utf-8"
    header: bool = True
    columns: Literal["by_name", "by_position"] = "by_name"
    #: by_position only: the number of fields every record has.
    width: int | None = None
    #: xml only: the element that is one row; its child elements and attributes are the columns.
    row_element: str | None = None
    #: xml only: attributes of enclosing elements that each row inherits, as {column header: enclosing element name}.
    inherit: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _coherent(self) -> FileFormat:
        if self.kind == "xml" and not self.row_element:
            raise ValueError("format.kind xml needs format.row_element")
        if self.kind == "csv" and not self.header and self.columns != "by_position":
            raise ValueError("a file without a header must be read with format.columns by_position")
        if self.columns == "by_position" and self.width is None:
            raise ValueError("format.columns by_position needs format.width")
        return self


class Deleted(_Strict):
    """Which rows are deletes: the column (our name) and the values, compared without case, that say so."""

    column: str
    values: StringList


class Manifest(_Strict):
    """A file that travels with a delivery and says, per table file, whether it is full or delta and which window it covers."""

    file: str
    encoding: Literal["utf-8", "cp1252"] = "utf-8"
    table_column: str
    delta_column: str
    delta_values: StringList = ["Y"]
    from_column: str
    to_column: str
    datetime_format: str


class Batch(_Strict):
    """What makes a delivery of this source complete, and what makes it follow the one before."""

    #: Every table marked `required` must be in the delivery; otherwise the whole delivery is held.
    complete: bool = False
    #: Named groups of the file pattern that number the deliveries: `from` must be the previous `to` + 1.
    sequence_from: str | None = None
    sequence_to: str | None = None
    #: Named groups of the file pattern that tell independent chains of deliveries apart (a sharing agreement, for example).
    chain: StringList = []
    manifest: Manifest | None = None


class OrganisationNames(_Strict):
    """The table in which a supplier says which of its own ids is which organisation code."""

    table: str
    id: str
    code: str


class SourceTerms(_Strict):
    """`config.meta.contract` of a source."""

    supplier: str
    steward: str
    legal_basis: Literal["direct_care", "secondary_use", "reference"]
    cadence: Literal["daily", "weekly", "monthly", "quarterly", "on_change"]
    stale_after_days: int
    max_bad_row_share: float = Field(default=0.02, ge=0, le=1)
    #: The share of rows expected to come without a valid NHS number, against which the checks judge (None: not judged).
    missing_nhs_number_share: float | None = Field(default=None, ge=0, le=1)
    batch: Batch = Batch()
    #: What names the organisation that shares the data, wherever it is the first part of a table's window: a column, or
    #: `file:<group>`. None: the source is shared as a whole.
    organisation: str | None = None
    #: Where the supplier's ids of organisations are not their codes.
    organisation_names: OrganisationNames | None = None
    #: Sources that our own steps write (linkage, operations) have a contract but no landing.
    internal: bool = False


class TableTerms(_Strict):
    """`config.meta.contract` of a table. Column names are ours; `file:<group>` names a group of the file pattern."""

    file: str
    format: FileFormat = FileFormat()
    required: bool = True
    key: list[str]
    #: How a delivery of this table replaces what is held: `full` empties the window first, `delta` upserts by key,
    #: `manifest` asks the source's manifest, `bulk_then_delta` is full for the first delivery of a window and delta afterwards.
    mode: Literal["full", "delta", "manifest", "bulk_then_delta"]
    window: list[str] = Field(default_factory=list)
    #: Columns that order two versions of one key before the delivery order does (a CDS applicable date, for example).
    order_by: list[str] = Field(default_factory=list)
    deleted: Deleted | None = None
    #: One row that cannot be used refuses the file, and so does a file without rows where rows are held: a list of people is
    #: right as a whole or not at all, and what comes instead of it may be an error message.
    all_or_nothing: bool = False
    #: Older versions stay readable after compaction, for models that ask how the row stood on a past day.
    keep_history: bool = False
    #: Namespace of the record token; tables of one source that carry the same local ids share it.
    record_namespace: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.file, re.IGNORECASE)


class ColumnTerms(_Strict):
    """`config.meta.contract` of a column."""

    header: str | None = None
    aliases: StringList = []
    position: int | None = None
    #: The column must be in the file's header; a delivery without it is refused.
    required: bool = True
    #: False: a row without a value is quarantined.
    nullable: bool = True
    #: strptime formats tried in order, for dates and timestamps.
    format: StringList = []
    #: Values, besides blank, that mean "nothing".
    null_values: StringList = []
    #: Published values; others are landed and reported by the checks.
    values: list[str] = []
    minimum: float | str | None = None
    maximum: float | str | None = None
    #: The date says when something happened, so it cannot lie after the delivery.
    event_date: bool = False
    identity: StringList = []
    #: Never leaves landing, not even to the identifiable zone (free text).
    drop: bool = False


class Column(_Strict):
    """One column of a supplier's table: our name, our type, and what happens to it at the door."""

    name: str
    description: str
    data_type: DataType
    terms: ColumnTerms

    @property
    def header(self) -> str:
        return self.terms.header or self.name

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header this column answers to, the supplier's present name first."""
        return (self.header, *self.terms.aliases)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self.terms.identity)

    @property
    def is_identity_only(self) -> bool:
        return bool(self.roles & DOOR_ROLES.keys())


class Table(_Strict):
    """One table of a source, and what `raw` holds of it."""

    source: str
    name: str
    description: str
    terms: TableTerms
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise ContractError(f"{self.source}.{self.name} has no column {name!r}")

    def with_role(self, role: str) -> tuple[Column, ...]:
        """Columns that carry an identity role, in contract order."""
        return tuple(c for c in self.columns if role in c.roles)

    @property
    def record_namespace(self) -> str:
        return self.terms.record_namespace or self.source

    @property
    def has_records(self) -> bool:
        return bool(self.with_role("record_id"))

    @property
    def record_parts(self) -> tuple[Column, ...]:
        """Columns whose values, in this order, make the record token: the scope first, then the local id."""
        return self.with_role("record_scope") + self.with_role("record_id")

    @property
    def carries_identity(self) -> bool:
        """True when the table tells linkage something beyond the record id."""
        return any(c.roles - {"record_id", "record_scope", "related_record_id", "sex", "practice_code"} for c in self.columns)

    @property
    def content_columns(self) -> tuple[Column, ...]:
        """Columns that reach `raw` as they are (typed)."""
        return tuple(c for c in self.columns if not c.is_identity_only and not c.terms.drop)

    @property
    def door_columns(self) -> dict[str, str]:
        """Columns that `raw` gets in place of identity, name -> DuckDB type."""
        out: dict[str, str] = {}
        if self.with_role("record_id"):
            out["record_token"] = "uuid"
        for column in self.with_role("related_record_id"):
            out[f"{column.name}_token"] = "uuid"
        if self.with_role("nhs_number"):
            out["nhs_number_state"] = "varchar"
        if self.with_role("birth_date"):
            out["birth_month"] = "date"
        if self.with_role("postcode"):
            out["postcode_token"] = "uuid"
            out["postcode_state"] = "varchar"
        if self.with_role("uprn"):
            out["address_token"] = "uuid"
        return out

    @property
    def raw_columns(self) -> dict[str, str]:
        """Every column of the raw table, name -> DuckDB type, in order."""
        return self.door_columns | {c.name: c.data_type for c in self.content_columns} | RAW_COLUMNS

    @property
    def raw_key(self) -> tuple[str, ...]:
        """The key in raw column names: an identity column of the key is covered by its token."""
        key: list[str] = []
        for name in self.terms.key:
            tokens = {
                "record_id": "record_token",
                "related_record_id": f"{name}_token",
                "postcode": "postcode_token",
                "uprn": "address_token",
            }
            raw = next((token for role, token in tokens.items() if role in self.column(name).roles), name)
            if raw not in key:
                key.append(raw)
        return tuple(key)

    @model_validator(mode="after")
    def _coherent(self) -> Table:
        where = f"{self.source}.{self.name}"
        names = {c.name for c in self.columns}
        if len(names) != len(self.columns):
            raise ValueError(f"{where}: a column is listed twice")
        needed = list(self.terms.key) + [w for w in self.terms.window if not w.startswith("file:")]
        needed += self.terms.order_by + ([self.terms.deleted.column] if self.terms.deleted else [])
        for name in needed:
            if name not in names:
                raise ValueError(f"{where}: {name!r} is named by the contract but is not a column")
        groups = set(self.terms.pattern.groupindex)
        for name in self.terms.window:
            if name.startswith("file:") and name.removeprefix("file:") not in groups:
                raise ValueError(f"{where}: window {name!r} is not a group of the file pattern {self.terms.file!r}")
        known = DOOR_ROLES.keys() | SHARED_ROLES
        for column in self.columns:
            for role in column.roles - known:
                raise ValueError(f"{where}.{column.name}: unknown identity role {role!r}; one of {sorted(known)}")
            if self.terms.format.columns == "by_position" and column.terms.position is None:
                raise ValueError(f"{where}.{column.name}: needs a position, the file is read by position")
            if column.data_type in ("date", "timestamp") and not column.terms.format:
                raise ValueError(f"{where}.{column.name}: a {column.data_type} needs a format")
        return self


class Source(_Strict):
    """A supplying system: its terms, its tables and the file that says so."""

    name: str
    description: str
    terms: SourceTerms
    tables: tuple[Table, ...]
    path: Path

    def table(self, name: str) -> Table:
        for table in self.tables:
            if table.name == name:
                return table
        raise ContractError(f"source {self.name} has no table {name!r}")


def _read_yaml(path: Path) -> Any:
    # libyaml's loader reads a contract ten times as fast; the wheel has it on every common platform
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


def _terms(entry: dict[str, Any]) -> dict[str, Any]:
    return ((entry.get("config") or {}).get("meta") or {}).get("contract") or {}


def read_contract(path: Path) -> Source:
    """Read one `_<source>__sources.yml`.

    Raises `ContractError` naming the file and the key when the YAML is not a usable contract.
    """
    try:
        document = _read_yaml(path)
        (entry,) = document["sources"]
        return Source(
            name=entry["name"],
            description=entry.get("description", ""),
            terms=SourceTerms(**_terms(entry)),
            tables=tuple(_read_table(entry["name"], table) for table in entry["tables"]),
            path=path,
        )
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ContractError(f"{path}: {details}") from error
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ContractError(f"{path}: not a source contract ({error})") from error


def _read_table(source: str, entry: dict[str, Any]) -> Table:
    columns = tuple(
        Column(
            name=column["name"],
            description=column.get("description", ""),
            data_type=column["data_type"],
            terms=ColumnTerms(**_terms(column)),
        )
        for column in entry["columns"]
    )
    terms = _terms(entry)
    if not terms:
        raise ValueError(f"{source}.{entry['name']}: config.meta.contract is missing")
    return Table(
        source=source,
        name=entry["name"],
        description=entry.get("description", ""),
        terms=TableTerms(**terms),
        columns=columns,
    )


def read_contracts(staging_dir: Path) -> dict[str, Source]:
    """Read every contract below `dbt_project/models/staging`, by source name in alphabetical order.

    Sources marked `internal` (written by our own steps) are left out.
    Raises `ContractError` when one cannot be read or two share a name.
    """
    sources: dict[str, Source] = {}
    for path in sorted(staging_dir.glob("*/_*__sources.yml")):
        if _is_internal(path):
            continue
        source = read_contract(path)
        if source.name in sources:
            raise ContractError(f"{path}: source {source.name!r} is already described by {sources[source.name].path}")
        sources[source.name] = source
    return sources


def _is_internal(path: Path) -> bool:
    document = _read_yaml(path) or {}
    return any(_terms(entry).get("internal") for entry in document.get("sources", []))
