"""The text of a message from its bytes: character set, byte order mark, line ends; nothing raises."""

from __future__ import annotations

from harness.protocols.hl7 import charset


def read_text(raw: bytes) -> tuple[str, tuple[str, ...], list[str]]:
    """The text with carriage returns as segment ends, the sets of MSH-18, and what was wrong, in plain sentences."""
    problems: list[str] = []
    names: tuple[str, ...]
    if raw[:2] in (b"\xfe\xff", b"\xff\xfe") or raw[:6:2] == b"\x00\x00\x00" or raw[1:6:2] == b"\x00\x00\x00":
        codec = (
            "utf_16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else ("utf_16_be" if raw[:1] == b"\0" else "utf_16_le")
        )
        text, names = raw.decode(codec, "replace"), ("UNICODE UTF-16",)
    else:
        names = _declared(raw)
        text, complete = charset.decode(raw, names)
        if not complete:
            problems.append(f"bytes that do not fit MSH-18 ({'~'.join(names) or 'empty, 7-bit ASCII'})")
        problems.extend(f"MSH-18 {name!r} is not in HL7 table 0211" for name in names if not charset.known(name))
    if text[:1] == "\ufeff":
        problems.append("a byte order mark before MSH")
        text = text[1:]
    if "\n" in text:
        problems.append("line feeds in the message; segments end with a carriage return alone")
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    return text, names, problems


def _declared(raw: bytes) -> tuple[str, ...]:
    end = min((position for position in (raw.find(b"\r"), raw.find(b"\n")) if position >= 0), default=len(raw))
    msh = raw[: min(end, 4096)]
    if not msh.startswith(b"MSH") or len(msh) < 5:
        return ()
    fields = msh.split(msh[3:4])
    value = fields[17].decode("ascii", "replace") if len(fields) > 17 else ""
    repetition = chr(msh[5]) if len(msh) > 5 else "~"
    return tuple(value.split(repetition)) if value else ()
