"""How the profiles, actors and options that a product claims stand after a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.core.finding import Basis, Finding
from harness.core.result import RunResult, ScenarioResult
from harness.core.verdict import Verdict
from harness.profiles import registry
from harness.statement.model import ActorClaim, OptionClaim, Proof, Standing, State, TransactionClaim

_BROKEN: Final = frozenset((Verdict.FAIL,))
_UNJUDGED: Final = frozenset((Verdict.INCONCLUSIVE, Verdict.ERROR))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim as the product makes it; ``transactions`` None: all required ones."""

    profile: str
    actor: str
    options: tuple[str, ...] = ()
    transactions: tuple[str, ...] | None = None


def claimed(entries: Iterable[Mapping[str, Any]]) -> tuple[Claimed, ...]:
    """Claims from the ``[[claims]]`` of a SUT file or the ``sut`` of a run."""
    return tuple(
        Claimed(
            str(entry["profile"]),
            str(entry["actor"]),
            tuple(entry.get("options") or ()),
            None if entry.get("transactions") is None else tuple(entry["transactions"]),
        )
        for entry in entries
    )


def judge_claims(claims: Sequence[Claimed], run: RunResult | None) -> tuple[ActorClaim, ...]:
    """Every claim with its standing. Without a run everything is declared, not verified."""
    return tuple(_Judge(claim, run).claim() for claim in claims)


