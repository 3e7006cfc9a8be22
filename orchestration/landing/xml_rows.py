"""XML extracts: one repeated element is one row. Streaming; anything that could make an entity grow is refused.

A document type declaration is the only place where entities can be declared, and no extract needs one: refusing it defends
against entity expansion and external entities at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.parsers import expat

from orchestration.landing.contract import Table
from orchestration.landing.errors import Refusal
from orchestration.landing.intake import Intake
from orchestration.landing.sieve import Malformed, Sieved, TextWriter

_BLOCK_BYTES = 1 << 20


class _Element:
    """An open element: its attributes and, so far, the text of its children that have no children themselves."""

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name, self.line = name, line
        self.values = {_local(key): value for key, value in attributes.items()}
        self.text: list[str] = []
        self.has_children = False
        self.repeated: str | None = None


class _RowHandler:
    def __init__(self, table: Table, out: Path, name: str) -> None:
        form = table.terms.format
        self.name = name
        self.row_element = (form.row_element or "").casefold()
        self.columns = [(column.name, [h.casefold() for h in column.headers]) for column in table.columns]
        self.inherit = {header.casefold(): element.casefold() for header, element in form.inherit.items()}
        self.writer = TextWriter(out, [name for name, _ in self.columns])
        self.malformed: list[Malformed] = []
        self.extra: set[str] = set()
        self.known = {h for _, headers in self.columns for h in headers}
        self.stack: list[_Element] = []
        self.parser: Any = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.refuse_doctype

    def refuse_doctype(self, *_: object) -> None:
        raise Refusal(
            f"{self.name}, line {self.parser.CurrentLineNumber}: a document type declaration is not accepted, because it can "
            "declare entities that expand without limit; ask for the file without it"
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.stack:
            self.stack[-1].has_children = True
        self.stack.append(_Element(_local(name), attributes, self.parser.CurrentLineNumber))

    def characters(self, text: str) -> None:
        if self.stack:
            self.stack[-1].text.append(text)

    def end(self, _: str) -> None:
        element = self.stack.pop()
        if element.name == self.row_element:
            self.row(element)
        elif self.stack and not element.has_children:
            parent = self.stack[-1]
            if element.name in parent.values:
                parent.repeated = element.name
            parent.values[element.name] = "".join(element.text)

    def row(self, element: _Element) -> None:
        values = dict(element.values)
        for header, enclosing in self.inherit.items():
            holder = next((outer for outer in reversed(self.stack) if outer.name == enclosing), None)
            if holder is not None and header in holder.values:
                values.setdefault(header, holder.values[header])
        if element.repeated in self.known:
            text = ", ".join(f"{key}={value}" for key, value in values.items())
            self.malformed.append(Malformed(element.line, "repeated_element", text))
            return
        self.extra |= values.keys() - self.known
        self.writer.add([element.line, *(next((values[h] for h in headers if h in values), None) for _, headers in self.columns)])


def _local(name: str) -> str:
    """Element and attribute names are compared without namespace prefix and without case, as CSV headers are."""
    return name.rpartition(":")[2].casefold()


def read_xml(table: Table, intake: Intake, name: str, out: Path) -> tuple[Sieved, tuple[str, ...]]:
    """Rows of one table from an XML file, and the names met in its rows that no column answers to.

    Raises `Refusal` when the file is not well-formed (cut short, for example) or holds a document type declaration.
    """
    handler = _RowHandler(table, out, name)
    try:
        with intake.path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                handler.parser.Parse(block, False)
            handler.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Refusal(
            f"{name}, line {error.lineno}: not well-formed XML ({expat.ErrorString(error.code)}); it was probably cut short, "
            "ask for it again"
        ) from error
    finally:
        handler.writer.close()
    return Sieved(out, handler.writer.n_rows, handler.malformed, False), tuple(sorted(handler.extra))
