"""Hostile media by name: what a person who wants to harm a reader would put on a disc."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.actors.media.creator import MediaCreator
from harness.actors.objects import archive_plan, make, uid_source
from harness.protocols.media.writing.records import DirectoryBuilder

SECTOR = 2048
Case = tuple[str, Callable[[Path], Path]]
PATHS = (
    "../x", "../../x", "a/../../x", "a/../b/../../x", "/etc/x", "//host/x", "C:/x", "c:x", "C:\\x", "a\\b",
    "\\\\host\\x",
    "a//b", "a/.", "./a", "a/..", "..", ".", "NUL", "nul.txt", "A/COM1.TXT", "LPT9", "AUX", "CON", "PRN.HTM", "a\x01b",
    "a\nb", "a\rb", "a\tb", "a\x1b[31m", "x" * 2000, "/".join("a" * 60), "~/x/../../../y", "%2e%2e/../x", "..\\x",
)  # fmt: skip
DAMAGE = 40
DIRECTORIES = 40
EMPTY_PREAMBLE = bytes(128) + b"DICM"


def directory() -> bytes:
    """A sound DICOMDIR."""
    builder = DirectoryBuilder("TEST", "1.2.3")
    for number, sample in enumerate(make(archive_plan(), uid_source(3)), 1):
        builder.add(sample.dataset, None, ["DICOM", f"IM{number:06d}"], "1.2.840.10008.1.2.1")
    return builder.encode()


def sound_image(folder: Path) -> bytes:
    """An ISO image that nothing is wrong with."""
    folder.mkdir(exist_ok=True)
    samples = make(archive_plan(), uid_source(6))[:2]
    MediaCreator(uid=uid_source(6)).write([sample.dataset for sample in samples], folder / "sound.iso")
    return (folder / "sound.iso").read_bytes()


def zip_cases() -> Iterator[Case]:
    """Paths that leave, bombs, twins, links, broken members."""
    for number, path in enumerate(PATHS):

        def named(folder: Path, path: str = path) -> Path:
            with zipfile.ZipFile(folder / "m.zip", "w") as archive:
                archive.writestr(path, b"x")
            return folder / "m.zip"

        yield f"zip path {number}", named

    def bomb(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "m.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("DICOMDIR", bytes(40 << 20))
        return folder / "m.zip"

    def liar(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "m.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("DICOMDIR", directory() * 20)
        raw = (folder / "m.zip").read_bytes()
        place = raw.rfind(b"PK\x01\x02")
        (folder / "m.zip").write_bytes(raw[: place + 24] + struct.pack("<I", 100) + raw[place + 28 :])
        return folder / "m.zip"

    def many(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "m.zip", "w") as archive:
            for number in range(3000):
                archive.writestr(f"D{number:06d}/A", b"")
        return folder / "m.zip"

    yield from (("zip bomb", bomb), ("zip that lies of sizes", liar), ("zip of many folders", many))


def folder_cases() -> Iterator[Case]:
    """Links and pipes."""

    def made(name: str, make_it: Callable[[Path], None]) -> Case:
        def case(folder: Path) -> Path:
            (folder / "m").mkdir()
            (folder / "m" / "DICOMDIR").write_bytes(directory())
            (folder / "m" / "DICOM").mkdir()
            make_it(folder / "m")
            return folder / "m"

        return f"folder with {name}", case

    def strange(root: Path) -> None:
        Path(os.fsdecode(bytes(root) + b"/\xff\xfe")).write_bytes(b"x")

    def as_folder(root: Path) -> None:
        (root / "DICOMDIR").unlink()
        (root / "DICOMDIR").mkdir()

    yield made("a link to a file", lambda root: (root / "DICOM" / "IM000001").symlink_to("/etc/passwd"))
    yield made("a link to a folder", lambda root: (root / "IHE_PDI").symlink_to("/"))
    yield made("a link to itself", lambda root: (root / "LOOP").symlink_to(root / "LOOP"))
    yield made("a link above", lambda root: (root / "UP").symlink_to(root.parent))
    yield made("a pipe", lambda root: os.mkfifo(root / "DICOM" / "IM000001"))
    yield made("names of no character set", strange)
    yield made("a DICOMDIR as folder", as_folder)


def replacing(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A change of bytes."""
    return lambda raw: raw.replace(old, new)


