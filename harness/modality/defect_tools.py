"""What seeded defects of the modality are made of: a decision replaced, or what a healthy decision makes edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydicom.dataset import Dataset

from harness.modality.behaviour import Behaviour
from harness.modality.elements import items, put, text

Apply = Callable[[Behaviour], Behaviour]


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong: `breaks` names the requirements that must be found broken, none for a legal variant."""

    id: str
    title: str
    breaks: frozenset[str]
    apply: Apply


# -- how a decision is replaced ------------------------------------------------------------------------------------


def deciding(**decisions: Callable[..., Any]) -> Apply:
    return lambda behaviour: replace(behaviour, **decisions)


def edit(field: str, change: Callable[[Any], Any]) -> Apply:
    """Let `change` alter, or replace, what the healthy decision gives."""

    def apply(behaviour: Behaviour) -> Behaviour:
        decide = getattr(behaviour, field)

        def defective(*given: Any) -> Any:
            made = decide(*given)
            changed = change(made)
            return made if changed is None else changed

        return replace(behaviour, **{field: defective})

    return apply


def drop(*keywords: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for keyword in keywords:
            dataset.pop(keyword, None)

    return change


def valued(**values: Any) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        put(dataset, **values)

    return change


def in_items(sequence: str, change: Callable[[Dataset], None]) -> Callable[[Dataset], None]:
    def nested(dataset: Dataset) -> None:
        for each in items(dataset, sequence):
            change(each)

    return nested


def where(condition: Callable[[Dataset], bool], change: Callable[[Dataset], Any]) -> Callable[[Dataset], None]:
    def conditional(dataset: Dataset) -> None:
        if condition(dataset):
            change(dataset)

    return conditional


def of_modality(modality: str) -> Callable[[Dataset], bool]:
    return lambda dataset: text(dataset, "Modality") == modality


def is_image(dataset: Dataset) -> bool:
    return text(dataset, "Modality") not in {"PR", "KO"}


def image(change: Callable[[Dataset], Any]) -> Apply:
    return edit("object_finish", where(is_image, change))


def state(change: Callable[[Dataset], Any]) -> Apply:
    return edit("object_finish", where(of_modality("PR"), change))


def append_to(keyword: str, more: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        put(dataset, **{keyword: text(dataset, keyword) + more})

    return change


def defect(id: str, title: str, breaks: str, apply: Apply) -> Defect:
    return Defect(id, title, frozenset(breaks.split()), apply)
