"""Statements as JSON and XML, with their schemas, all derived from the types of the model.

A dataclass is an object or an element; a text, number or truth value is a member or an attribute; a tuple is an array
or an element of ``item`` elements. What is unknown (None) is left out.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from lxml import etree

from harness.core.errors import UsageError
from harness.statement.model import SCHEMA_VERSION, Statement

NAMESPACE: Final = "urn:ihe-harness:statement:1"
_XS: Final = "http://www.w3.org/2001/XMLSchema"
MAX_BYTES: Final = 32 * 1024 * 1024
T = TypeVar("T")


class _Wrong(ValueError):
    """What is wrong, with the place in the document."""


def _types(cls: Any) -> dict[str, Any]:
    return _types_of(cls)


@cache
def _types_of(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _item(hint: Any) -> Any:
    """The type of the items of a tuple, or None for any other type."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None


def _scalar(hint: Any) -> type:
    """The plain type of a text, number, truth value or enumeration that may be unknown."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    plain: type = hint
    return plain


def _required(cls: Any) -> list[str]:
    return [
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]


# -- JSON ------------------------------------------------------------------------------------------------------


def to_plain(value: Any) -> Any:
    """Plain JSON data; what is unknown is left out."""
    if dataclasses.is_dataclass(value):
        members = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: to_plain(member) for name, member in members if member is not None}
    if isinstance(value, tuple):
        return [to_plain(member) for member in value]
    return value.value if isinstance(value, enum.Enum) else value


def from_plain(cls: type[T], data: Any, where: str = "$") -> T:
    """Read back what :func:`to_plain` wrote. Raises ValueError naming the place."""
    if not isinstance(data, Mapping):
        raise _Wrong(f"{where}: an object is expected")
    hints = _types(cls)
    if unknown := sorted(set(data) - set(hints)):
        raise _Wrong(f"{where}: unknown member {unknown[0]!r}; known: {', '.join(hints)}")
    if absent := [name for name in _required(cls) if name not in data]:
        raise _Wrong(f"{where}: {absent[0]!r} is missing")
    return cls(**{name: _value(hints[name], data[name], f"{where}.{name}") for name in hints if name in data})


def _value(hint: Any, data: Any, where: str) -> Any:
    if (item := _item(hint)) is not None:
        if not isinstance(data, list):
            raise _Wrong(f"{where}: an array is expected")
        return tuple(_value(item, member, f"{where}[{number}]") for number, member in enumerate(data))
    kind = _scalar(hint)
    if dataclasses.is_dataclass(kind):
        return from_plain(kind, data, where)
    if issubclass(kind, enum.Enum):
        try:
            return kind(data)
        except ValueError:
            raise _Wrong(f"{where}: {data!r} is none of {', '.join(m.value for m in kind)}") from None
    if type(data) is not kind:
        raise _Wrong(f"{where}: {kind.__name__} is expected, {data!r:.60} was found")
    return data


def json_bytes(statement: Statement) -> bytes:
    """The statement as JSON: UTF-8, one member a line, the same for the same statement."""
    return (json.dumps(to_plain(statement), ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of :func:`json_bytes`."""
    definitions: dict[str, Any] = {}
    root = _schema(Statement, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": NAMESPACE,
        "title": "Conformance statement",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if (item := _item(hint)) is not None:
        return {"type": "array", "items": _schema(item, definitions)}
    kind = _scalar(hint)
    if dataclasses.is_dataclass(kind):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}
            definitions[kind.__name__] = {
                "type": "object",
                "additionalProperties": False,
                "required": _required(kind),
                "properties": {name: _schema(member, definitions) for name, member in _types(kind).items()},
            }
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if issubclass(kind, enum.Enum):
        return {"type": "string", "enum": [member.value for member in kind]}
    return {"type": {str: "string", int: "integer", bool: "boolean"}[kind]}


# -- XML -------------------------------------------------------------------------------------------------------


def xml_bytes(statement: Statement) -> bytes:
    """The statement as XML in :data:`NAMESPACE`."""
    root = etree.Element(f"{{{NAMESPACE}}}statement", nsmap={None: NAMESPACE})
    _fill(root, statement)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _fill(element: etree._Element, value: Any) -> None:
    for name, hint in _types(type(value)).items():
        member = getattr(value, name)
        if (item := _item(hint)) is not None:
            holder = etree.SubElement(element, f"{{{NAMESPACE}}}{name}")
            for entry in member:
                child = etree.SubElement(holder, f"{{{NAMESPACE}}}item")
                if dataclasses.is_dataclass(item):
                    _fill(child, entry)
                else:
                    child.text = xml_text(entry)
        elif dataclasses.is_dataclass(_scalar(hint)):
            _fill(etree.SubElement(element, f"{{{NAMESPACE}}}{name}"), member)
        elif member is not None:
            element.set(name, str(member).lower() if isinstance(member, bool) else xml_text(str(member)))


