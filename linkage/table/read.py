"""A table as somebody keeps it, brought to one form: `subject`, one row a record, text columns that fields compare.

Values are folded and taken apart, hardly ever judged: in a table of unknown origin an impossible date is still more likely to be
a slip in somebody's date of birth than nothing at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from linkage.errors import LinkageError
from linkage.spec import LinkageSpec
from linkage.sql import ident, literal
from linkage.standardise import create_macros
from linkage.table.columns import Columns

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

#: What programs and clerks write where nothing is known. Names have their own placeholders, and some are called Na or None.
_NOTHING_IN_A_NAME = ("n/a", "#n/a", "<na>", "nan")
_NOTHING = (*_NOTHING_IN_A_NAME, "na", "null", "none", "unknown", "not known", "-", "--", "?", ".")
_NAME_ROLES = frozenset({"given_name", "middle_names", "family_name", "full_name"})

#: A birth date is a habit of the table, not a fact, when records of more names than this have it, and than this share of
#: all records.
CROWDED_DATE_RECORDS = 40
CROWDED_DATE_SHARE = 0.02


@dataclass(frozen=True)
class Table:
    """A file of records. `name` tells two files apart in what is written; it is never a path."""

    path: Path
    name: str


def file_sql(path: Path) -> str:
    """SQL that reads a CSV or Parquet file, by its ending."""
    if path.suffix.lower() in (".parquet", ".pq"):
        return f"read_parquet({literal(path)})"
    return f"read_csv({literal(path)}, header = true, all_varchar = true, nullstr = '', quote = '\"', strict_mode = false)"


def header(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The columns of a CSV or Parquet file. Raises `LinkageError` when it cannot be read or has no rows."""
    if not path.is_file():
        raise LinkageError(f"{path} is not a file")
    if path.stat().st_size == 0:
        raise LinkageError(f"{path} is empty; a CSV file needs a header line and at least one record")
    try:
        names = [row[0] for row in connection.execute(f"describe select * from {file_sql(path)}").fetchall()]
        (n_rows,) = connection.execute(f"select count(*) from {file_sql(path)}").fetchone()
    except duckdb.Error as error:
        hint = "; it is not UTF-8: save it as that" if "unicode" in str(error).lower() else ""
        raise LinkageError(f"{path} cannot be read as CSV or Parquet: {str(error).splitlines()[0]}{hint}") from error
    if len(names) == 1 and re.search(r"[,;\t|]", names[0]):
        raise LinkageError(f"{path}: its rows do not all have as many fields as its header, {names[0]!r}")
    if n_rows == 0:
        raise LinkageError(f"{path} has a header and no records")
    return names


def read(connection: duckdb.DuckDBPyConnection, tables: list[tuple[Table, Columns]], spec: LinkageSpec, as_of: date) -> None:
    """Make `subject` from one table or two, numbered (`n`) from 0 in the order of their files and rows.

    Raises `LinkageError` when two records of one file have the same id.
    """
    create_macros(connection, spec)
    _create_macros(connection, as_of)
    selects = []
    for number, (table, columns) in enumerate(tables):
        selects.append(f"select {number} as file_no, * from ({_raw(table, columns)})")
    connection.execute("create or replace temp table raw as " + " union all by name ".join(selects))
    _refuse_repeated_ids(connection, tables)
    _take_apart(connection)


def _raw(table: Table, columns: Columns) -> str:
    """Mapped columns as text under fixed names; every line of an address and every text keeps a column of its own."""
    parts = {role: [_said(c, is_name=role in _NAME_ROLES) for c in names] for role, names in columns.items()}
    # an id is given back letter for letter
    parts |= {"record_id": [f"nullif(trim(cast({ident(c)} as varchar)), '')" for c in columns.get("record_id", ())]}
    selects = []
    for role, sql in parts.items():
        if not sql:
            continue
        if role.startswith(("text:", "number:")):
            selects.append(f"{sql[0]} as {ident(role.replace(':', '_').lower())}")
        elif role in ("address", "identifier", "phone"):
            selects += [f"{one} as {role}_{i}" for i, one in enumerate(sql)]
        elif len(sql) > 1:
            selects.append(f"nullif(concat_ws(' ', {', '.join(sql)}), '') as {role}")
        else:
            selects.append(f"{sql[0]} as {role}")
    if "record_id" not in columns:
        selects.append("cast(file_row_number + 1 as varchar) as record_id")
    numbered = f"select *, row_number() over () - 1 as file_row_number from {file_sql(table.path)}"
    return f"select {', '.join(selects)}, file_row_number from ({numbered})"


def _said(column: str, *, is_name: bool) -> str:
    """SQL: what a column says as text, nothing where it says that nothing is known."""
    # a whole number that was kept as a float is still that number
    text = f"regexp_replace(trim(cast({ident(column)} as varchar)), '^(\\d+)\\.0$', '\\1')"
    nothing = ", ".join(literal(word) for word in ("", *(_NOTHING_IN_A_NAME if is_name else _NOTHING)))
    return f"case when lower({text}) not in ({nothing}) then {text} end"


