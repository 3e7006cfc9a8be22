"""Files as people have them: read whole whatever their shape, or refused with the line, never read in part."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.codelists.codes import passes_verhoeff
from orchestration.codelists.reading import CodelistError, Entry, is_refset, read_codelist, read_refset

#: As in the files themselves; the last is what a site makes of one by hand.
CODE_HEADERS = ["code", "snomedct_id", "SNOMED_code", "ConceptId", "SNOMED CT Concept ID", "id"]
TERM_HEADERS = ["term", "name", "SNOMED_code_description", "ConceptId_Description", "description"]
SHORT = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

concepts = st.integers(1_000, 10**14).map(
    lambda n: next(f"{n}00{check}" for check in range(10) if passes_verhoeff(f"{n}00{check}"))
)
terms = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


def write(path, header, rows, delimiter=",", newline="\r\n", encoding="utf-8-sig"):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=newline).writerows([header, *rows])
    path.write_bytes(file.getvalue().encode(encoding))
    return path


@SHORT
@given(
    st.dictionaries(concepts, terms, min_size=1, max_size=8),
    st.sampled_from(CODE_HEADERS),
    st.sampled_from(TERM_HEADERS),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_a_list_is_read_as_it_was_written(tmp_path, listed, code, term, delimiter, newline, encoding, term_first):
    header, rows = [code, "note", term], [[c, "x", t] for c, t in listed.items()]
    if term_first:
        header, rows = header[::-1], [row[::-1] for row in rows]
    path = write(tmp_path / "list.csv", header, rows, delimiter, newline, encoding)
    assert read_codelist(path, "snomed") == [Entry(c, t, "INCLUSION") for c, t in listed.items()]


@SHORT
@given(st.binary(max_size=400))
def test_whatever_the_bytes_it_is_a_list_or_a_message(tmp_path, content):
    path = tmp_path / "list.csv"
    path.write_bytes(b"code,term\n" + content)
    with suppress(CodelistError):
        assert read_codelist(path, "snomed")


@SHORT
@given(st.lists(concepts, min_size=2, max_size=6, unique=True), st.data())
def test_a_spoilt_code_is_told_with_its_line_and_nothing_is_read(tmp_path, codes, data):
    spoilt = data.draw(st.integers(0, len(codes) - 1))
    shown = list(codes)
    shown[spoilt] = f"{float(codes[spoilt]):.2E}"
    path = write(tmp_path / "list.csv", ["term", "code"], [["x", code] for code in shown])
    with pytest.raises(CodelistError, match=rf"line {spoilt + 2}, column code: .* lost its digits"):
        read_codelist(path, "snomed")


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize(
    "header",
    [
        ["Cluster_ID", "Cluster_Description", "SNOMED_code", "SNOMED_code_description", "PCD_Refset_ID", "Service_and_Ruleset"],
        ["Cluster_ID", "Cluster_Desc", "ConceptId", "ConceptId_Description", "Refset_ID", "Type_of_Inclusion"],
    ],
)
def test_a_reference_set_gives_its_clusters(tmp_path, header, delimiter):
    rows = [
        ["AST_COD", "Asthma", "195967001", "Asthma (disorder)", "^999", "QOF"],
        ["AST_COD", "Asthma", "195967001", "Asthma (disorder)", "^999", "Enhanced service"],
        ["ASTRES_COD", "Asthma resolved", "162660004", "Asthma resolved, so to speak", "^998", "QOF"],
    ]
    path = write(tmp_path / "20251201_PCD_Refset_Content.txt", header, rows, delimiter)
    assert is_refset(path)
    assert read_refset(path) == {
        "AST_COD": [Entry("195967001", "Asthma (disorder)", "INCLUSION")],
        "ASTRES_COD": [Entry("162660004", "Asthma resolved, so to speak", "INCLUSION")],
    }


def test_a_code_that_left_the_reference_set_is_left_out(tmp_path):
    header = ["Cluster_ID", "ConceptId", "ConceptId_Description", "Active_in_Refset"]
    rows = [["AST_COD", "195967001", "Asthma", "1"], ["AST_COD", "304527002", "Acute asthma", "0"]]
    assert [e.code for e in read_refset(write(tmp_path / "r.txt", header, rows, "\t"))["AST_COD"]] == ["195967001"]


def test_our_own_categories_are_read_and_those_of_others_are_not(tmp_path):
    rows = [["195967001", "INCLUSION"], ["162660004", "RESOLUTION"]]
    ours = read_codelist(write(tmp_path / "ours.csv", ["code", "category"], rows), "snomed")
    assert [entry.category for entry in ours] == ["INCLUSION", "RESOLUTION"]
    theirs = read_codelist(write(tmp_path / "theirs.csv", ["code", "category"], [["195967001", "1"]]), "snomed")
    assert [entry.category for entry in theirs] == ["INCLUSION"]


@pytest.mark.parametrize(
    ("system", "text", "told"),
    [
        ("snomed", "", "is empty"),
        ("snomed", "code,term\n", "has no codes"),
        ("snomed", "code,term\n195967001,Asthma,x\n", "line 2: 3 values where the header has 2 columns"),
        ("snomed", 'code,term\n195967001,"Asthma\n', "line 2: unexpected end of data"),
        ("snomed", "code,Code\n195967001,1\n", "two columns have one name"),
        ("snomed", "CTV3ID,CTV3PreferredTermDesc\nH33..,Asthma\n", "It holds CTV3 codes: download the snomed version"),
        ("snomed", "dmd_id,dmd_name\n39113311000001107,Salbutamol\n", "holds dmd codes"),
        ("icd10", "snomedct_id,name\n195967001,Asthma\n", "holds snomed codes"),
        ("snomed", "code,term\n195967001,As\0thma\n", "NUL"),
        ("snomed", "PK\x03\x04", "is a workbook or an archive"),
        ("snomed", "code,category\n195967001,INCLUSION\n195967001,RESOLUTION\n", "listed as INCLUSION and as RESOLUTION"),
        ("snomed", "code\n" + "1\n" * 15, "and 5 more"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, system, text, told):
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(CodelistError, match=re.escape(told)):
        read_codelist(path, system)


def test_windows_text_is_read(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes("code,term\n195967001,Ménière\n".encode("cp1252"))
    assert read_codelist(path, "snomed")[0].term == "Ménière"


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(CodelistError, match="cannot be read"):
        is_refset(tmp_path / "none.csv")
