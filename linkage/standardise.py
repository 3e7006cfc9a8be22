"""Identity as suppliers send it, brought to one form: `standardise` makes the table `record`, one row a supplier's record.

The rules are DuckDB macros so that they run set-based and can be tested one by one. Each keeps to published UK practice: NHS
number arithmetic, ranges and placeholders from the NHS Data Dictionary; ZZ99 pseudo postcodes from the ONS Postcode Directory.
Names are transliterated, never masked, so that a name outside ASCII can still match.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import duckdb

from linkage.errors import LinkageError
from linkage.spec import LinkageSpec
from linkage.sql import literals

#: The fixed shape of the identity files (docs/architecture.md), name -> DuckDB type.
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

#: Columns of `record` that say who somebody is; a record with none of them can never be linked.
IDENTIFYING = ("nhs_number", "given_name", "family_name", "birth_date", "postcode", "uprn", "phones", "emails")

#: Well-formed numbers that stand for "no number": documentation examples and keyboard runs. Ten equal digits are caught by rule.
_PLACEHOLDER_NUMBERS = ("0123456789", "1234567890", "9876543210", "9434765919", "4505577104")

#: Latin letters that Unicode does not decompose into a base letter and an accent.
_UNDECOMPOSED = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "ħ": "h", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}

_OUTWARD, _INWARD = "[A-Z]{1,2}[0-9][A-Z0-9]?", "[0-9][A-Z]{2}"


@cache
def words() -> dict[str, list[str] | dict[str, list[str]]]:
    """Our own word lists: titles, placeholder names, particles, role mailboxes and classes of names used for one another."""
    return json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))


def _fold_sql(text: str) -> str:
    sql = f"strip_accents(lower({text}))"
    for letter, plain in _UNDECOMPOSED.items():
        sql = f"replace({sql}, '{letter}', '{plain}')"
    return sql


def create_macros(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """Create the standardisation rules as temporary macros on a connection."""
    checksum = " + ".join(f"{11 - i} * try_cast(substr(digits, {i}, 1) as integer)" for i in range(1, 11))
    prefixes = " or ".join(f"substr(digits, 1, 3) between '{low:03d}' and '{high:03d}'" for low, high in spec.number_prefixes)
    sentinels = ", ".join(f"date '{day.isoformat()}'" for day in spec.birth_date_sentinels)
    lists = words()
    macros = {
        "digits_of(x)": "nullif(regexp_replace(x, '[^0-9]', '', 'g'), '')",
        # ten digits, modulus 11, not a placeholder, in an issued range: NHS Data Dictionary
        "digits_state(digits)": f"""
            case
                when digits is null then 'missing'
                when regexp_full_match(digits, '0*|1*|2*|3*|4*|5*|6*|7*|8*|9*') then 'placeholder'
                when digits in ({", ".join(f"'{n}'" for n in _PLACEHOLDER_NUMBERS)}) then 'placeholder'
                when length(digits) <> 10 then 'invalid'
                when ({checksum}) % 11 <> 0 then 'invalid'
                when not ({prefixes}) then 'out_of_range'
                else 'valid'
            end""",
        "number_of(digits, state)": "case when state = 'valid' then digits end",
        # a mistyped number still says something: it is compared by edit distance, never for equality
        "typed_number_of(digits, state)": "case when state = 'invalid' and length(digits) between 9 and 11 then digits end",
        # 07 the number is absent, 08 a baby's trace is postponed: a number sent with either is mostly the mother's
        "is_own_number(status)": "coalesce(lpad(trim(status), 2, '0') not in ('07', '08'), true)",
        # folded to plain lower-case words; bracketed remarks such as "(known as ...)" are not part of the name
        "name_words(x)": rf"""
            list_filter(
                string_split(
                    trim(regexp_replace(
                        regexp_replace(
                            regexp_replace({_fold_sql("x")}, '\(.*?\)|\[.*?\]', ' ', 'g'),
                            '[''`´’‘ʼ.]', '', 'g'
                        ),
                        '[^\p{{L}}\p{{M}}]+', ' ', 'g'
                    )),
                    ' '
                ),
                lambda w: w <> '' and not list_contains([{literals(lists["titles"])}], w)
            )""",
        "given_words(x)": f"""
            list_filter(name_words(x), lambda w: not list_contains([{literals(lists["placeholder_given"])}], w))""",
        "family_words(x)": f"""
            list_filter(name_words(x), lambda w: not list_contains([{literals(lists["placeholder_family"])}], w))""",
        # how a name is built, as the supplier wrote it, the middle names apart: what linkage may serve people unequally by
        "name_structure(given, family)": r"""
            case
                when coalesce(trim(given), '') = '' and coalesce(trim(family), '') = '' then 'no_name'
                when regexp_matches(concat_ws(' ', given, family), '[^\P{L}\p{Latin}]') then 'non_latin'
                when regexp_matches(concat_ws(' ', given, family), '[^\P{L}A-Za-z]') then 'accented'
                when contains(concat_ws(' ', given, family), '-') then 'hyphenated'
                when not regexp_matches(trim(concat_ws(' ', given, family)), '\s') then 'one_word'
                when not regexp_matches(trim(concat_ws(' ', given, family)), '\s+\S+\s') then 'two_words'
                else 'three_or_more_words'
            end""",
        # particles go only when something is left: somebody may be called Van or Ben
        "without_particles(w)": f"""
            case
                when len(list_filter(w, lambda t: not list_contains([{literals(lists["particles"])}], t))) > 0
                then list_filter(w, lambda t: not list_contains([{literals(lists["particles"])}], t))
                else w
            end""",
        "birth_date_state(d, as_of)": f"""
            case
                when d is null then 'missing'
                when d in ({sentinels}) then 'sentinel'
                when d > as_of then 'future'
                when d < as_of - to_years({spec.oldest_age_years}) then 'too_old'
                else 'valid'
            end""",
        "sex_of(x)": """
            case
                when upper(trim(x)) in ('M', '1', 'MALE') then 'm'
                when upper(trim(x)) in ('F', '2', 'FEMALE') then 'f'
            end""",
        "spaced_postcode(c)": "left(c, length(c) - 3) || ' ' || right(c, 3)",
        "digit_at(c, place)": "left(c, place - 1) || translate(substr(c, place, 1), 'OI', '01') || substr(c, place + 1)",
        # capital letters and digits; O for 0 and I for 1 are repaired by position, the rest of the shape is not guessed
        "postcode_repaired(c)": """
            case when length(c) between 5 and 7 then
                left(c, length(c) - 3)
                || translate(substr(c, length(c) - 2, 1), 'OIL', '011')
                || translate(right(c, 2), '01', 'OI')
            end""",
        # areas are one letter or two; where a digit is misread as a letter after the first, then after the second is tried
        "postcode_shaped(c)": rf"""
            case
                when regexp_full_match(c, '{_OUTWARD}{_INWARD}') then spaced_postcode(c)
                when regexp_full_match(digit_at(c, 2), '[A-Z][0-9][A-Z0-9]?{_INWARD}') then spaced_postcode(digit_at(c, 2))
                when regexp_full_match(digit_at(c, 3), '[A-Z]{{2}}[0-9][A-Z0-9]?{_INWARD}') then spaced_postcode(digit_at(c, 3))
            end""",
        "postcode_letters(x)": "nullif(regexp_replace(upper(x), '[^A-Z0-9]', '', 'g'), '')",
        "postcode_of(letters)": "case when not starts_with(letters, 'ZZ') then postcode_shaped(postcode_repaired(letters)) end",
        # ZZ99 and country digits: no fixed abode (3VZ), not known (3WZ), otherwise a country
        "postcode_state(letters, postcode)": """
            case
                when letters is null then 'missing'
                when letters = 'ZZ993VZ' then 'no_fixed_abode'
                when letters = 'ZZ993WZ' then 'unknown'
                when starts_with(letters, 'ZZ') then 'overseas'
                when postcode is null then 'invalid'
                else 'valid'
            end""",
        "national_phone(digits)": """
            case
                when starts_with(digits, '0044') then '0' || ltrim(substr(digits, 5), '0')
                when starts_with(digits, '44') and length(digits) >= 11 then '0' || ltrim(substr(digits, 3), '0')
                else digits
            end""",
        # a UK number has ten or eleven digits with its leading nought; a run of one digit is a placeholder
        "phone_shaped(n)": r"""
            case
                when regexp_full_match(n, '0[1-9][0-9]{8,9}') and not regexp_matches(n, '0{6,}|1{6,}|9{6,}|123456') then n
            end""",
        "phone_of(x)": "phone_shaped(national_phone(digits_of(x)))",
        "email_shaped(e)": rf"""
            case
                when not regexp_full_match(e, '[^@\s,;]+@[^@\s,;]+\.[a-z]{{2,}}') then null
                when list_contains([{literals(lists["role_mailboxes"])}], split_part(e, '@', 1)) then null
                else e
            end""",
        "email_of(x)": "email_shaped(lower(trim(x)))",
        "uprn_of(x)": "nullif(ltrim(digits_of(x), '0'), '')",
    }
    connection.execute(";".join(f"create or replace temp macro {signature} as {body}" for signature, body in macros.items()))
    classes: dict[str, set[str]] = {}
    for name, aliases in lists["alias_classes"].items():
        for word in {name, *aliases}:
            classes.setdefault(word, set()).add(name)
    connection.execute(
        "create or replace temp table alias_class as select unnest($1::varchar[]) as word, unnest($2::varchar[][]) as classes",
        [list(classes), [sorted(names) for names in classes.values()]],
    )


def identity_files(identity_dir: Path) -> list[Path]:
    """The identity files below a folder, `<source>/<table>/<load_seq>.parquet`, in order."""
    return sorted(identity_dir.glob("*/*/*.parquet"))


def read_identity(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """Make the view `identity_row` over the identity files.

    Raises `LinkageError` when a file cannot be read or lacks columns of the fixed shape.
    """
    if not files:
        columns = ", ".join(f"null::{dtype} as {name}" for name, dtype in IDENTITY_COLUMNS.items())
        connection.execute(f"create or replace temp view identity_row as select {columns} where false")
        return
    try:
        connection.execute(
            "create or replace temp view identity_row as select "
            + ", ".join(f"{name}::{dtype} as {name}" for name, dtype in IDENTITY_COLUMNS.items())
            + f" from read_parquet([{literals(files)}], union_by_name = true)"
            # a reference table of postcodes has identity roles but nobody's record
            + " where record_token is not null"
        )
    except duckdb.Error as error:
        raise LinkageError(
            f"the identity files below {files[0].parent.parent} cannot be read or do not have the fixed shape of identity files; "
            "land the source again"
        ) from error


def standardise(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, as_of_sql: str) -> None:
    """Make `record` (one row per live record, standardised) from `identity_row`, with `superseded` and `standard_reason`.

    `as_of_sql` is a SQL date literal. `superseded` maps old NHS numbers to their last successor; a number in a cycle of
    mergers is left as it is and counted in `standard_reason`, which holds (source, field, reason, n_values).
    """
    create_macros(connection, spec)
    _create_treatments(connection, spec)
    _resolve_superseded(connection)
    _standardise_rows(connection, as_of_sql)
    _gather_records(connection)
    _drop_common_birth_dates(connection, spec)
    _hash_records(connection)


def _create_treatments(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    connection.execute("create or replace temp table present as select distinct source from identity_row")
    rows = connection.execute("select source from present order by source").fetchall()
    connection.execute("""
        create or replace temp table treatment (
            source varchar, rank integer, number_trust varchar, is_number_register boolean, holds_person_once boolean,
            register_table varchar, once_bit integer
        )""")
    once = [name for (name,) in rows if spec.treatment(name).holds_person_once]
    for (name,) in rows:
        t = spec.treatment(name)
        connection.execute(
            "insert into treatment values (?, ?, ?, ?, ?, ?, ?)",
            [
                name,
                t.rank,
                t.number_trust,
                t.is_number_register,
                t.holds_person_once,
                t.register_table,
                once.index(name) if t.holds_person_once else None,
            ],
        )


def _resolve_superseded(connection: duckdb.DuckDBPyConnection) -> None:
    """Follow PDS mergers to their end. The newest statement about an old number is the one that counts."""
    connection.execute("""
        create or replace temp table superseded_step as
        with merger as (
            select
                load_seq,
                coalesce(identity_valid_from, date '0001-01-01') as valid_from,
                digits_of(superseded_nhs_number) as old_number,
                digits_of(nhs_number) as new_number
            from identity_row
            where superseded_nhs_number is not null and not coalesce(is_deleted, false)
        )

        select old_number, max(row(load_seq, valid_from, new_number))[3] as new_number
        from merger
        where digits_state(old_number) = 'valid' and digits_state(new_number) = 'valid' and old_number <> new_number
        group by old_number""")
    connection.execute("""
        create or replace temp table superseded as
        with recursive chain (old_number, current_number) as (
            select old_number, new_number from superseded_step
            union
            select chain.old_number, step.new_number
            from chain
            inner join superseded_step as step on chain.current_number = step.old_number
        )
        select chain.old_number, chain.current_number
        from chain
        where not exists (select 1 from superseded_step as step where step.old_number = chain.current_number)""")
    connection.execute("""
        create or replace temp table superseded_cycle as
        select old_number from superseded_step
        where old_number not in (select old_number from superseded)""")


def _standardise_rows(connection: duckdb.DuckDBPyConnection, as_of_sql: str) -> None:
    """One row per row that counts, every field standardised; a withdrawn record has none."""
    connection.execute("""
        create or replace temp table register_version as
        select record_token, max(load_seq) as load_seq, bool_and(coalesce(is_deleted, false)) as is_withdrawn
        from (
            select identity_row.*
            from identity_row
            inner join treatment on identity_row.source = treatment.source
            where identity_row.table_name = treatment.register_table
            qualify identity_row.load_seq = max(identity_row.load_seq) over (partition by identity_row.record_token)
        )
        group by record_token""")
    connection.execute(f"""
        create or replace temp table row_value as
        with live as (
            select
                identity_row.*,
                coalesce(identity_row.table_name <> treatment.register_table, true)
                    or identity_row.load_seq = register_version.load_seq as is_current
            from identity_row
            inner join treatment on identity_row.source = treatment.source
            left join register_version on identity_row.record_token = register_version.record_token
            where
                not coalesce(identity_row.is_deleted, false)
                and not coalesce(register_version.is_withdrawn, false)
        ),

        said as (
            select distinct
                record_token, source, is_current, load_seq,
                nhs_number, nhs_number_status, given_name, middle_names, family_name, previous_family_name,
                birth_date, sex, death_date, postcode, uprn, phones, email,
                coalesce(identity_valid_from, date '0001-01-01') as valid_from,
                coalesce(identity_valid_to, date '9999-12-31') as valid_to
            from live
        ),

        -- in steps, so that no rule is worked out twice for a row
        bare as (
            select
                *,
                case when is_own_number(nhs_number_status) then digits_of(nhs_number) end as digits,
                postcode_letters(postcode) as letters,
                birth_date_state(birth_date, {as_of_sql}) as birth_date_state
            from said
        ),

        stated as (
            select *, digits_state(digits) as digits_state, postcode_of(letters) as postcode_text from bare
        )

        select
            record_token,
            source,
            is_current,
            load_seq,
            valid_from,
            valid_to,
            case when nhs_number is not null and not is_own_number(nhs_number_status) then 'not_own' else digits_state end
                as nhs_number_state,
            number_of(digits, digits_state) as nhs_number,
            typed_number_of(digits, digits_state) as typed_number,
            lpad(trim(nhs_number_status), 2, '0') = '01' as is_traced,
            given_words(given_name) as given_words,
            given_words(middle_names) as middle_words,
            family_words(family_name) as family_words,
            family_words(previous_family_name) as previous_words,
            name_structure(given_name, family_name) as name_structure,
            given_name is not null as has_given,
            family_name is not null as has_family,
            birth_date_state,
            case when birth_date_state = 'valid' then birth_date end as birth_date,
            sex_of(sex) as sex,
            case when death_date between date '1900-01-02' and {as_of_sql} then death_date end as death_date,
            postcode_state(letters, postcode_text) as postcode_state,
            postcode_text as postcode,
            uprn_of(uprn) as uprn,
            list_filter([phone_of(p) for p in phones], lambda p: p is not null) as phones,
            email_of(email) as email
        from stated""")


def _latest(column: str, *, by: str = "load_seq, valid_from", where: str = "is_current") -> str:
    """The newest value of a column that is not empty; the value itself breaks a tie, so the order of rows never does."""
    return f"max(row({by}, {column})) filter ({where} and {column} is not null)[{by.count(',') + 2}]"


def _gather_records(connection: duckdb.DuckDBPyConnection) -> None:
    """One row per record: the newest value of each field, and lists of every name, postcode and contact ever held."""
    connection.execute(f"""
        create or replace temp table record_raw as
        select
            record_token,
            min(source) as source,
            {_latest("nhs_number")} as number_said,
            {_latest("typed_number")} as typed_number,
            coalesce({_latest("is_traced", where="is_current and nhs_number is not null")}, false) as is_traced,
            {_latest("given_words", where="is_current and len(given_words) > 0")} as given_words,
            {_latest("middle_words", where="is_current and len(middle_words) > 0")} as middle_words,
            {_latest("family_words", where="is_current and len(family_words) > 0")} as family_words,
            list_sort(list_distinct(flatten(
                list(coalesce(family_words, [])) || list(coalesce(previous_words, []))
            ))) as all_family_words,
            {_latest("name_structure", where="is_current and name_structure <> 'no_name'")} as name_structure,
            {_latest("birth_date")} as birth_date,
            {_latest("birth_date_state", where="is_current and birth_date_state <> 'missing'")} as birth_date_state,
            {_latest("sex")} as sex,
            {_latest("death_date")} as death_date,
            {_latest("postcode", by="valid_to, valid_from, load_seq", where="true")} as postcode,
            {_latest("postcode_state", by="valid_to, valid_from, load_seq", where="postcode_state <> 'missing'")}
                as postcode_state,
            {_latest("uprn", by="valid_to, valid_from, load_seq", where="true")} as uprn,
            list_sort(list(distinct postcode) filter (postcode is not null)) as postcodes,
            list_sort(list_distinct(flatten(list(phones) filter (phones is not null)))) as phones,
            list_sort(list(distinct email) filter (email is not null)) as emails
        from row_value
        group by record_token""")
    connection.execute("""
        create or replace temp table record as
        select
            raw.record_token,
            raw.source,
            treatment.rank,
            treatment.is_number_register,
            treatment.once_bit,
            coalesce(superseded.current_number, raw.number_said) as nhs_number,
            raw.typed_number,
            case treatment.number_trust
                when 'verified' then raw.number_said is not null
                when 'by_status' then raw.number_said is not null and raw.is_traced
                else false
            end as is_number_verified,
            raw.given_words[1] as given_name,
            list_sort(list_distinct(coalesce(raw.given_words, []) || coalesce(raw.middle_words, []))) as given_tokens,
            list_sort(coalesce(alias_class.classes, [raw.given_words[1]])) as given_classes,
            nullif(array_to_string(coalesce(raw.family_words, []), ''), '') as family_name,
            list_sort(without_particles(coalesce(raw.all_family_words, []))) as family_tokens,
            coalesce(raw.name_structure, 'no_name') as name_structure,
            raw.birth_date,
            case when raw.birth_date is not null then 'valid' else coalesce(raw.birth_date_state, 'missing') end
                as birth_date_state,
            raw.sex,
            case when raw.death_date >= coalesce(raw.birth_date, raw.death_date) then raw.death_date end as death_date,
            raw.postcode,
            coalesce(raw.postcode_state, 'missing') as postcode_state,
            coalesce(raw.postcodes, []) as postcodes,
            raw.uprn,
            coalesce(raw.phones, []) as phones,
            coalesce(raw.emails, []) as emails
        from record_raw as raw
        inner join treatment on raw.source = treatment.source
        left join superseded on raw.number_said = superseded.old_number
        left join alias_class on raw.given_words[1] = alias_class.word""")
    connection.execute("""
        create or replace temp table standard_reason as
        select source, 'nhs_number' as field, nhs_number_state as reason, count(*) as n_values
        from row_value where nhs_number_state not in ('valid', 'missing') group by all
        union all
        select source, 'birth_date', birth_date_state, count(*)
        from row_value where birth_date_state not in ('valid', 'missing') group by all
        union all
        select source, 'postcode', postcode_state, count(*)
        from row_value where postcode_state not in ('valid', 'missing') group by all
        union all
        select source, 'given_name', 'placeholder', count(*)
        from row_value where has_given and len(given_words) = 0 group by all
        union all
        select source, 'family_name', 'placeholder', count(*)
        from row_value where has_family and len(family_words) = 0 group by all
        union all
        select 'all', 'nhs_number', 'superseded_cycle', count(*) from superseded_cycle having count(*) > 0""")
    connection.execute("drop table row_value; drop table record_raw")


def _drop_common_birth_dates(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """A date that one source writes far too often says what the source does, not when anybody was born."""
    connection.execute(f"""
        create or replace temp table common_birth_date as
        with counted as (
            select source, birth_date, count(*) as n_records, sum(count(*)) over (partition by source) as n_source
            from record
            where birth_date is not null
            group by source, birth_date
        )
        select source, birth_date, n_records from counted
        where
            n_records >= {spec.common_birth_date_records}
            and n_records >= {spec.common_birth_date_ratio} * n_source / (80 * 365.25)""")
    connection.execute("""
        update record set birth_date = null, birth_date_state = 'over_represented'
        from common_birth_date as common
        where record.source = common.source and record.birth_date = common.birth_date""")
    connection.execute("""
        insert into standard_reason
        select source, 'birth_date', 'over_represented', sum(n_records) from common_birth_date group by source""")


def _hash_records(connection: duckdb.DuckDBPyConnection) -> None:
    """`record_hash` changes when anything that linkage reads of the record does; MD5, so that it outlives a DuckDB version."""
    has_identity = " or ".join(f"len({c}) > 0" if c in ("phones", "emails") else f"{c} is not null" for c in IDENTIFYING)
    connection.execute(f"""
        create or replace temp table record as
        select
            *,
            {has_identity} as has_identity,
            md5(cast(row(
                source, nhs_number, typed_number, is_number_verified, given_name, given_tokens, family_name, family_tokens,
                birth_date, sex, death_date, postcode, postcodes, uprn, phones, emails
            ) as varchar)) as record_hash
        from record""")
