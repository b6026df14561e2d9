"""Web pages of a medium: strictly parsed XHTML without entities, its links, scripts and text.

Entities that a page declares are never expanded and nothing outside the page is read.
"""

from __future__ import annotations

import codecs
import posixpath
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

NAMESPACE: Final = "http://www.w3.org/1999/xhtml"
MAXIMUM_SIZE: Final = 4 << 20
_TEXT: Final = 1 << 20
_LINKS: Final = 20_000
_LINKING: Final = frozenset(("href", "src", "data", "action", "background", "longdesc", "cite", "classid", "codebase"))
_ACTIVE: Final = frozenset(("script", "applet", "object", "embed", "iframe"))


@dataclass(frozen=True, slots=True)
class Link:
    """An address on a page: element, attribute, the value and the line."""

    element: str
    attribute: str
    value: str
    line: int


@dataclass(slots=True)
class Page:
    """What a page holds; ``problem`` says why it is no well-formed XHTML, "" if it is."""

    path: str
    problem: str = ""
    doctype: str = ""
    root: str = ""
    namespace: str = ""
    links: list[Link] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    #: scripts, plug-ins and event handlers: what and the line
    active: list[tuple[str, int]] = field(default_factory=list)
    text: str = ""
    title: str = ""


#: the XML declaration with its encoding
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,30})["'][^>]*\?>""")
#: multi-byte encodings of pages that expat does not know, as Python names their codecs
_MULTI_BYTE: Final = frozenset(
    (
        "big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030",
        "gb2312", "gbk", "iso2022_jp", "iso2022_kr", "johab", "shift_jis", "shift_jis_2004", "shift_jisx0213",
    )
)  # fmt: skip


class _Refused(Exception):
    pass


def _recoded(raw: bytes) -> bytes:
    """A page in UTF-8 if it declares an encoding that expat does not know: Shift_JIS, EUC-KR, GB18030, …

    Raises ValueError (or LookupError) if the bytes are not in the encoding that they declare.
    """
    found = _DECLARED.match(raw[:300])
    if found is None:
        return raw
    codec = codecs.lookup(found[1].decode("ascii")).name
    if codec not in _MULTI_BYTE:
        return raw
    # the declaration stays in its place, so that lines keep their numbers
    return b'<?xml version="1.0" encoding="UTF-8"?>' + raw[found.end() :].decode(codec).encode("utf-8")


def parse(path: str, raw: bytes) -> Page:
    """Read a page; nothing raises."""
    page = Page(path)
    if len(raw) > MAXIMUM_SIZE:
        page.problem = f"{len(raw)} bytes; a page has at most {MAXIMUM_SIZE}"
        return page
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    words: list[str] = []
    stack: list[str] = []

    def doctype(name: str, system: str | None, public: str | None, has_subset: bool) -> None:
        page.doctype = public or system or name

    def entity(name: str, *_: object) -> None:
        raise _Refused(f"line {parser.CurrentLineNumber}: declares the entity {name[:40]!r}")

    def start(name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not stack:
            page.root, page.namespace = local, namespace
        stack.append(local)
        if len(stack) > 200:
            raise _Refused("elements are nested deeper than 200 levels")
        line = parser.CurrentLineNumber
        if local.lower() in _ACTIVE:
            page.active.append((f"<{local}>", line))
        for key, value in attributes.items():
            attribute = key.rpartition(" ")[2]
            if attribute.lower().startswith("on"):
                page.active.append((f"{attribute}=", line))
            if attribute in ("id", "name"):
                page.anchors.add(value)
            if attribute in _LINKING and len(page.links) < _LINKS:
                page.links.append(Link(local, attribute, value, line))

    def end(_name: str) -> None:
        stack.pop()

    def characters(data: str) -> None:
        if stack and stack[-1] == "title" and len(page.title) < 1000:
            page.title += data
        elif len(words) < _TEXT // 8:
            words.append(data)

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(_recoded(raw), True)
    except expat.ExpatError as error:
        page.problem = str(error)
    except _Refused as error:
        page.problem = str(error)
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        page.problem = f"cannot be decoded: {error}"
    page.text = " ".join("".join(words)[:_TEXT].split())
    return page


def target(page: str, link: str) -> str | None:
    """The path on the medium that a link leads to, "" for the page itself.

    None if it leaves the medium: an absolute address, a path from the root or above it.
    """
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("/") or "\\" in link:
        return None
    if not parts.path:
        return ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
    return None if path == ".." or path.startswith("../") else path
