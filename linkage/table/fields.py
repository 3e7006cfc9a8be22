"""How two records are compared: one field for each thing a table says about people, its levels fitted to what the column holds.

A level is a SQL condition over the rows `l` and `r` of `subject`, most specific first. The first m and u of each level, and how
common a value is thought to be, are judgements that training starts from and, where a table is small, leans on.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from linkage.table.columns import HOME_WORDS

#: A field is shared by kin when people of one family name and plainly different first names agree on it so many times as often
#: as strangers do; found from at least so many of their pairs, otherwise judged by the column's name.
TIMES_AS_OFTEN = 5.0
FEWEST_KIN_PAIRS = 200

#: In a table of so few records a value that everybody has still tells them from everybody else.
FEW_RECORDS = 50


@dataclass(frozen=True)
class FieldLevel:
    """One level of agreement and how often, by judgement, two records show it: of one person (m), of two strangers (u)."""

    key: str
    sql: str
    m: float
    u: float


@dataclass(frozen=True)
class Field:
    """One comparison. `value` is the column whose exact agreement is weighed by how common the value is."""

    name: str
    value: str
    levels: tuple[FieldLevel, ...]
    #: SQL over `l` and `r`: nothing can be said.
    null_sql: str
    #: The share of people who have a value, by judgement.
    common: float
    #: Shared by people who live together or are related, so not evidence on top of one another.
    is_home: bool = False
    #: A person's own and for life, so that most records of one person agree.
    is_steady: bool = False
    #: Nobody else has the same: an identifier, a mailbox.
    is_own: bool = False
    #: SQL expressions over `subject` whose agreement may bring two records together, the most telling first.
    keys: tuple[str, ...] = ()


def _typo(c: str, *, shortest: int = 4) -> str:
    # similarity is there already and costs less: one slip in a word of this length leaves it at 0.75 or more
    long_enough = f"least(length({c}_l), length({c}_r)) >= {shortest}"
    return f"({c}_similarity >= 0.75 and {long_enough} and damerau_levenshtein({c}_l, {c}_r) <= 1)"


def _alike(c: str, threshold: float) -> str:
    return f"{c}_similarity >= {threshold}"


def _nulls(*columns: str) -> str:
    return " or ".join(f"{c}_l is null or {c}_r is null" for c in columns)


def _given(has_family: bool) -> Field:
    swapped = "(given_l = family_r and family_l = given_r)" if has_family else "false"
    # called by another of one's names; that later names agree is the middle name's to say
    another = (
        "((length(given_l) > 1 and list_contains(given_tokens_r, given_l))"
        " or (length(given_r) > 1 and list_contains(given_tokens_l, given_r)))"
    )
    return Field(
        "given name",
        "given",
        (
            FieldLevel("the same", "given_l = given_r or given_all_l = given_all_r", 0.8, 0.01),
            FieldLevel("given and family name swapped", swapped, 0.01, 0.0001),
            FieldLevel("a known form of the same name", "list_has_any(given_classes_l, given_classes_r)", 0.04, 0.003),
            FieldLevel("one slip apart", f"{_typo('given', shortest=3)} or {_alike('given', 0.94)}", 0.06, 0.003),
            FieldLevel("another of their names the same", another, 0.02, 0.002),
            FieldLevel(
                "same initial", "least(length(given_l), length(given_r)) = 1 and left(given_l, 1) = left(given_r, 1)", 0.04, 0.01
            ),
            FieldLevel(
                "alike",
                f"{_alike('given', 0.85)} or (given_similarity >= 0.6 and damerau_levenshtein(given_all_l, given_all_r) <= 2"
                " and least(length(given_all_l), length(given_all_r)) >= 6)",
                0.02,
                0.02,
            ),
            FieldLevel("somewhat alike", _alike("given", 0.72), 0.015, 0.06),
            FieldLevel("different", "else", 0.015, 0.9),
        ),
        _nulls("given"),
        common=0.005,
        is_steady=True,
        keys=("given", "given_sound", "given_classes[1]"),
    )


def _family(has_given: bool) -> Field:
    swapped = "(given_l = family_r and family_l = given_r)" if has_given else "false"
    return Field(
        "family name",
        "family",
        (
            FieldLevel("the same", "family_l = family_r", 0.82, 0.002),
            FieldLevel("given and family name swapped", swapped, 0.01, 0.0001),
            FieldLevel("one slip apart", f"{_typo('family')} or {_alike('family', 0.94)}", 0.06, 0.001),
            FieldLevel("one of their names the same", "list_has_any(family_tokens_l, family_tokens_r)", 0.02, 0.001),
            FieldLevel(
                "alike",
                f"{_alike('family', 0.85)} or (family_similarity >= 0.6 and damerau_levenshtein(family_l, family_r) <= 2"
                " and least(length(family_l), length(family_r)) >= 6)",
                0.03,
                0.006,
            ),
            FieldLevel("somewhat alike", _alike("family", 0.72), 0.02, 0.04),
            FieldLevel("different", "else", 0.04, 0.95),
        ),
        _nulls("family"),
        common=0.001,
        is_home=True,
        keys=("family", "family_sound"),
    )


def _middle() -> Field:
    return Field(
        "middle name",
        "middle",
        (
            FieldLevel("the same", "middle_l = middle_r", 0.75, 0.02),
            FieldLevel("same initial", "left(middle_l, 1) = left(middle_r, 1)", 0.15, 0.08),
            FieldLevel("different", "else", 0.1, 0.9),
        ),
        _nulls("middle"),
        common=0.01,
    )


def _birth() -> Field:
    return Field(
        "birth date",
        "birth",
        (
            FieldLevel("the same", "birth_l = birth_r", 0.88, 0.0001),
            FieldLevel(
                "day and month swapped",
                "birth_year_l = birth_year_r and birth_month_l = birth_day_r and birth_day_l = birth_month_r",
                0.01,
                0.0001,
            ),
            FieldLevel("one digit apart", "birth_similarity >= 0.8 and damerau_levenshtein(birth_l, birth_r) <= 1", 0.05, 0.0005),
            FieldLevel(
                "two of three parts the same",
                "cast(birth_year_l = birth_year_r as integer) + cast(birth_month_l = birth_month_r as integer)"
                " + cast(birth_day_l = birth_day_r as integer) >= 2",
                0.02,
                0.003,
            ),
            FieldLevel(
                "two digits apart", "birth_similarity >= 0.75 and damerau_levenshtein(birth_l, birth_r) <= 2", 0.01, 0.003
            ),
            FieldLevel("the same year", "birth_year_l = birth_year_r", 0.01, 0.015),
            # parents and children of one name and one home are as far apart as this, one person's records hardly ever
            FieldLevel("different by a generation", "abs(birth_year_l - birth_year_r) between 15 and 60", 0.003, 0.6),
            FieldLevel("different", "else", 0.01, 0.38),
        ),
        _nulls("birth"),
        common=0.00005,
        is_steady=True,
        keys=("birth", "birth_year || birth_month", "birth_year || '-' || birth_day", "birth_month || birth_day"),
    )


def _year(has_birth: bool) -> Field:
    full = " or (birth_l is not null and birth_r is not null)" if has_birth else ""
    return Field(
        "birth year",
        "birth_year",
        (
            FieldLevel("the same", "birth_year_l = birth_year_r", 0.7, 0.015),
            FieldLevel("one year apart", "abs(birth_year_l - birth_year_r) = 1", 0.12, 0.03),
            FieldLevel("two years apart", "abs(birth_year_l - birth_year_r) = 2", 0.05, 0.03),
            FieldLevel("three to five years apart", "abs(birth_year_l - birth_year_r) <= 5", 0.05, 0.08),
            FieldLevel(
                "one digit apart",
                "hamming(lpad(birth_year_l::varchar, 4, '0'), lpad(birth_year_r::varchar, 4, '0')) <= 1",
                0.04,
                0.05,
            ),
            FieldLevel("six to ten years apart", "abs(birth_year_l - birth_year_r) <= 10", 0.02, 0.1),
            FieldLevel("different", "else", 0.02, 0.7),
        ),
        _nulls("birth_year") + full,
        common=0.015,
        is_steady=True,
        keys=("birth_year", "(birth_year + 1) // 2", "birth_year // 2", "birth_year // 10"),
    )


def _sex() -> Field:
    return Field(
        "sex",
        "sex",
        (FieldLevel("the same", "sex_l = sex_r", 0.98, 0.5), FieldLevel("different", "else", 0.02, 0.5)),
        _nulls("sex"),
        common=0.5,
        is_steady=True,
    )


def _code(name: str, column: str, *, is_home: bool = False) -> Field:
    """Identifiers, telephone numbers: nearly right is a slip, otherwise it is another's."""
    return Field(
        name,
        column,
        (
            FieldLevel("the same", f"{column}_l = {column}_r", 0.9, 0.0001),
            FieldLevel("one slip apart", _typo(column, shortest=5), 0.06, 0.0001),
            FieldLevel("different", "else", 0.04 if not is_home else 0.15, 1.0),
        ),
        _nulls(column),
        common=0.00001,
        is_home=is_home,
        is_steady=not is_home,
        is_own=not is_home,
        keys=(column,),
    )


