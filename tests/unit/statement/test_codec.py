"""JSON, XML and their schemas: one model, read back as it was, and nothing hostile gets in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from harness.core.errors import UsageError
from harness.statement import codec
from tests.unit.statement import products

SCHEMAS = Path(codec.__file__).parent / "schema"


@pytest.mark.parametrize("write", [codec.json_bytes, codec.xml_bytes])
def test_what_is_written_is_read_back(write: object) -> None:
    assert callable(write)
    for statement in (products.modality_statement(limits="5 < 6 & 7"), products.archive_statement()):
        assert codec.parse_statement(write(statement)) == statement


def test_xml_is_valid_by_the_published_schema_and_wrong_xml_is_not() -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "statement.xsd"))
    document = etree.fromstring(codec.xml_bytes(products.modality_statement()))
    schema.assertValid(document)
    document.set("colour", "blue")
    assert not schema.validate(document)


def test_published_schemas_are_those_of_the_model() -> None:
    assert (SCHEMAS / "statement.xsd").read_bytes() == codec.xsd_bytes()
    assert json.loads((SCHEMAS / "statement.schema.json").read_bytes()) == codec.json_schema()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[" * 20000,
        b'{"product": {"name": 5}}',
        b'{"product": {"name": "x"}, "colour": 1}',
        b'{"product": {"name": "x"}, "sop_classes": [{"uid": "1", "name": "", "service": "", "role": "BOTH"}]}',
        b'{"product": {"name": "x"}, "schema_version": 99}',
        b"<statement/>",
        b'<statement xmlns="urn:ihe-harness:statement:1"><product name="x"/><colour/></statement>',
        b'<statement xmlns="urn:ihe-harness:statement:1"><product/></statement>',
        b'<statement xmlns="urn:ihe-harness:statement:1" product="x"/>',
        b'<!DOCTYPE statement [<!ENTITY a "x">]><statement xmlns="urn:ihe-harness:statement:1">'
        b'<product name="&a;"/></statement>',
        b'<!DOCTYPE s [<!ENTITY f SYSTEM "file:///etc/passwd">]><statement xmlns="urn:ihe-harness:statement:1"/>',
    ],
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        codec.parse_statement(data)
