"""What happens at the door: identity stays in the identifiable zone, `raw` gets tokens and states in its place.

SQL expressions over the text and value layers of `typing_sql`; the table of docs/architecture.md ("The contract") says which.
"""

from __future__ import annotations

from linkage.sql import literal, literals
from orchestration.landing.contract import Column, Table
from orchestration.landing.typing_sql import text_name, value_name

#: Shape of every identity file, name -> DuckDB type.
IDENTITY_COLUMNS: dict[str, str] = {
    "record_token": "uuid",
    "source": "varchar",
    "table_name": "varchar",
    "load_seq": "integer",
    "is_deleted": "boolean",
    "nhs_number": "varchar",
    "superseded_nhs_number": "varchar",
    "nhs_number_status": "varchar",
    "title": "varchar",
    "given_name": "varchar",
    "middle_names": "varchar",
    "family_name": "varchar",
    "previous_family_name": "varchar",
    "birth_date": "date",
    "birth_date_text": "varchar",
    "sex": "varchar",
    "death_date": "date",
    "postcode": "varchar",
    "address_lines": "varchar",
    "uprn": "varchar",
    "phones": "varchar[]",
    "email": "varchar",
    "practice_code": "varchar",
    "ethnic_category_code": "varchar",
    "identity_valid_from": "date",
    "identity_valid_to": "date",
}

_PER_LOAD = ("source", "table_name", "load_seq", "is_deleted", "record_token")

_UNKNOWN_POSTCODES = ("ZZ993WZ", "ZZ993CZ", "ZZ993GZ", "ZZ991WZ", "ZZ992WZ")
_NO_FIXED_ABODE = "ZZ993VZ"


def digits_sql(text: str) -> str:
    """The digits of an NHS number, NULL when there are none."""
    return f"nullif(regexp_replace({text}, '[^0-9]', '', 'g'), '')"


def nhs_number_state_sql(text: str) -> str:
    """valid, invalid, placeholder or missing. Ten equal digits pass the modulus 11 check, so they are told apart first."""
    number = f"regexp_replace({text}, '[ -]', '', 'g')"
    total = " + ".join(f"(ascii(n[{i + 1}]) - 48) * {10 - i}" for i in range(9))
    return (
        f"case when {text} is null then 'missing' "
        f"when not regexp_full_match({number}, '[0-9]{{10}}') then 'invalid' "
        f"when {number} = repeat({number}[1], 10) then 'placeholder' "
        f"when list_transform([{number}], lambda n: (11 - ({total}) % 11) % 11 = ascii(n[10]) - 48)[1] then 'valid' "
        "else 'invalid' end"
    )


def postcode_key_sql(text: str) -> str:
    """Upper case without spaces."""
    return f"upper(replace({text}, ' ', ''))"


def postcode_state_sql(text: str) -> str:
    """valid, no_fixed_abode, unknown, overseas, invalid or missing."""
    code = postcode_key_sql(text)
    return (
        f"case when {text} is null then 'missing' when {code} = {literal(_NO_FIXED_ABODE)} then 'no_fixed_abode' "
        f"when {code} in ({literals(_UNKNOWN_POSTCODES)}) then 'unknown' when starts_with({code}, 'ZZ99') then 'overseas' "
        f"when regexp_full_match({code}, '[A-Z]{{1,2}}[0-9][0-9A-Z]?[0-9][A-Z]{{2}}|GIR0AA') then 'valid' else 'invalid' end"
    )


def local_id_sql(table: Table, message: str) -> str:
    """The parts of the record id joined with '|', out of the message of its token."""
    return f"substr({message}, {len(_record_prefix(table)) + 1})"


def message_sql(table: Table) -> dict[str, str]:
    """Expression of the message behind every token of `raw`, by the token's name; NULL where there is no token."""
    out: dict[str, str] = {}
    prefix = literal(_record_prefix(table))
    if table.has_records:
        out["record_token"] = f"{prefix} || {_joined([_part(column) for column in table.record_parts])}"
    leading = [_part(column) for column in table.record_parts[:-1]]
    for column in table.with_role("related_record_id"):
        out[f"{column.name}_token"] = f"{prefix} || {_joined([*leading, _part(column)])}"
    if postcodes := table.with_role("postcode"):
        text = text_name(postcodes[0])
        out["postcode_token"] = f"case when {postcode_state_sql(text)} = 'valid' then 'postcode|' || {postcode_key_sql(text)} end"
    if addresses := table.with_role("uprn"):
        # leading zeros come and go between suppliers
        out["address_token"] = f"'uprn|' || ltrim({text_name(addresses[0])}, '0')"
    return out


def state_sql(table: Table) -> dict[str, str]:
    """Expression of every other door column of `raw`, by name."""
    out: dict[str, str] = {}
    if numbers := table.with_role("nhs_number"):
        out["nhs_number_state"] = nhs_number_state_sql(text_name(numbers[0]))
    if births := table.with_role("birth_date"):
        out["birth_month"] = f"cast(date_trunc('month', {value_name(births[0])}) as date)"
    if postcodes := table.with_role("postcode"):
        out["postcode_state"] = postcode_state_sql(text_name(postcodes[0]))
    return out


def identity_sql(table: Table) -> dict[str, str]:
    """Expression of every column of the identity file that the table's roles can fill; the others stay NULL."""
    out: dict[str, str] = {}
    for role in IDENTITY_COLUMNS:
        columns = table.with_role(role)
        if not columns or role in _PER_LOAD:
            continue
        column = columns[0]
        if role in ("nhs_number", "superseded_nhs_number"):
            out[role] = digits_sql(text_name(column))
        elif IDENTITY_COLUMNS[role] == "date":
            out[role] = f"cast({value_name(column)} as date)"
        else:
            out[role] = text_name(column)
    if births := table.with_role("birth_date"):
        out["birth_date_text"] = text_name(births[0])
    if lines := table.with_role("address_line"):
        out["address_lines"] = f"nullif(concat_ws(', ', {', '.join(text_name(c) for c in lines)}), '')"
    if phones := table.with_role("phone"):
        out["phones"] = f"list_filter([{', '.join(text_name(c) for c in phones)}], lambda phone: phone is not null)"
    return out


def _record_prefix(table: Table) -> str:
    return f"record|{table.record_namespace}|"


def _part(column: Column) -> str:
    """One part of a record id as text: numbers without leading zeros, NHS numbers as digits, other ids as sent."""
    if column.data_type in ("integer", "bigint"):
        return f"cast({value_name(column)} as varchar)"
    if "nhs_number" in column.roles:
        return digits_sql(text_name(column))
    return text_name(column)


def _joined(parts: list[str]) -> str:
    return " || '|' || ".join(parts)