def _email() -> Field:
    return Field(
        "e-mail",
        "email",
        (
            FieldLevel("the same", "email_l = email_r", 0.75, 0.0001),
            FieldLevel("the same before the @", "split_part(email_l, '@', 1) = split_part(email_r, '@', 1)", 0.05, 0.0003),
            FieldLevel(
                "alike",
                f"(email_similarity >= 0.75 and damerau_levenshtein(email_l, email_r) <= 2) or {_alike('email', 0.94)}",
                0.08,
                0.0005,
            ),
            FieldLevel("different", "else", 0.12, 1.0),
        ),
        _nulls("email"),
        common=0.00001,
        is_own=True,
        keys=("email", "split_part(email, '@', 1)"),
    )


def _postcode(is_uk: bool) -> Field:
    area = (
        "left(postcode_{0}, length(postcode_{0}) - 2)" if is_uk else "left(postcode_{0}, greatest(length(postcode_{0}) - 2, 2))"
    )
    same_area = f"{area.format('l')} = {area.format('r')}"
    return Field(
        "postcode",
        "postcode",
        (
            FieldLevel("the same", "postcode_l = postcode_r", 0.75, 0.001),
            FieldLevel("one slip apart", _typo("postcode", shortest=3), 0.07, 0.001),
            FieldLevel("the same area", same_area, 0.05, 0.02),
            FieldLevel("different", "else", 0.13, 0.98),
        ),
        _nulls("postcode"),
        common=0.0005,
        is_home=True,
        keys=("postcode",),
    )