def _refuse_repeated_ids(connection: duckdb.DuckDBPyConnection, tables: list[tuple[Table, Columns]]) -> None:
    for number, (table, columns) in enumerate(tables):
        n_null, n_twice = connection.execute(
            f"""
            select
                count(*) filter (record_id is null),
                count(record_id) - count(distinct record_id)
            from raw where file_no = {number}"""
        ).fetchone()
        if n_null or n_twice:
            raise LinkageError(
                f"{table.path}: the record id {columns['record_id'][0]!r} is missing in {n_null:,} records and repeated in "
                f"{n_twice:,}; map another column as record_id, or --columns ignore={columns['record_id'][0]} to number the rows"
            )


def _create_macros(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    months = " ".join(f"when '{name}' then '{i:02d}'" for i, name in enumerate(_MONTHS, 1))
    sounds = """
        regexp_replace(
            translate(
                substr(replace(replace(x, 'ph', 'f'), 'gh', 'g'), 2),
                'bfpvwcgjkqsxzdtlmnraeiouyh', '11111222222223345567777777'
            ),
            '7+', '', 'g'
        )"""
    macros = {
        "folded(x)": "nullif(trim(regexp_replace(strip_accents(lower(x)), '[^\\p{L}\\p{N}]+', ' ', 'g')), '')",
        "month_of(word)": f"case left(word, 3) {months} end",
        # sounds alike, written otherwise: Soundex over every letter, vowels dropped, doubles folded
        "skeleton(x)": f"left(x, 1) || {_without_doubles(sounds)}",
        "full_year(yy)": f"case when yy::integer > {as_of.year % 100} then '19' else '20' end || yy",
        "ymd(y, m, d)": "struct_pack(y := y, m := m, d := d)",
        "first_number(x)": r"lpad(regexp_extract(x, '^(\d{1,2})', 1), 2, '0')",
        "second_number(x)": r"lpad(regexp_extract(x, '^\d{1,2}\D(\d{1,2})', 1), 2, '0')",
        # day and month in the order the table keeps
        "as_written(x, y, day_first)": """
            ymd(
                y,
                case when day_first then second_number(x) else first_number(x) end,
                case when day_first then first_number(x) else second_number(x) end
            )""",
        # pieces of a date in whatever order; `day_first` settles 03/04/1950
        "birth_parts(x, day_first)": r"""
            case
                when regexp_full_match(x, '(1[5-9]|20)\d{6}') then ymd(left(x, 4), substr(x, 5, 2), right(x, 2))
                when regexp_full_match(x, '\d{8}') then ymd(right(x, 4), substr(x, 3, 2), left(x, 2))
                when regexp_matches(x, '^\d{4}\D\d{1,2}\D\d{1,2}') then ymd(
                    left(x, 4), lpad(regexp_extract(x, '^\d{4}\D(\d{1,2})', 1), 2, '0'),
                    lpad(regexp_extract(x, '^\d{4}\D\d{1,2}\D(\d{1,2})', 1), 2, '0'))
                when regexp_matches(x, '^\d{1,2}\D\d{1,2}\D\d{4}')
                    then as_written(x, regexp_extract(x, '^\d{1,2}\D\d{1,2}\D(\d{4})', 1), day_first)
                when regexp_matches(x, '^\d{1,2}\D\d{1,2}\D\d{2}$') then as_written(x, full_year(right(x, 2)), day_first)
                when regexp_matches(x, '^\d{1,2}\W*[a-z]{3,}\W*\d{4}') then ymd(
                    regexp_extract(x, '(\d{4})', 1), month_of(regexp_extract(x, '([a-z]{3,})', 1)), first_number(x))
                when regexp_matches(x, '^[a-z]{3,}\W*\d{1,2}\W+\d{4}') then ymd(
                    regexp_extract(x, '(\d{4})', 1), month_of(regexp_extract(x, '([a-z]{3,})', 1)),
                    lpad(regexp_extract(x, '^[a-z]{3,}\W*(\d{1,2})', 1), 2, '0'))
                when regexp_matches(x, '^\d{4}\D\d{1,2}$') then
                    ymd(left(x, 4), lpad(regexp_extract(x, '\D(\d{1,2})$', 1), 2, '0'), null)
                when regexp_matches(x, '\b\d{4}\b') then ymd(regexp_extract(x, '\b(\d{4})\b', 1), null, null)
            end""",
    }
    connection.execute(";".join(f"create or replace temp macro {name} as {body}" for name, body in macros.items()))


def _without_doubles(sql: str) -> str:
    for digit in "123456":
        sql = f"regexp_replace({sql}, '{digit}+', '{digit}', 'g')"
    return sql


def _take_apart(connection: duckdb.DuckDBPyConnection) -> None:
    names = {row[0] for row in connection.execute("describe raw").fetchall()}

    def column(name: str) -> str:
        return ident(name) if name in names else "null::varchar"

    # 13/04/1950 can only be day first and 04/13/1950 only month first: the file says itself which it means
    first, second = (
        r"regexp_extract(birth_date, '^(\d{1,2})\D\d{1,2}\D\d', 1)",
        r"regexp_extract(birth_date, '^\d{1,2}\D(\d{1,2})\D\d', 1)",
    )
    day_first: dict[int, bool] = {}
    if "birth_date" in names:
        day_first = dict(
            connection.execute(f"""
                select
                    file_no,
                    count(*) filter (try_cast({first} as integer) > 12)
                    >= count(*) filter (try_cast({second} as integer) > 12)
                from raw group by file_no""").fetchall()
        )
    month_first = [str(number) for number, is_day_first in day_first.items() if not is_day_first]
    days = f"file_no not in ({', '.join(month_first) or -1})"
    passed = [n for n in sorted(names) if n.startswith(("text_", "number_", "address_", "identifier_", "phone_"))]
    connection.execute(f"""
        create or replace temp table parted as
        select
            row_number() over (order by file_no, file_row_number) - 1 as n,
            file_no,
            record_id,
            {column("full_name")} as full_name,
            given_words({column("given_name")}) as given_said,
            given_words({column("middle_names")}) as middle_said,
            family_words({column("family_name")}) as family_said,
            contains({column("full_name")}, ',') as has_comma,
            name_words(split_part({column("full_name")}, ',', 1)) as before_comma,
            given_words(split_part({column("full_name")}, ',', 2)) as after_comma,
            given_words({column("full_name")}) as all_words,
            birth_parts(lower({column("birth_date")}), {days}) as said,
            ymd(
                nullif(regexp_extract({column("birth_year")}, '(\\d{{4}})', 1), ''),
                lpad(
                    coalesce(
                        nullif(regexp_extract({column("birth_month")}, '^\\d{{1,2}}$'), ''),
                        month_of(lower({column("birth_month")}))
                    ), 2, '0'
                ),
                lpad(nullif(regexp_extract({column("birth_day")}, '^\\d{{1,2}}$'), ''), 2, '0')
            ) as said_apart,
            coalesce(sex_of({column("sex")}), lower({column("sex")})) as sex,
            digits_of({column("nhs_number")}) as nhs_digits,
            nullif(regexp_replace(upper({column("postcode")}), '[^A-Z0-9]', '', 'g'), '') as postcode,
            lower({column("email")}) as email,
            {"".join(ident(n) + "," for n in passed)}
        from raw""")
    pieces = [
        f"nullif(right(regexp_replace({ident(n)}, '[^0-9]', '', 'g'), 10), '') as {ident(n)}"
        if n.startswith("phone_")
        else f"nullif(regexp_replace(upper({ident(n)}), '[^A-Z0-9]', '', 'g'), '') as {ident(n)}"
        if n.startswith("identifier_")
        else f"try_cast(regexp_extract({ident(n)}, '-?\\d+') as integer) as {ident(n)}"
        if n.startswith("number_")
        else f"folded({ident(n)}) as {ident(n)}"
        for n in passed
    ]
    connection.execute(f"""
        create or replace temp table subject as
        with named as (
            select
                *,
                case
                    when full_name is null or len(given_said) > 0 then coalesce(given_said, [])
                    when has_comma then after_comma
                    else coalesce(all_words[:greatest(len(all_words) - 1, 1)], [])
                end || coalesce(middle_said, []) as given_words,
                without_particles(case
                    when full_name is null or len(family_said) > 0 then coalesce(family_said, [])
                    when has_comma then before_comma
                    when len(all_words) > 1 then all_words[len(all_words):]
                    else []
                end) as family_words,
                coalesce(said.y, said_apart.y) as birth_year,
                coalesce(said.m, said_apart.m) as birth_month,
                coalesce(said.d, said_apart.d) as birth_day
            from parted
        )

        select
            named.n, named.file_no, named.record_id,
            given_words[1] as given,
            nullif(array_to_string(given_words, ''), '') as given_all,
            nullif(array_to_string(given_words[2:], ' '), '') as middle,
            given_words as given_tokens,
            coalesce(alias_class.classes, [given_words[1]]) as given_classes,
            skeleton(given_words[1]) as given_sound,
            nullif(array_to_string(family_words, ''), '') as family,
            family_words as family_tokens,
            skeleton(nullif(array_to_string(family_words, ''), '')) as family_sound,
            birth_year || birth_month || birth_day as birth,
            try_cast(birth_year as integer) as birth_year,
            birth_month, birth_day,
            sex,
            case when digits_state(nhs_digits) in ('valid', 'invalid', 'out_of_range') then nhs_digits end as nhs_number,
            postcode, email,
            {", ".join(pieces) or "null as nothing"}
        from named
        left join alias_class on named.given_words[1] = alias_class.word
        order by n""")
    connection.execute("drop table raw; drop table parted")
    # a date that records of so many names have is what somebody writes who does not know it
    connection.execute(f"""
        update subject set birth = null, birth_year = null, birth_month = null, birth_day = null
        where birth in (
            select birth from subject group by birth
            having count(distinct given || ' ' || family) + count(*) filter (given is null or family is null)
                > greatest({CROWDED_DATE_RECORDS}, {CROWDED_DATE_SHARE} * (select count(*) from subject))
        )""")