class _Judge:
    def __init__(self, claim: Claimed, run: RunResult | None) -> None:
        self.claimed = claim
        self.run = run
        self.profile = registry.profile(claim.profile)
        self.actor = self.profile.actor(claim.actor) if self.profile else None
        self.scenarios: tuple[ScenarioResult, ...] = ()
        if run is not None:
            self.scenarios = tuple(
                s
                for s in run.scenarios
                if s.actor == claim.actor and claim.profile in s.profiles and s.verdict is not Verdict.NOT_APPLICABLE
            )

    def claim(self) -> ActorClaim:
        required = self.actor.required if self.actor else ()
        ids = self.claimed.transactions if self.claimed.transactions is not None else required
        transactions = tuple(self._transaction(number, number in required) for number in ids)
        missing = tuple(number for number in required if number not in ids)
        return ActorClaim(
            profile=self.claimed.profile,
            profile_name=self.profile.name if self.profile else "",
            actor=self.claimed.actor,
            transactions=transactions,
            options=tuple(self._option(name) for name in self.claimed.options),
            missing=missing,
            standing=self._whole(transactions, missing),
        )

    def _whole(self, transactions: tuple[TransactionClaim, ...], missing: tuple[str, ...]) -> Standing:
        broken = [t.id for t in transactions if t.standing.state is State.CONTRADICTED]
        if broken:
            return Standing(State.CONTRADICTED, note=f"broken in {', '.join(broken)}")
        if self.actor is None:
            return Standing(note="the Technical Framework has no such actor in this profile")
        if missing:
            return Standing(note=f"partial: {', '.join(missing)} not claimed")
        weak = [t.id for t in transactions if t.required and t.standing.state not in (State.VERIFIED, State.ATTESTED)]
        if weak:
            return Standing(note=f"not verified: {', '.join(weak)}")
        attested = [t.id for t in transactions if t.standing.state is State.ATTESTED]
        if attested:
            return Standing(State.ATTESTED, note=f"by an operator's word in {', '.join(attested)}")
        return Standing(State.VERIFIED, note="all required transactions passed")

    def _transaction(self, number: str, required: bool) -> TransactionClaim:
        transaction = registry.TRANSACTIONS.get(number)
        name = transaction.name if transaction else ""
        rows = registry.requirements()
        judged = [
            (scenario, finding)
            for scenario in self.scenarios
            for finding in scenario.findings
            if (row := rows.get(finding.requirement)) is not None
            and number in row.transactions
            and (not row.actors or self.claimed.actor in row.actors)
        ]
        unfinished = [s for s in self.scenarios if number in s.transactions and _unfinished(s)]
        # a requirement of several transactions, met in the scenario of another one, does not show this one
        own = any(number in s.transactions or rows[f.requirement].transactions == (number,) for s, f in judged)
        shown = judged if own else [(s, f) for s, f in judged if f.verdict is not Verdict.PASS]
        return TransactionClaim(number, name, required, self._standing(shown, unfinished))

    def _option(self, name: str) -> OptionClaim:
        rows = registry.requirements()
        judged = [
            (scenario, finding)
            for scenario in self.scenarios
            for finding in scenario.findings
            if (row := rows.get(finding.requirement)) is not None and row.option == name
        ]
        option = next((o for o in (self.profile.options if self.profile else ()) if o.name == name), None)
        if option is None or self.claimed.actor not in option.actors:
            return OptionClaim(name, Standing(note="the Technical Framework has no such option of this actor"))
        standing = self._standing(judged, [])
        if standing.state in (State.VERIFIED, State.ATTESTED):
            weak = [
                number
                for number in option.transactions
                if self._transaction(number, True).standing.state not in (State.VERIFIED, State.ATTESTED)
            ]
            if weak:
                return OptionClaim(name, Standing(note=f"not verified: {', '.join(weak)}", proofs=standing.proofs))
        return OptionClaim(name, standing)

    def _standing(
        self, judged: Sequence[tuple[ScenarioResult, Finding]], unfinished: Sequence[ScenarioResult]
    ) -> Standing:
        assert self.run is not None or not judged
        broken = [(s, f) for s, f in judged if f.verdict in _BROKEN]
        if broken:
            return Standing(State.CONTRADICTED, note=_names(broken), proofs=self._proofs(broken))
        unjudged = [(s, f) for s, f in judged if f.verdict in _UNJUDGED]
        if unjudged:
            return Standing(note=f"not judged: {_names(unjudged)}", proofs=self._proofs(unjudged))
        if unfinished:
            return Standing(note=f"not judged to the end: {', '.join(s.id for s in unfinished)}")
        good = [(s, f) for s, f in judged if f.verdict in (Verdict.PASS, Verdict.WARNING)]
        if not good:
            return Standing()
        if partial := self._partial():
            return Standing(note=f"passed so far, but {partial}", proofs=self._proofs(good))
        attested = all(f.basis is Basis.ATTESTED for _, f in good)
        warned = sorted({f.requirement for _, f in good if f.verdict is Verdict.WARNING})
        note = f"with warnings: {', '.join(warned)}" if warned else ""
        return Standing(State.ATTESTED if attested else State.VERIFIED, note=note, proofs=self._proofs(good))

    def _partial(self) -> str:
        """Why the run cannot carry a claim as a whole, or an empty string."""
        assert self.run is not None
        if self.run.interrupted:
            return "the run was interrupted"
        if self.run.options.get("quick"):
            return "the run was quick"
        if self.run.failure:
            return "the run ended with a failure of the harness or its environment"
        if self.run.options.get("own_features"):
            return "the run had feature files of its own, which may ask for less"
        limited = self.run.options.get("only") or self.run.options.get("rerun")
        return "the run was limited to some scenarios" if limited else ""

    def _proofs(self, judged: Sequence[tuple[ScenarioResult, Finding]]) -> tuple[Proof, ...]:
        """One for each scenario that passed; one for each requirement that did not, with its gravest finding."""
        assert self.run is not None
        places = {scenario.id: f"s{number}" for number, scenario in enumerate(self.run.scenarios, 1)}
        gravest: dict[tuple[str, str], Finding] = {}
        for scenario, finding in judged:
            key = (scenario.id, "" if finding.verdict is Verdict.PASS else finding.requirement)
            if key not in gravest or finding.verdict > gravest[key].verdict:
                gravest[key] = finding
        return tuple(
            Proof(
                self.run.run_id, scenario, requirement, finding.verdict.name,
                finding.summary if requirement else "",
                waiver_reason(self.run, scenario, requirement) if requirement else "",
                places.get(scenario, ""),
            )
            for (scenario, requirement), finding in sorted(gravest.items())
        )  # fmt: skip


def _unfinished(scenario: ScenarioResult) -> bool:
    """It failed, or judged less than it set out to and no finding says what."""
    if scenario.verdict is Verdict.ERROR:
        return True
    return scenario.verdict is Verdict.INCONCLUSIVE and not any(f.verdict in _UNJUDGED for f in scenario.findings)


def waiver_reason(run: RunResult, scenario: str, requirement: str) -> str:
    """The reason of a valid waiver or expectation, empty if there is none."""
    for waiver in run.waivers:
        if (
            waiver.get("requirement") == requirement
            and waiver.get("scenario") in ("", None, scenario)
            and waiver.get("state") == "valid"
        ):
            return str(waiver.get("reason", ""))
    return ""


def _names(judged: Sequence[tuple[ScenarioResult, Finding]]) -> str:
    return ", ".join(sorted({finding.requirement for _, finding in judged}))