def _text(name: str, column: str, *, is_home: bool, is_code: bool, has_words: bool) -> Field:
    """A text of unknown meaning: house numbers and codes by their characters, the rest as words are."""
    levels = [FieldLevel("the same", f"{column}_l = {column}_r", 0.75, 0.02)]
    if is_code:
        levels.append(
            FieldLevel(
                "one slip apart",
                f"(damerau_levenshtein({column}_l, {column}_r) <= 1 and greatest(length({column}_l), length({column}_r)) >= 2)",
                0.08,
                0.01,
            )
        )
    else:
        levels.append(FieldLevel("one slip apart", f"{_typo(column)} or {_alike(column, 0.93)}", 0.08, 0.01))
        if has_words:
            levels.append(
                FieldLevel(
                    "most words the same",
                    f"2 * len(list_intersect(string_split({column}_l, ' '), string_split({column}_r, ' ')))"
                    f" >= greatest(len(string_split({column}_l, ' ')), len(string_split({column}_r, ' ')))",
                    0.04,
                    0.01,
                )
            )
        levels.append(FieldLevel("alike", _alike(column, 0.83), 0.03, 0.02))
    levels.append(FieldLevel("different", "else", 0.1, 0.9))
    return Field(name, column, tuple(levels), _nulls(column), common=0.02, is_home=is_home, keys=(column,))


def _number(name: str, column: str) -> Field:
    return Field(
        name,
        column,
        (
            FieldLevel("the same", f"{column}_l = {column}_r", 0.7, 0.02),
            FieldLevel("one apart", f"abs({column}_l - {column}_r) = 1", 0.15, 0.03),
            FieldLevel("two apart", f"abs({column}_l - {column}_r) = 2", 0.05, 0.03),
            FieldLevel("three to five apart", f"abs({column}_l - {column}_r) <= 5", 0.04, 0.1),
            FieldLevel("different", "else", 0.06, 0.8),
        ),
        _nulls(column),
        common=0.02,
        keys=(column,),
    )


def _own_fields(n_values: dict[str, int], least: int, *, has_years: bool, is_uk: bool) -> list[Field]:
    """Fields of the columns every table has or lacks, where they hold at least so many values."""
    has_given, has_family, has_birth = (n_values[column] >= least for column in ("given", "family", "birth"))
    possible = (
        (has_given, _given(has_family)),
        (n_values["middle"] >= least, _middle()),
        (has_family, _family(has_given)),
        (has_birth, _birth()),
        (has_years and n_values["birth_year"] >= least, _year(has_birth)),
        (n_values["sex"] >= least, _sex()),
        (n_values["nhs_number"] >= least, _code("NHS number", "nhs_number")),
        (n_values["postcode"] >= least, _postcode(is_uk)),
        (n_values["email"] >= least, _email()),
    )
    return [field for is_there, field in possible if is_there]


