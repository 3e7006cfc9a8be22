"""Why a row can be kept out, in words, and the shape of the quarantine files.

Quarantine files live in the identifiable zone: they hold the row as sent. Everything that leaves them (summaries, reports,
logs) is counts and the words below.
"""

from __future__ import annotations

#: Reason code -> what it means; the reason of a single row adds which column and which form.
REASONS: dict[str, str] = {
    "ragged_row": "the row does not have as many fields as the file has columns",
    "unclosed_quote": "a quote is opened and not closed",
    "stray_quote": "a quoted field is followed by something other than a delimiter",
    "invalid_encoding": "the row holds bytes that are not characters of the agreed encoding",
    "too_long": "the row is longer than a row may be",
    "nul_byte": "the row holds a NUL byte",
    "repeated_element": "an element that may appear once in a row appears more than once",
    "missing_value": "a column that must have a value is blank",
    "missing_key": "every column of the key is blank",
    "bad_date": "a date cannot be read",
    "bad_timestamp": "a date and time cannot be read",
    "bad_integer": "a whole number cannot be read",
    "bad_double": "a number cannot be read",
    "bad_boolean": "a true or false value cannot be read",
    "implausible_date": "a date lies outside the time that can be meant",
    "duplicate": "the same row stands earlier in the file",
    "overtaken": "a later row of the file has the same key",
    "superseded": "a newer full delivery of the same window is held already",
    "no_agreement": "no sharing agreement in force covers the organisation; the row is not kept",
    "landed_before": "the row has landed from the same bytes before",
}

#: Reasons that say nothing against the row itself; they do not count towards the share of bad rows.
HARMLESS = frozenset({"duplicate", "overtaken", "superseded", "no_agreement", "landed_before"})

#: Reasons for which nothing of the row is kept, not even in quarantine: it is counted, and stays in the supplier's file.
NOT_KEPT = frozenset({"no_agreement", "landed_before"})

#: Shape of every quarantine file, name -> DuckDB type. `local_id` is the supplier's own id of the record the row is about, as
#: in the local_ids files; NULL where the row does not say.
QUARANTINE_COLUMNS: dict[str, str] = {
    "source": "varchar",
    "table_name": "varchar",
    "load_seq": "integer",
    "file": "varchar",
    "line": "bigint",
    "row_identity": "varchar",
    "window": "varchar",
    "local_id": "varchar",
    "column_name": "varchar",
    "reason_code": "varchar",
    "reason": "varchar",
    "row_text": "varchar",
}
