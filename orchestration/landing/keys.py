"""The pseudonymisation key, and keyed tokens as a set-based SQL expression.

A token is the first 128 bits of HMAC-SHA-256(key, message), as a UUID. HMAC needs only SHA-256 over the message behind two
constant 64-byte pads (RFC 2104), so DuckDB computes it for whole columns; the pads are variables of the connection, bound as
parameters, so that the key never appears in SQL text or in an error message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import uuid
from pathlib import Path

import duckdb

from orchestration.landing.errors import LandingError

MINIMUM_KEY_BYTES = 32
_BLOCK_BYTES = 64


class PseudonymisationKey:
    """A key of at least 256 bits. `key_id` (8 hex characters) may be logged and stored; the key itself has no printable form."""

    __slots__ = ("_key", "key_id")

    def __init__(self, key: bytes) -> None:
        if len(key) < MINIMUM_KEY_BYTES:
            raise LandingError(
                f"the pseudonymisation key has {len(key) * 8} bits and needs at least {MINIMUM_KEY_BYTES * 8}: "
                "give a longer one, or let a new key file be made"
            )
        self._key = bytes(key)
        self.key_id = hashlib.sha256(self._key).hexdigest()[:8]

    @classmethod
    def from_text(cls, text: str) -> PseudonymisationKey:
        """Read a key written in hexadecimal or base64 (standard or URL-safe)."""
        text = "".join(text.split())
        if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
            return cls(bytes.fromhex(text))
        try:
            return cls(base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True))
        except binascii.Error as error:
            raise LandingError("the pseudonymisation key is neither hexadecimal nor base64") from error

    @classmethod
    def from_file(cls, path: Path) -> PseudonymisationKey:
        """Read a key file; it must be readable by its owner only."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise LandingError(f"the pseudonymisation key file {path} cannot be read: {error}") from error
        if mode & 0o077:
            raise LandingError(f"the pseudonymisation key file {path} is open to others (mode {mode:o}): run `chmod 600 {path}`")
        return cls.from_text(text)

    @classmethod
    def create_file(cls, path: Path) -> PseudonymisationKey:
        """Make a new random key in a file of mode 0600. Never overwrites one: a lost key breaks every token made with it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise LandingError(f"{path} exists: a pseudonymisation key is never overwritten") from error
        except OSError as error:
            raise LandingError(f"cannot write the key file {path}: {error}") from error
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(MINIMUM_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return cls.from_file(path)

    def token(self, message: str) -> uuid.UUID:
        """The token of one message; equal to what `token_sql` gives for it."""
        return uuid.UUID(bytes=hmac.new(self._key, message.encode(), hashlib.sha256).digest()[:16])

    def install(self, con: duckdb.DuckDBPyConnection) -> None:
        """Put the two pads where `token_sql` finds them: two variables of this connection."""
        key = hashlib.sha256(self._key).digest() if len(self._key) > _BLOCK_BYTES else self._key
        block = key.ljust(_BLOCK_BYTES, b"\0")
        con.execute("set variable inner_pad = $1::blob", [bytes(b ^ 0x36 for b in block)])
        con.execute("set variable outer_pad = $1::blob", [bytes(b ^ 0x5C for b in block)])

    def __repr__(self) -> str:
        return f"PseudonymisationKey(key_id={self.key_id!r})"

    def __reduce__(self) -> str:
        raise TypeError("a pseudonymisation key is not to be copied or pickled")


def token_sql(message: str) -> str:
    """SQL for the token of the text expression `message`; NULL for NULL. The connection must have the key installed."""
    inner = f"unhex(sha256(getvariable('inner_pad') || encode({message})))"
    return f"cast(sha256(getvariable('outer_pad') || {inner})[:32] as uuid)"
