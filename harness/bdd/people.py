"""The patients of the scenarios. All are invented; names cover every character set that the profiles meet."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Person:
    """One patient; ``name`` in DICOM text form, ``character_set`` as (0008,0005) for systems that cannot choose."""

    key: str
    name: str
    patient_id: str
    birth_date: str
    sex: str
    character_set: tuple[str, ...] = ()


PEOPLE: dict[str, Person] = {
    person.key: person
    for person in (
        Person("doe", "DOE^JANE^Q", "PDOE01", "19730429", "F"),
        Person("roe", "ROE^RICHARD", "PROE02", "19610214", "M"),
        Person("dole", "DOLE^MARY", "PDOL03", "19850630", "F"),
        Person("kim", "KIM^CHEOLSU", "PKIM04", "19920812", "M"),
        Person("mueller", "Müller^Änne", "PMUE05", "19480101", "F", ("ISO_IR 100",)),
        Person("hong", "Hong^Gildong=洪^吉洞=홍^길동", "PHON06", "19701225", "M", ("", "ISO 2022 IR 149")),
        Person("yamada", "Yamada^Tarou=山田^太郎=やまだ^たろう", "PYAM07", "19560703", "M", ("", "ISO 2022 IR 87")),
        Person("wang", "Wang^XiaoDong=王^小东", "PWAN08", "19880808", "M", ("GB18030",)),
        Person("wang-utf", "Wang^XiaoDong=王^小东", "PWAU09", "19880809", "M", ("ISO_IR 192",)),
        Person("sanchez", "Sánchez^José", "PSAN10", "20010911", "O", ("ISO_IR 100",)),
    )
}


def person(key: str) -> Person:
    """The patient of that key. Raises UsageError naming the known ones."""
    try:
        return PEOPLE[key]
    except KeyError:
        raise UsageError(f"there is no patient {key!r}; known: {', '.join(PEOPLE)}") from None
