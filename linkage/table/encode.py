"""Keyed encodings of identities, for a partner who will not hand over names, and their comparison with the index.

Each record becomes one Bloom filter of all its fields (a cryptographic long-term key, Schnell, Bachteler and Reiher 2011): tokens
are hashed with HMAC-SHA-256 under a secret made for one project, names are salted with the year of birth, and the filter is
folded on itself by exclusive or (Schnell and Borgs 2016). Alike records give alike filters, so slips are forgiven.

What it does not do: whoever holds the secret can try names against a filter, and without it filters still show which records are
alike. Encodings are personal data; they are pseudonymised, not anonymous. A slip in the year of birth is not forgiven.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from linkage import registry
from linkage.duck import Limits, connect
from linkage.errors import LinkageError
from linkage.spec import LinkageSpec
from linkage.standardise import identity_files, read_identity, standardise
from linkage.table.columns import Columns, recognise
from linkage.table.index import IndexReport
from linkage.table.link import write_private
from linkage.table.read import Table, file_sql, header, read

#: Bits of a filter before and after it is folded.
_BITS, _FOLDED = 2048, 1024

_LEAST_SECRET_BYTES = 32

#: Index records compared at a time.
_CHUNK = 10_000

#: Token lists over (given, family, birth_year, birth_month, birth_day, sex, postcode), and the bits each token sets.
_PAIRS_OF_LETTERS = "list_transform(range(1, length({0}) + 2), lambda i: '{1}' || substr('_' || {0} || '_', i, 2) || birth_year)"
_TOKENS = {
    _PAIRS_OF_LETTERS.format("given", "g"): 10,
    _PAIRS_OF_LETTERS.format("family", "f"): 10,
    "['y' || birth_year, 'm' || birth_month, 'd' || birth_day, 'n' || birth_month || birth_day]": 15,
    "['s' || sex]": 5,
    "['p' || postcode, 'a' || left(postcode, length(postcode) - 2)]": 12,
}


def make_secret(path: Path) -> None:
    """Write a new random secret that only its owner can read. Raises `LinkageError` when there is a file already."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise LinkageError(f"the secret {path} cannot be made ({error.strerror})") from error
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(_LEAST_SECRET_BYTES) + "\n")


def read_secret(path: Path) -> bytes:
    """The secret of a project. Raises `LinkageError` when it cannot be read or is short enough to guess."""
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise LinkageError(
            f"the secret {path} cannot be read ({error.strerror}); make one with phm encode --new-secret"
        ) from error
    if len(secret) < _LEAST_SECRET_BYTES:
        raise LinkageError(
            f"the secret {path} is shorter than {_LEAST_SECRET_BYTES} bytes; make one with phm encode --new-secret"
        )
    return secret


def encode(
    table: Table, columns: Columns, output: Path, *, secret: bytes, spec: LinkageSpec, as_of: date, limits: Limits
) -> tuple[int, int]:
    """Write record_id and encoding (hexadecimal, NULL without a name and a birth date) for each record of a table.

    Gives the number of records, and of those encoded. Raises `LinkageError` when the table cannot be read.
    """
    with connect(limits, keeps_order=True) as connection:
        recognised = recognise(header(connection, table.path), columns)
        read(connection, [(table, recognised.columns)], spec, as_of)
        connection.execute("create temp table person as select * replace (birth_year::varchar as birth_year) from subject")
        packed, is_encoded = _filters(connection, secret)
        texts = [row.tobytes().hex() if known else None for row, known in zip(packed, is_encoded, strict=True)]
        connection.execute("create temp table encoded (n bigint, encoding varchar)")
        connection.execute(
            "insert into encoded select unnest($1::bigint[]), unnest($2::varchar[])", [list(range(len(texts))), texts]
        )
        write_private(connection, "select record_id, encoding from person inner join encoded using (n) order by n", output)
    return len(texts), int(is_encoded.sum())