def xml_text(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(ch for ch in text if ch in "\t\n\r" or (ch >= " " and not _unfit(ord(ch))))


def _unfit(point: int) -> bool:
    return 0xD800 <= point < 0xE000 or point in (0xFFFE, 0xFFFF)


def _plain_of(element: etree._Element, cls: type, where: str) -> dict[str, Any]:
    """Plain data of an element, for :func:`from_plain`; numbers and truth values are read by the type they have."""
    hints = _types(cls)
    data: dict[str, Any] = {}
    for name, text in element.attrib.items():
        key = str(name)
        if key in hints and (_item(hints[key]) is not None or dataclasses.is_dataclass(_scalar(hints[key]))):
            raise _Wrong(f"{where}: {key} is an element, not an attribute")
        kind = _scalar(hints[key]) if key in hints else str
        if kind is bool and text in ("true", "false"):
            data[key] = text == "true"
        elif kind is int and str(text).isdigit() and len(text) < 12:
            data[key] = int(text)
        else:
            data[key] = str(text)
    for child in element:
        if not isinstance(child.tag, str):
            continue
        key = etree.QName(child).localname
        if key not in hints:
            raise _Wrong(f"{where}: unknown element {key!r}; known: {', '.join(hints)}")
        item = _item(hints[key])
        if item is None:
            data[key] = _plain_of(child, hints[key], f"{where}/{key}")
        elif dataclasses.is_dataclass(item):
            data[key] = [
                _plain_of(entry, item, f"{where}/{key}[{n}]")  # type: ignore[arg-type]
                for n, entry in enumerate(child, 1)
            ]
        else:
            data[key] = [entry.text or "" for entry in child]
    return data


def xsd_bytes() -> bytes:
    """XML Schema of :func:`xml_bytes`."""
    root = etree.Element(
        f"{{{_XS}}}schema",
        nsmap={"xs": _XS, None: NAMESPACE},
        targetNamespace=NAMESPACE,
        elementFormDefault="qualified",
        version=str(SCHEMA_VERSION),
    )
    etree.SubElement(root, f"{{{_XS}}}element", name="statement", type="Statement")
    done: set[str] = set()
    _complex_type(root, Statement, done)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _complex_type(root: etree._Element, cls: Any, done: set[str]) -> str:
    name_of_type = str(cls.__name__)
    if name_of_type in done:
        return name_of_type
    done.add(name_of_type)
    definition = etree.SubElement(root, f"{{{_XS}}}complexType", name=name_of_type)
    sequence = etree.SubElement(definition, f"{{{_XS}}}sequence")
    for name, hint in _types(cls).items():
        kind = _item(hint)
        if kind is not None:
            holder = etree.SubElement(sequence, f"{{{_XS}}}element", name=name, minOccurs="0")
            inner = etree.SubElement(etree.SubElement(holder, f"{{{_XS}}}complexType"), f"{{{_XS}}}sequence")
            named = _complex_type(root, kind, done) if dataclasses.is_dataclass(kind) else "xs:string"
            etree.SubElement(inner, f"{{{_XS}}}element", name="item", type=named, minOccurs="0", maxOccurs="unbounded")
        elif dataclasses.is_dataclass(_scalar(hint)):
            needed = "1" if name in _required(cls) else "0"
            named = _complex_type(root, _scalar(hint), done)
            etree.SubElement(sequence, f"{{{_XS}}}element", name=name, type=named, minOccurs=needed)
    for name, hint in _types(cls).items():
        kind = _scalar(hint)
        if _item(hint) is not None or dataclasses.is_dataclass(kind):
            continue
        use = "required" if name in _required(cls) else "optional"
        attribute = etree.SubElement(definition, f"{{{_XS}}}attribute", name=name, use=use)
        if issubclass(kind, enum.Enum):
            simple = etree.SubElement(attribute, f"{{{_XS}}}simpleType")
            restriction = etree.SubElement(simple, f"{{{_XS}}}restriction", base="xs:string")
            for member in kind:
                etree.SubElement(restriction, f"{{{_XS}}}enumeration", value=member.value)
        else:
            attribute.set("type", {str: "xs:string", int: "xs:nonNegativeInteger", bool: "xs:boolean"}[kind])
    return name_of_type


# -- reading ---------------------------------------------------------------------------------------------------


def load_statement(path: Path) -> Statement:
    """A statement in our JSON or XML. Raises UsageError naming the file and the place."""
    data = read_bounded(path)
    return parse_statement(data, str(path))


def read_bounded(path: Path) -> bytes:
    """The bytes of a document of reasonable size. Raises UsageError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES} bytes; this is no statement")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def parse_statement(data: bytes, name: str = "statement") -> Statement:
    """A statement from the bytes of our JSON or XML. Raises UsageError."""
    try:
        if data.lstrip()[:1] == b"<":
            plain: Any = _plain_of(_xml_root(data), Statement, "statement")
        else:
            plain = json.loads(data)
        statement = from_plain(Statement, plain)
    except (ValueError, RecursionError, etree.XMLSyntaxError) as error:
        raise UsageError(f"{name}: not a statement of this program: {error}") from error
    if statement.schema_version != SCHEMA_VERSION:
        raise UsageError(f"{name}: has schema version {statement.schema_version}, this program reads {SCHEMA_VERSION}")
    return statement


def _xml_root(data: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.doctype:
        raise _Wrong("it has a document type declaration, which a statement never has")
    if root.tag != f"{{{NAMESPACE}}}statement":
        raise _Wrong(f"its root element is {str(root.tag)[:80]}, not statement of {NAMESPACE}")
    return root
