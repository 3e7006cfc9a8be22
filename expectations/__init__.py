"""Great Expectations behind one function: rules in, plain findings out.

>>> from expectations import NotNull, Subject, check
>>> findings = check([Subject("person", "select * from read_parquet('person.parquet')", (NotNull("person_id"),))])

Nothing of Great Expectations leaks out, and no value of a row ever comes back: findings are counts.
"""

from expectations.rules import Between, Finding, InSet, NoRows, NotNull, RowCount, Rule, Subject, Unique

__all__ = ["Between", "Finding", "InSet", "NoRows", "NotNull", "RowCount", "Rule", "Subject", "Unique", "check"]


def check(
    subjects, *, database: str = ":memory:", memory_limit: str = "2GB", search_path: str | None = None
) -> dict[str, list[Finding]]:
    """Run every subject's rules. See `expectations.engine.check`, which is imported on first use: it costs seconds."""
    from expectations import engine

    return engine.check(subjects, database=database, memory_limit=memory_limit, search_path=search_path)