def link_encodings(
    file: Path,
    output: Path,
    *,
    secret: bytes,
    threshold: float,
    identity_dir: Path,
    registry_path: Path,
    spec: LinkageSpec,
    as_of: date,
    limits: Limits,
) -> IndexReport:
    """Find for each encoded record (record_id, encoding) the person of the index whose encoding is most like it.

    Nobody is linked by an encoding alone: from a Dice similarity of `threshold` (0 to 1) the person is a candidate for review,
    and every other record stays unlinked. Raises `LinkageError` when the file does not hold encodings or there is no index.
    """
    if not registry_path.exists():
        raise LinkageError(f"there is no patient index at {registry_path}: load something first")
    with (
        connect(limits, keeps_order=True) as connection,
        registry.attached(connection, registry_path, read_only=True),
    ):
        theirs, is_encoded = _read_encodings(connection, file)
        read_identity(connection, identity_files(identity_dir))
        standardise(connection, spec, f"date '{as_of.isoformat()}'")
        connection.execute("""
            create temp table person as
            select
                row_number() over (order by member.person_id, record.record_token) - 1 as n,
                cast(member.person_id as varchar) as person_id,
                given_name as given, family_name as family,
                strftime(birth_date, '%Y') as birth_year, strftime(birth_date, '%m') as birth_month,
                strftime(birth_date, '%d') as birth_day, sex, replace(postcode, ' ', '') as postcode
            from record
            inner join registry.membership as member on record.record_token = member.record_token and member.valid_to is null""")
        ours, is_ours = _filters(connection, secret)
        best, likeness = _most_alike(theirs, ours[is_ours])
        person_n = np.flatnonzero(is_ours)[best] if is_ours.any() else best
        connection.register(
            "likeness", {"n": np.arange(len(theirs)), "is_encoded": is_encoded, "person_n": person_n, "dice": likeness}
        )
        connection.execute(f"""
            create temp table answer as
            select
                sent.n,
                sent.record_id,
                case when dice >= {threshold} and is_encoded then person.person_id end as candidate_person_id,
                case when is_encoded then round(dice, 3) end as similarity,
                case when not is_encoded then 'unlinkable' when dice >= {threshold} then 'review' else 'separate' end as band,
                case
                    when not is_encoded then 'the record has no encoding'
                    when dice >= {threshold} then 'encodings alike; an encoding alone links nobody'
                    else 'no encoding in the index is enough like it; the record stays unlinked'
                end as reason
            from sent
            inner join likeness on sent.n = likeness.n
            left join person on likeness.person_n = person.n""")
        write_private(connection, "select * exclude (n) from answer order by n", output)
        bands = dict(connection.execute("select band, count(*) from answer group by band order by band").fetchall())
    return IndexReport(len(theirs), bands, ())


def _read_encodings(connection: duckdb.DuckDBPyConnection, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """The filters of a file, one row of bytes a record, and which records have one; makes `sent` (n, record_id)."""
    if not {"record_id", "encoding"} <= set(header(connection, file)):
        raise LinkageError(f"{file} has no columns record_id and encoding: it is not what phm encode writes")
    connection.execute(
        f"create temp table sent as select row_number() over () - 1 as n, record_id, encoding from {file_sql(file)}"
    )
    texts = [row[0] for row in connection.execute("select encoding from sent order by n").fetchall()]
    if any(text and len(text) != _FOLDED // 4 for text in texts):
        raise LinkageError(f"{file} holds encodings of another length: both sides must use the same version of phm encode")
    try:
        raw = b"".join(bytes.fromhex(text) if text else bytes(_FOLDED // 8) for text in texts)
    except ValueError as error:
        raise LinkageError(f"{file} holds encodings that are not hexadecimal") from error
    return np.frombuffer(raw, dtype=np.uint8).reshape(len(texts), -1), np.array([bool(text) for text in texts])


def _filters(connection: duckdb.DuckDBPyConnection, secret: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Packed folded filters of `person`, in its order, and which records know a name and a birth date."""
    (n,) = connection.execute("select count(*) from person").fetchone()
    known = connection.execute("""
        select coalesce(given is not null and family is not null and birth_year is not null, false) as is_known
        from person order by n""").fetchnumpy()["is_known"]
    bits = np.zeros((n, _BITS), dtype=bool)
    for sql, n_bits in _TOKENS.items():
        connection.execute(f"""
            create or replace temp table token as
            select n, text from (select n, unnest({sql}) as text from person) where text is not null""")
        texts = [row[0] for row in connection.execute("select distinct text from token order by text").fetchall()]
        if not texts:
            continue
        found = connection.execute("""
            select n, dense_rank() over (order by text) - 1 as number from token""").fetchnumpy()
        places = _places(texts, secret, n_bits)
        bits[np.repeat(found["n"], n_bits), places[found["number"]].ravel()] = True
    folded = bits[:, :_FOLDED] ^ bits[:, _FOLDED:]
    return np.packbits(folded, axis=1), np.asarray(known, dtype=bool)


def _places(texts: list[str], secret: bytes, n_bits: int) -> np.ndarray:
    """The bits that each distinct token sets: double hashing from one keyed digest."""
    digests = b"".join(hmac.new(secret, text.encode(), hashlib.sha256).digest()[:16] for text in texts)
    halves = np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2) % np.uint64(_BITS)
    step = halves[:, 1] | np.uint64(1)
    return ((halves[:, :1] + np.arange(n_bits, dtype=np.uint64) * step[:, None]) % np.uint64(_BITS)).astype(np.int64)


def _most_alike(theirs: np.ndarray, ours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of their filters the row of ours most like it, and the Dice similarity."""
    best, likeness = np.zeros(len(theirs), dtype=np.int64), np.zeros(len(theirs))
    left = np.unpackbits(theirs, axis=1).astype(np.float32)
    for start in range(0, len(ours), _CHUNK):
        right = np.unpackbits(ours[start : start + _CHUNK], axis=1).astype(np.float32)
        dice = 2 * (left @ right.T) / np.maximum(left.sum(axis=1)[:, None] + right.sum(axis=1)[None, :], 1)
        at = dice.argmax(axis=1)
        better = dice[np.arange(len(at)), at] > likeness
        best[better], likeness[better] = at[better] + start, dice[np.arange(len(at)), at][better]
    return best, likeness