_THE_SAME = ("given", "family", "birth", "birth_year", "sex", "nhs_number", "postcode", "email")


def choose_fields(connection: duckdb.DuckDBPyConnection) -> tuple[list[Field], list[str]]:
    """The fields that `subject` allows, and notes on columns that say nothing: wholly empty, or the same for everybody."""
    columns = [row[0] for row in connection.execute("describe subject").fetchall()]
    counts = connection.execute("select " + ", ".join(f'count(distinct "{c}")' for c in columns) + " from subject").fetchone()
    n_values = dict(zip(columns, counts, strict=True))
    (n_years,) = connection.execute("select count(birth_year) - count(birth) from subject").fetchone()
    (n,) = connection.execute("select count(*) from subject").fetchone()
    (is_uk,) = connection.execute(r"""
        select coalesce(avg(cast(regexp_full_match(postcode, '[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}') as integer)) > 0.5, false)
        from subject""").fetchone()
    # a value that everybody has tells nobody apart, unless few records share it and other things
    is_few = n <= FEW_RECORDS and sum(n_values[column] > 0 for column in _THE_SAME if column != "birth_year") > 1
    least = 1 if is_few else 2
    fields = _own_fields(n_values, least, has_years=n_years > 0.001 * n, is_uk=is_uk)
    shared = _shared_by_kin(
        connection, [c for c in columns if c.startswith("text_") and n_values[c] > 1], has_years=n_values["birth_year"] > 1
    )
    notes = [
        f"{name} is the same for everybody who has one and was not used" for name in _THE_SAME if n_values[name] == 1 < least
    ]
    for column in columns:
        if n_values[column] == 0 and column.startswith(("text_", "number_", "address_", "identifier_", "phone_")):
            notes.append(f"{column} is empty and was not used")
        kind, _, rest = column.partition("_")
        if kind not in ("text", "number", "address", "identifier", "phone") or n_values[column] < least:
            continue
        name = rest.replace("_", " ") if kind in ("text", "number") else kind if rest == "0" else f"{kind} {int(rest) + 1}"
        if kind in ("identifier", "phone"):
            fields.append(_code(name, column, is_home=kind == "phone"))
        elif kind == "number":
            fields.append(_number(name, column))
        else:
            is_code, has_words = connection.execute(
                f'select avg(cast(regexp_matches("{column}", \'^[0-9]\') and length("{column}") <= 6 as integer)) > 0.5,'
                f' avg(cast(contains("{column}", \' \') as integer)) > 0.05 from subject where "{column}" is not null'
            ).fetchone()
            is_home = kind == "address" or shared.get(column, any(word in rest for word in HOME_WORDS))
            fields.append(_text(name, column, is_home=is_home, is_code=is_code, has_words=has_words))
    return fields, notes


def _shared_by_kin(connection: duckdb.DuckDBPyConnection, columns: list[str], *, has_years: bool) -> dict[str, bool]:
    """Whether each column is a thing of families and households; columns with too little to go by are left out."""
    if not columns:
        return {}
    # a person under two first names is not kin of their own; where years are known, these settle it
    apart = "abs(l.birth_year - r.birth_year) > 2" if has_years else "true"
    agree = [f'avg(cast(l."{c}" = r."{c}" as integer)), count(l."{c}" = r."{c}")' for c in columns]
    kin = connection.execute(f"""
        with following as (
            select subject.*, lead(n, step.step) over (partition by step.step, family order by hash(n)) as other
            from subject cross join (values (1), (2), (3)) as step (step)
            where family is not null
        )

        select {", ".join(agree)}
        from following as l inner join subject as r on l.other = r.n
        where jaro_winkler_similarity(l.given, r.given) < 0.72 and {apart}""").fetchone()
    result = {}
    for i, column in enumerate(columns):
        often, n_pairs = kin[2 * i], kin[2 * i + 1]
        if n_pairs >= FEWEST_KIN_PAIRS:
            (by_chance,) = connection.execute(f"""
                select sum(share * share) from (
                    select count(*) / sum(count(*)) over () as share from subject
                    where "{column}" is not null group by "{column}"
                )""").fetchone()
            result[column] = often >= TIMES_AS_OFTEN * by_chance
    return result
