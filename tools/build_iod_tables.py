"""Compile the tables of PS3.3 into ``harness/validation/data/iod.json``.

Inputs: highdicom's packaged tables (MIT; modules, attributes, types, usage of every composite IOD) and, for
conditions and terms, the JSON tables of the PyPI package ``dicom-standard`` (MIT), of which only facts are taken:
a condition whose sentence is fully understood becomes an expression of the small language of
``harness/validation/conditions.py``; any other stays "not evaluated". ``harness/validation/data/conditions.toml``
holds what was written and checked by hand and wins over both.

    pip download --no-deps dicom-standard==0.1.0 && unzip dicom_standard-*.whl -d /somewhere
    python tools/build_iod_tables.py /somewhere/dicom_standard-0.1.0.data/data/standard
"""

from __future__ import annotations

import html
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom._dicom_dict import DicomDictionary
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping as SNOMED

HERE = Path(__file__).resolve().parent.parent
DATA = HERE / "harness" / "validation" / "data"
TAG = {entry[4]: tag for tag, entry in DicomDictionary.items() if entry[4]}
KEYWORD = {tag: entry[4] for tag, entry in DicomDictionary.items()}
TYPES = ("1", "1C", "2", "2C", "3")
FUNCTIONAL_GROUPS = (0x52009229, 0x52009230)

Path_ = tuple[int, ...]


# -- conditions --------------------------------------------------------------------------------------------------

_NAMED = re.compile(
    r"(?:[A-Z][\w/&'()\-]*(?: (?:of|to|in|for|per|and|by|the|\(\w+\)|[A-Z0-9][\w/&'\-]*))* )?"
    r"\(([0-9A-F]{4}),([0-9A-F]{4})\)"
)
_VALUE = r'(?:"[^"]+"|[A-Z0-9][A-Z0-9_.]*(?: [A-Z0-9][A-Z0-9_]*)*|\d+)'
_VALUES = rf"{_VALUE}(?:(?:, or |, | or |,or ){_VALUE})*"
_IS = (
    r"(?:is present and the value is|is|equals|is equal to|value is|has a value of|has the value of|has the value"
    r"|values? equals?|has value|is set to)(?: either)?"
)
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (
            r"^@(\w+) (?:is present|is sent|exists|is present and has a value|is not empty|has a value|is included)$",
            "present",
        ),
        (r"^@(\w+) (?:is not present|is absent|is not sent)$", "absent"),
        (r"^@(\w+) (?:is empty)$", "empty"),
        (r"^@(\w+) (?:is|has a value|value is|is equal to or|has value) ?greater than (\d+)$", "greater"),
        (rf"^@(\w+),? (?:V|v)alue (\d) (?:of this frame )?{_IS} ({_VALUES})$", "nth"),
        (rf"^@(\w+),? (?:V|v)alue (\d) (?:of this frame )?is not ({_VALUES})$", "not-nth"),
        (rf"^@(\w+) {_IS} ({_VALUES})$", "is"),
        (rf"^@(\w+) (?:is not|is not equal to|does not equal) ({_VALUES})$", "is-not"),
    )
)


def text_of(markup: str) -> str:
    """Plain text of a description."""
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", markup))).strip()


def condition(description: str, module: dict[Path_, Any], path: Path_) -> str | None:
    """The expression of a "Required if" sentence, or None if any part of it is not understood.

    A trailing ``!`` says that the attribute shall not be present otherwise.
    """
    text = re.sub(r"\s+([.,;])", r"\1", text_of(description))
    found = re.search(
        r"Required (?:only )?if (.*?)(?:\.(?= [A-Z]|$)|; may be present otherwise|, may be present otherwise)", text
    )
    if found is None or len(re.findall("Required (?:only )?if", text)) > 1:
        return None
    sentence = found.group(1).rstrip(". ").replace("“", '"').replace("”", '"')
    parts = re.sub(r"(?:, | )only$", "", sentence)
    parts = _NAMED.sub(lambda match: f"@{match.group(1)}{match.group(2)}", parts)
    parts = re.sub(r"\b(?:the|a) value of @", "@", parts)
    parts = re.sub(r"\bthe @", "@", parts)
    parts = re.sub(r"^either ", "", parts)
    if ";" in parts or "(" in parts:
        return None
    pieces = re.split(r"(,? and |,? or )(?=(?:the )?@)", parts)
    operators = {re.sub("[, ]", "", piece) for piece in pieces[1::2]}
    if len(operators) > 1:
        return None
    terms = [term(piece.strip(), module, path) for piece in pieces[::2]]
    if any(piece is None for piece in terms):
        return None
    joined = f" {operators.pop() if operators else 'and'} ".join(str(piece) for piece in terms)
    # PS3.5 7.4.2: not to be included when the condition does not hold, unless the text says otherwise
    return joined + ("" if re.search(r"\b[Mm]ay (?:also |only )?be (?:present|included)|[Mm]ay be", text) else "!")


