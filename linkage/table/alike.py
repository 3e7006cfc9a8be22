"""Records that say the same in everything: one entry each, so that a register with many copies costs no more than its contents.

What all copies say is weighed as one person's would be, from how common each value is. Where chance alone may explain it (two
people called John Smith and nothing more), the records stay apart for the model to judge.
"""

from __future__ import annotations

import duckdb
import numpy as np

from linkage.table.fields import Field
from linkage.table.learn import FIRST_MATCHES_A_RECORD, IMAGINED_STRANGERS, first_m, shares

#: Weight (bits) from which copies are one entry before anything is learned: 64 to 1 that they are one person.
SURE = 6.0


def gather_copies(connection: duckdb.DuckDBPyConnection, fields: list[Field]) -> np.ndarray:
    """Leave one row of `subject` for all copies, numbered anew, and list every record in `record` (n, entry, file_no, record_id).

    Gives for each record the number of its row.
    """
    columns = [row[0] for row in connection.execute("describe subject").fetchall()]
    said = ", ".join(f'"{column}"' for column in columns if column not in ("n", "record_id"))
    found = connection.execute(f"select file_no, min(n) over (partition by {said}) as first from subject order by n").fetchnumpy()
    first = np.asarray(found["first"], dtype=np.int64)
    n = len(first)
    is_sure = _weight_of_copies(connection, fields, first) >= SURE
    # of two files, each may hold people once: then copies are two people, which only the whole file shows
    is_sure &= not np.any(found["file_no"])
    keeper, entry = np.unique(np.where(is_sure, first, np.arange(n)), return_inverse=True)
    connection.register("entry_of", {"n": np.arange(n), "entry": entry, "is_kept": np.isin(np.arange(n), keeper)})
    connection.execute("""
        create or replace temp table record as
        select entry_of.n, entry_of.entry, subject.file_no, subject.record_id
        from subject inner join entry_of using (n)""")
    if len(keeper) < n:
        rest = ", ".join(f'subject."{column}"' for column in columns if column != "n")
        connection.execute(f"""
            create or replace temp table subject as
            select entry_of.entry as n, {rest} from subject inner join entry_of using (n) where entry_of.is_kept
            order by entry_of.entry""")
    connection.unregister("entry_of")
    return entry


def _weight_of_copies(connection: duckdb.DuckDBPyConnection, fields: list[Field], first: np.ndarray) -> np.ndarray:
    """Bits for each record that one who says exactly the same is the same person, by first judgement."""
    n = len(first)
    # a value is as common as the different records that have it, not as their copies
    known = [
        np.where(share < 1.0, np.log2(m[0] / share), 0.0)
        for share, m in zip(shares(connection, fields, first), first_m(fields), strict=True)
    ]
    home = np.array([field.is_home for field in fields])
    bits = np.array(known)
    n_possible = n * (n - 1) / 2 + IMAGINED_STRANGERS
    # households share these, and each record may share its home with another
    shared = np.minimum(bits[home].sum(axis=0), np.log2(n_possible / n))
    # many copies say that the table holds people many times
    is_copy = (first != np.arange(n)) & bits.any(axis=0)
    matches = max(FIRST_MATCHES_A_RECORD, float(is_copy.mean()))
    return bits[~home].sum(axis=0) + shared - np.log2(n_possible / (n * matches))