def directory_cases() -> Iterator[Case]:
    """DICOMDIR whose bytes or references are hostile."""

    def held(name: str, change: Callable[[bytes], bytes]) -> Case:
        def case(folder: Path) -> Path:
            (folder / "m").mkdir()
            (folder / "m" / "DICOMDIR").write_bytes(change(directory()))
            return folder / "m"

        return f"DICOMDIR {name}", case

    for number, path in enumerate(
        ("..\\..\\ETC", "\\\\HOST\\A", "C:\\A", "A\\..\\..\\B", "\0\0\0", "A\\\\B", "NUL\\AUX")
    ):
        yield held(f"reference {number}", replacing(b"DICOM\\IM000001", path.encode("latin-1")[:14].ljust(14)))
    yield held("empty", lambda raw: b"")
    yield held("of zeros", lambda raw: bytes(100_000))
    yield held("of one preamble", lambda raw: EMPTY_PREAMBLE)
    yield held("of open sequences", lambda raw: raw[:300] + b"\x04\x00\x20\x12SQ\0\0\xff\xff\xff\xff" * 20_000)
    yield held("of open items", lambda raw: raw[:394] + b"\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000)
    yield held("of a hundred thousand empty items", lambda raw: raw[:394] + b"\xfe\xff\x00\xe0\0\0\0\0" * 100_000)
    yield held("with the largest length", lambda raw: raw.replace(b"PN", b"UT", 1))
    yield held("twice", lambda raw: raw + raw)

    def fuzzed(seed: int) -> Callable[[bytes], bytes]:
        def change(raw: bytes) -> bytes:
            source = random.Random(seed)
            damaged = bytearray(raw)
            for _ in range(source.randint(1, 16)):
                place = source.randrange(132, len(damaged) - 4)
                struct.pack_into(
                    "<I", damaged, place, source.choice((0, 0xFFFFFFFF, 0x7FFFFFFF, source.getrandbits(32), place, 394))
                )
            return bytes(damaged[: source.randrange(132, len(damaged))] if seed % 4 == 0 else damaged)

        return change

    yield from (held(f"fuzzed {seed}", fuzzed(seed)) for seed in range(DIRECTORIES))


def image_cases(sound: bytes) -> Iterator[Case]:
    """ISO images with loops, overlaps, huge lengths, cuts, symbolic links of Rock Ridge."""
    root = struct.unpack_from("<I", sound, 16 * SECTOR + 158)[0] * SECTOR

    def held(name: str, change: Callable[[bytearray], None], cut: int | None = None) -> Case:
        def case(folder: Path) -> Path:
            raw = bytearray(sound)
            change(raw)
            (folder / "m.iso").write_bytes(bytes(raw[:cut]))
            return folder / "m.iso"

        return f"image {name}", case

    def records() -> Iterator[int]:
        place = root
        while sound[place]:
            yield place
            place += sound[place]

    def number(place: int, little: int) -> Callable[[bytearray], None]:
        def change(raw: bytearray) -> None:
            struct.pack_into("<I", raw, place, little)
            struct.pack_into(">I", raw, place + 4, little)

        return change

    def byte(place: int, value: int) -> Callable[[bytearray], None]:
        def change(raw: bytearray) -> None:
            raw[place] = value

        return change

    def words(old: bytes, new: bytes) -> Callable[[bytearray], None]:
        def change(raw: bytearray) -> None:
            raw[:] = raw.replace(old, new)

        return change

    places = list(records())
    for index, place in enumerate(places):
        yield held(f"record {index} leads to the root", number(place + 2, root // SECTOR))
        yield held(f"record {index} is huge", number(place + 10, 0xFFFFFFFF))
        yield held(f"record {index} is outside", number(place + 2, 0x7FFFFFFF))
        yield held(f"record {index} is at sector 0", number(place + 2, 0))
        yield held(f"record {index} has no length", byte(place, 1))
        yield held(f"record {index} has a name longer than itself", byte(place + 32, 255))
        yield held(f"record {index} is a folder", byte(place + 25, 2))
        yield held(f"record {index} is in pieces", byte(place + 25, 0x80))
    for step in range(1, 13):
        yield held(f"cut at {step} twelfths", lambda raw: None, cut=len(sound) * step // 13)

    def rock_ridge(raw: bytearray) -> None:
        """A symbolic link in the system use area; readers of the primary names must not follow it."""
        place = places[2]
        link = b"SL\x10\x01\x00\x02\x00\x08\x03etc/pa"
        record = raw[place : place + raw[place]]
        longer = bytes((len(record) + len(link),)) + bytes(record[1:]) + link
        end = places[-1] + raw[places[-1]]
        tail = bytes(raw[place + len(record) : end])
        raw[place : place + len(longer) + len(tail)] = longer + tail

    yield held("with a symbolic link of Rock Ridge", rock_ridge)
    yield held("with names that leave", words(b"DICOMDIR", b"../../ET"))
    yield held("with device names", words(b"README.TXT", b"NUL.TXTTXT"))
    for seed in range(DAMAGE):

        def fuzz(raw: bytearray, seed: int = seed) -> None:
            source = random.Random(seed)
            for _ in range(source.randint(1, 20)):
                area = source.choice((16 * SECTOR, root))
                raw[area + source.randrange(SECTOR)] = source.getrandbits(8)

        yield held(f"fuzzed {seed}", fuzz)


def page_cases() -> Iterator[Case]:
    """Web pages that attack their reader."""
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(12))
    texts = {
        "billion laughs": f"<!DOCTYPE html [{bomb}]><html>&e11;</html>",
        "external entity": '<!DOCTYPE html [<!ENTITY a SYSTEM "file:///etc/passwd">]><html>&a;</html>',
        "parameter entity": '<!DOCTYPE html [<!ENTITY % a SYSTEM "http://127.0.0.1/x"> %a;]><html/>',
        "external subset": '<!DOCTYPE html SYSTEM "file:///etc/passwd"><html/>',
        "deep nesting": "<a>" * 50_000,
        "long attribute": f'<html><a href="{"x" * 3_000_000}"/></html>',
        "many links": "<html>" + '<a href="../../../etc/passwd"/>' * 30_000 + "</html>",
        "script": "<html><script>while(1){}</script></html>",
        "script link": '<html><a href="javascript:alert(1)">x</a></html>',
        "unknown encoding": '<?xml version="1.0" encoding="utf-7"?><html/>',
        "null bytes": "\0" * 10_000,
        "bad link": '<html><a href="http://[::1">x</a><a href="C:\\x"/><a href="//h/x"/></html>',
        "frame": '<html><iframe src="/etc/passwd"/><object data="file:///etc/passwd"/></html>',
        "processing instruction": '<?xml-stylesheet href="file:///etc/passwd" type="text/xsl"?><html/>',
    }
    for name, text in texts.items():

        def case(folder: Path, text: str = text) -> Path:
            (folder / "m" / "IHE_PDI").mkdir(parents=True)
            (folder / "m" / "DICOMDIR").write_bytes(directory())
            (folder / "m" / "INDEX.HTM").write_text(text, "utf-8")
            return folder / "m"

        yield f"page with {name}", case


def object_cases() -> Iterator[Case]:
    """DICOM files that a record names."""
    large = struct.pack("<HH2sHI", 0x0008, 0x0018, b"UN", 0, 0xFFFFFFF0)
    deep = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    stream = io.BytesIO()
    make(archive_plan(), uid_source(3))[0].dataset.save_as(stream, enforce_file_format=True)
    whole = stream.getvalue()
    contents = {
        "a huge length": whole[:400] + large,
        "deep nesting": whole[:350] + deep * 5000,
        "nothing": b"",
        "a preamble": EMPTY_PREAMBLE,
        "half of it": whole[: len(whole) // 2],
        "a CMS bomb": bytes.fromhex("3080 06092a864886f70d010703") + b"\xa0\x80\x30\x80" * 20_000,
        "noise": random.Random(1).randbytes(50_000),
    }
    for name, content in contents.items():

        def case(folder: Path, content: bytes = content) -> Path:
            (folder / "m" / "DICOM").mkdir(parents=True)
            (folder / "m" / "DICOMDIR").write_bytes(directory())
            (folder / "m" / "DICOM" / "IM000001").write_bytes(content)
            return folder / "m"

        yield f"object with {name}", case