def term(piece: str, module: dict[Path_, Any], path: Path_) -> str | None:
    """One comparison as an expression."""
    for pattern, form in _FORMS:
        found = pattern.match(piece)
        if found is None:
            continue
        where = locate(int(found.group(1), 16), module, path)
        if where is None:
            return None
        if form in ("present", "absent", "empty"):
            return f"{form}({where})"
        if form == "greater":
            return f"{where} > {int(found.group(2))}"
        if form in ("nth", "not-nth"):
            return f"{where}[{found.group(2)}] {'in' if form == 'nth' else 'not in'} {values(found.group(3))}"
        return f"{where} {'in' if form == 'is' else 'not in'} {values(found.group(2))}"
    return None


def values(text: str) -> str:
    """A tuple of constants."""
    found = [value.strip('"').rstrip(".") for value in re.findall(_VALUE, text)]
    return "(" + "".join(f"{value!r}, " for value in found) + ")"


def locate(tag: int, module: dict[Path_, Any], path: Path_) -> str | None:
    """How the expression names an attribute: in the same item, in an enclosing one, or at the root."""
    keyword = KEYWORD.get(tag)
    if not keyword:
        return None
    enclosing = path[:-1]
    for up in range(len(enclosing) + 1):
        if (*enclosing[: len(enclosing) - up], tag) in module:
            return "up." * up + keyword
    return f"root.{keyword}" if enclosing else keyword


# -- terms -------------------------------------------------------------------------------------------------------

_LIST = re.compile(
    r"<strong>\s*(Enumerated Values?|Defined Terms?)(?: for Value (\d))?:\s*</strong>\s*</p>\s*<dl>(.*?)</dl>", re.S
)


def terms_of(description: str) -> list[list[Any]]:
    """Lists of terms, ``[kind, number of the value or 0, term...]``; none if the text makes them depend on more."""
    if re.search(r"(?:Enumerated Values?|Defined Terms?) (?:if|when)", description):
        return []
    found: list[list[Any]] = []
    for kind, number, body in _LIST.findall(description):
        words = [text_of(word) for word in re.findall(r"<dt>(.*?)</dt>", body, re.S)]
        words = [str(int(word[:-1], 16)) if re.fullmatch("[0-9A-F]{4}H", word) else word for word in words]
        if words and all(0 < len(word) <= 64 for word in words):
            found.append([kind[0], int(number or 0), *words])
    places = [entry[1] for entry in found]
    return found if len(places) == len(set(places)) and not (0 in places and len(places) > 1) else []


# -- tables ------------------------------------------------------------------------------------------------------


class Pool:
    """Equal values once, by index."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._index: dict[str, int] = {}

    def add(self, value: Any) -> int:
        key = json.dumps(value)
        if key not in self._index:
            self._index[key] = len(self.values)
            self.values.append(value)
        return self._index[key]


def described(folder: Path) -> dict[str, dict[Path_, str]]:
    """Descriptions of dicom-standard by module and path."""
    rows = json.loads((folder / "module_to_attributes.json").read_text())
    result: dict[str, dict[Path_, str]] = {}
    for row in rows:
        module, *parts = row["path"].split(":")
        if all(re.fullmatch("[0-9a-f]{8}", part) for part in parts):
            result.setdefault(module, {})[tuple(int(part, 16) for part in parts)] = row["description"]
    return result


def main(folder: Path) -> None:
    spec = importlib.util.find_spec("highdicom")
    if spec is None or spec.origin is None:
        sys.exit("highdicom is not installed: pip install 'ihe-harness[dev]'")
    packaged = Path(spec.origin).parent / "_standard"
    attributes = json.loads((packaged / "module_attribute_map.json").read_text())
    iods = json.loads((packaged / "iod_module_map.json").read_text())
    sop_classes = json.loads((packaged / "sop_class_iod_map.json").read_text())
    descriptions = described(folder)
    by_hand = tomllib.loads((DATA / "conditions.toml").read_text())
    for uid, (own, model) in by_hand["iods"].items():
        iods[own], sop_classes[uid] = iods[model], own
    hand = dict(by_hand["attributes"]) | {"general-series:Laterality": laterality(packaged)}
    anywhere = by_hand["anywhere"]
    hand_terms = by_hand["terms"]

    conditions, terms, tables = Pool(), Pool(), Pool()
    modules: dict[str, int] = {}
    statistics = {"conditional": 0, "evaluated": 0, "terms": 0}
    unused = set(hand) | set(hand_terms)
    for name, rows in attributes.items():
        flat: dict[Path_, str] = {}
        for row in rows:
            try:
                path = (*(TAG[part] for part in row["path"]), TAG[row["keyword"]])
            except KeyError:
                continue
            kind = row["type"] if row["type"] in TYPES else "3"
            known = flat.get(path)
            flat[path] = kind if known is None else min(known, kind, key=TYPES.index)
        texts = descriptions.get(name, {})
        children: dict[Path_, list[Path_]] = {}
        for path in flat:
            children.setdefault(path[:-1], []).append(path)

        def table(
            parent: Path_,
            name: str = name,
            flat: dict[Path_, str] = flat,
            texts: dict[Path_, str] = texts,
            children: dict[Path_, list[Path_]] = children,
        ) -> int:
            entries = []
            for path in sorted(children.get(parent, ())):
                kind, tag = flat[path], path[-1]
                if parent and parent[-1] in FUNCTIONAL_GROUPS:
                    kind = "3"
                content = name == "sr-document-content" and set(parent) <= {TAG["ContentSequence"]}
                by_value = by_hand["content"].get(KEYWORD[tag]) if content else None
                if by_value is not None and kind in ("1", "2"):
                    kind += "C"  # the table lists the macros of all value types, each as if it always applied
                text = texts.get(path, "")
                key = f"{name}:" + ".".join(KEYWORD[part] for part in path)
                rule: str | None = None
                if kind in ("1C", "2C"):
                    statistics["conditional"] += 1
                    rule = hand.get(key, anywhere.get(KEYWORD[tag]) if len(path) > 1 else None)
                    rule = by_value if by_value is not None else rule
                    if rule is None:
                        rule = condition(text, flat, path) if text else None
                    statistics["evaluated"] += rule is not None
                elif key in hand:
                    sys.exit(f"conditions.toml: {key} is of type {kind}, not conditional")
                listed = hand_terms.get(key) or terms_of(text)
                unused.discard(key)
                statistics["terms"] += bool(listed)
                entry = [tag, TYPES.index(kind), table(path) if path in children else -1]
                entry += [-1 if rule is None else conditions.add(rule), -1 if not listed else terms.add(listed)]
                while entry[-1] == -1:
                    entry.pop()
                entries.append(entry)
            return tables.add(entries)

        modules[name] = table(())
    if unused:
        sys.exit(f"conditions.toml names attributes that no module has: {sorted(unused)}")
    composite, used_modules = {}, by_hand["modules"]
    statements = {
        (row["ciodId"], row["moduleId"]): row["conditionalStatement"] or ""
        for row in json.loads((folder / "ciod_to_modules.json").read_text())
    }
    for iod, rows in iods.items():
        entries = []
        for row in rows:
            if row["key"] not in modules:
                continue
            rule = None
            if row["usage"] == "C":
                rule = used_modules.get(f"{iod}:{row['key']}", used_modules.get(row["key"]))
                if rule is None:
                    rule = condition(statements.get((iod, row["key"]), ""), {}, (0,))
            entry = [row["key"], row["usage"]]
            if rule is not None:
                entry.append(conditions.add(rule))
            entries.append(entry)
        composite[iod] = entries
    result = {
        "source": "highdicom (modules, types, usage), dicom-standard 0.1.0 (conditions, terms), conditions.toml",
        "sop_classes": sop_classes,
        "iods": composite,
        "groups": dict(functional_groups(folder, composite, by_hand)),
        "contexts": contexts(by_hand["contexts"]),
        "modifiers": modifiers(by_hand["modifiers"]),
        "overrides": overrides(by_hand["overrides"]),
        "modules": modules,
        "tables": tables.values,
        "conditions": conditions.values,
        "terms": terms.values,
    }
    target = DATA / "iod.json"
    target.write_text(json.dumps(result, separators=(",", ":"), ensure_ascii=True) + "\n")
    print(f"{target}: {target.stat().st_size} bytes, {len(tables.values)} tables, {statistics}")


def laterality(packaged: Path) -> str:
    """The condition of Laterality: body parts that highdicom's copy of PS3.16 Annex L marks as paired."""
    regions = json.loads((packaged / "anatomic_regions.json").read_text())
    paired = tuple(sorted(part for part, (*_, is_paired) in regions.items() if is_paired))
    elsewhere = ("ImageLaterality", "MeasurementLaterality", "SharedFunctionalGroupsSequence")
    return " and ".join([f"BodyPartExamined in {paired!r}", *(f"absent({keyword})" for keyword in elsewhere)])


def contexts(by_hand: dict[str, str]) -> dict[str, list[list[Any]]]:
    """IOD or ``*`` -> (path of tags, defined or baseline, context group, codes), from pydicom's copy of PS3.16."""
    meanings: Any = concepts
    found: dict[str, list[list[Any]]] = {}
    for key, value in by_hand.items():
        iod, path = key.split(":")
        strength, number = value.split()
        group = int(number)
        codes = sorted(
            [scheme, code]
            for scheme, words in cid_concepts[group].items()
            for word in words
            for code in meanings[scheme][word]
        )
        older = [["SRT", SNOMED[scheme][code]] for scheme, code in codes if code in SNOMED.get(scheme, {})]
        tags = [TAG[keyword] for keyword in path.split(".")]
        found.setdefault(iod, []).append([tags, strength == "defined", group, codes + older])
    return found


def modifiers(by_hand: dict[str, str]) -> dict[str, list[Any]]:
    """Title of a key object -> context group of its modifier, and the codes."""
    rows = contexts({f"{title}:ConceptCodeSequence": value for title, value in by_hand.items()})
    return {title: [group, codes] for title, [[_, _, group, codes]] in rows.items()}


def overrides(by_hand: dict[str, str]) -> dict[str, list[list[Any]]]:
    """Module -> (tag, module that defines it anew)."""
    found: dict[str, list[list[Any]]] = {}
    for key, module in by_hand.items():
        name, keyword = key.split(":")
        found.setdefault(name, []).append([TAG[keyword], module])
    return found


def functional_groups(folder: Path, iods: dict[str, Any], by_hand: dict[str, Any]) -> Iterator[tuple[str, list[int]]]:
    """The functional group sequences that an IOD demands unconditionally (usage M)."""
    macros: dict[str, list[int]] = {}
    for row in json.loads((folder / "macro_to_attributes.json").read_text()):
        macro, *parts = row["path"].split(":")
        if len(parts) == 1 and re.fullmatch("[0-9a-f]{8}", parts[0]) and row["type"] in ("1", "2"):
            macros.setdefault(macro, []).append(int(parts[0], 16))
    wanted: dict[str, set[int]] = {}
    for row in json.loads((folder / "ciod_to_fg_macros.json").read_text()):
        if row["usage"] == "M":
            iod = row["ciodId"].replace("-sc-image", "-secondary-capture-image")
            wanted.setdefault(iod, set()).update(macros.get(row["macroId"], ()))
    for own, model in by_hand["iods"].values():
        wanted[own] = set(wanted.get(model, ()))
    for key, demanded in by_hand["groups"].items():
        iod, keyword = key.split(":")
        if not demanded:
            wanted[iod].remove(TAG[keyword])
    for iod in iods:
        if wanted.get(iod):
            yield iod, sorted(wanted[iod])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
