"""What a step works with: the transcript of its scenario, the lab, and the judgement collected so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from harness.bdd import left_out
from harness.bdd.tags import ScenarioTags
from harness.bdd.tls import refused
from harness.core.check import Declaration
from harness.core.errors import EnvironmentFailure, NonConformance, Unjudgeable, UsageError
from harness.core.finding import Basis, Finding
from harness.core.message import Direction, Message
from harness.core.spec import Requirement
from harness.core.transcript import Transcript
from harness.core.verdict import Verdict, roll_up
from harness.profiles import demands, facts, judgement, registry
from harness.protocols.dicom.errors import AssociationRejected, PeerError, TlsNotAgreed
from harness.sut.actions import Action, Outcome, OutcomeState

if TYPE_CHECKING:
    from harness.bdd.lab import Lab

T = TypeVar("T")


class Memory(dict[str, Any]):
    """Values that steps hand on by name."""

    def __missing__(self, key: str) -> Any:
        """A step that comes without the one before it is a mistake of the author. Raises UsageError."""
        raise UsageError(f"this step needs one before it that gives it the {key} (`ihe-harness list steps`)")


class ScenarioContext:
    """One per scenario. Steps call its methods; it keeps what they share and never decides by itself."""

    def __init__(self, lab: Lab, transcript: Transcript, tags: ScenarioTags, name: str, *, strict: bool) -> None:
        self.lab = lab
        self.transcript = transcript
        self.tags = tags
        self.name = name
        self.strict = strict
        self.findings: list[Finding] = []
        self.unjudged: list[str] = []
        #: what came before this ``seq`` was there before the system under test was last asked to act
        self.asked_at = 0
        #: the message of the last exchange step: "that message"
        self.that: Message | None = None
        #: values that steps of one scenario hand on (orders, stored sets), by name
        self.memory = Memory()

    @property
    def declaration(self) -> Declaration:
        """What the product claims."""
        return self.lab.declaration

    # -- asking --------------------------------------------------------------------------------------------

    def act(self, name: str, **parameters: Any) -> Outcome:
        """Ask the system under test to act. Raises Unjudgeable when it was not asked or would not."""
        action = Action(name, parameters)
        self.asked_at = self.transcript.mark()
        fact: dict[str, Any] = {"action": name, "parameters": dict(parameters)}
        self.transcript.note(facts.ACTION, fact)
        seconds = self.lab.action_timeout(name)
        outcome = self.lab.driver.perform(action, timeout=seconds)
        said = {"state": outcome.state.value, "detail": outcome.detail, "answers": dict(outcome.answers)}
        self.transcript.note(facts.OUTCOME, {"action": name, **said})
        if outcome.state in (OutcomeState.UNSUPPORTED, OutcomeState.DECLINED):
            # the reason first: what was asked may be long, and a terminal cuts it
            raise Unjudgeable(f"{outcome.state.value}: {outcome.detail}; asked was: {action.wording()}")
        if outcome.state is OutcomeState.FAILED:
            # what the product really did is judged from its messages; this is kept for the reader
            self.memory["action failed"] = outcome.detail
        return outcome

    def begin(self) -> None:
        """The simulated side is about to start a conversation: what counts comes after now."""
        self.asked_at = self.transcript.mark()

    def converse(self, requirement: str, what: str, conversation: Callable[[], T]) -> T:
        """Start a conversation with the product; a refusal, an abort or silence breaks ``requirement``."""
        try:
            return conversation()
        except TlsNotAgreed:
            raise  # certificates are set up by people: nothing was seen of what the product does
        except AssociationRejected as error:
            if error.misaddressed:
                raise  # so are AE titles: who wrote the wrong one cannot be told from here
            self._refused(requirement, what, error)
        except PeerError as error:
            self._refused(requirement, what, error)

    def _refused(self, requirement: str, what: str, error: PeerError) -> NoReturn:
        summary = f"{what} failed: {error}"
        self.broken(requirement, summary, expected=("an answer",), actual=str(error))
        raise NonConformance(summary, tuple(self.findings)) from None

    # -- exchange steps: they raise at once ------------------------------------------------------------------

    def expect(
        self,
        kind: str,
        actor: str,
        *,
        timeout: float | None = None,
        where: Callable[[Message], bool] | None = None,
        after: int | None = None,
        demanded_by: str = "",
        condition: str = "",
    ) -> Message:
        """Wait for a message from the system under test to that actor; silence breaks the requirement that demands it.

        Raises UsageError at once for a message that nothing demands.
        """
        requirement = demanded_by or demands.demanded_by(kind, actor, self.tags.actor)
        seconds = self.lab.sut.timeouts.exchange if timeout is None else timeout
        start = self.asked_at if after is None else after
        found = self.transcript.wait_for(
            kind,
            timeout=seconds,
            after=start,
            direction=Direction.FROM_SUT,
            where=lambda message: message.actor == actor and (where is None or where(message)),
        )
        if found is not None:
            self.that = found
            return found
        if self.transcript.faults:
            raise Unjudgeable("a simulated actor failed, see the faults of this scenario")
        if trouble := refused(self.transcript, after=start):
            raise EnvironmentFailure(f"the product called the {actor} or another actor in vain. {trouble}")
        seen = ", ".join(
            dict.fromkeys(m.kind for m in self.transcript.select(direction=Direction.FROM_SUT, after=start))
        )
        summary = f"No {kind} {condition + ' ' if condition else ''}came to the {actor} within {seconds:g} s"
        detail = self.memory.get("action failed", "")
        if detail:
            summary += f"; the product's driver says: {detail}"
        if why := left_out.reason(self.transcript):
            summary += f"; {why}"
        self.broken(requirement, summary, expected=(f"a {kind} to the {actor}",), actual=seen or "nothing at all")
        raise NonConformance(summary, tuple(self.findings))

    def met(self, requirement: str, summary: str) -> None:
        """Note that an exchange happened as a requirement demands, where no check looks at it."""
        since = tuple(m.seq for m in self.transcript.messages if m.seq > self.asked_at)[:20]
        self.findings.append(Finding("exchange", requirement, Verdict.PASS, summary, evidence=since))

    def spared(self, requirement: str, summary: str) -> None:
        """Note that the product need not do, and does not do, what a requirement speaks of: nothing was shown."""
        since = tuple(m.seq for m in self.transcript.messages if m.seq > self.asked_at)[:20]
        self.findings.append(Finding("exchange", requirement, Verdict.NOT_APPLICABLE, summary, evidence=since))

    def broken(
        self, requirement: str, summary: str, *, expected: tuple[str, ...] = (), actual: str = "", locator: str = ""
    ) -> None:
        """Note that an exchange did not happen as a requirement demands."""
        row = registry.requirement(requirement)
        self.findings.append(
            Finding(
                check="exchange",
                requirement=requirement,
                # an exchange that did not happen leaves the rest unjudged, however sure we are of this clause
                verdict=max(row.verdict_if_broken(strict=self.strict), Verdict.INCONCLUSIVE),
                summary=summary,
                expected=expected,
                actual=actual,
                locator=locator,
                evidence=tuple(m.seq for m in self.transcript.messages if m.seq > self.asked_at)[:20],
                unconfirmed=not row.confirmed,
            )
        )
        self.transcript.note("EXCHANGE-FAILED", {"requirement": requirement, "summary": summary})

    # -- judgement steps: they collect -------------------------------------------------------------------------

    def judge(
        self, scope: str, identifier: str, *, focus: Message | None = None, broken_only: bool = False
    ) -> list[Finding]:
        """Carry out a judgement now and keep its findings. A judgement that looked at nothing is not judged.

        Raises UsageError for a requirement or transaction that does not exist.
        """
        if scope == "requirement":
            registry.requirement(identifier)
        elif identifier not in registry.TRANSACTIONS:
            raise UsageError(registry.unknown("transaction", identifier))
        asked: Mapping[str, Any] = {
            "scope": scope,
            "id": identifier,
            "actor": self.tags.actor,
            "focus": focus.seq if focus else None,
            "at": self.transcript.mark(),
            **({"broken_only": True} if broken_only else {}),
        }
        self.transcript.note(judgement.FACT, asked)
        found = judgement.carry_out(asked, self.transcript, self.declaration, strict=self.strict)
        self.findings.extend(found)
        if not found:
            self.unjudged.append(f"nothing to judge for {identifier}")
        return found

    def judge_the_rest(self) -> None:
        """After an exchange failed: what else is broken in what was seen, so that one silence does not hide ten faults.

        Nothing passes here: what the scenario meant to judge later was not reached.
        """
        for transaction in sorted(self.tags.transactions):
            unjudged = len(self.unjudged)
            self.judge("transaction", transaction, broken_only=True)
            del self.unjudged[unjudged:]

    def attest(self, requirement: str, question: str) -> None:
        """Ask the operator; their word is a finding of its own kind."""
        row = registry.requirement(requirement)
        outcome = self.lab.driver.attest(question, timeout=self.lab.sut.timeouts.operator)
        verdict = {
            OutcomeState.DONE: Verdict.PASS,
            OutcomeState.DECLINED: row.verdict_if_broken(strict=self.strict),
        }.get(outcome.state, Verdict.INCONCLUSIVE)
        self.findings.append(
            Finding(
                check="attestation",
                requirement=requirement,
                verdict=verdict,
                summary=question if verdict is Verdict.PASS else f"{question} — {outcome.detail}",
                expected=("yes",),
                actual=outcome.detail or "yes",
                basis=Basis.ATTESTED,
                unconfirmed=outcome.state is OutcomeState.DECLINED and not row.confirmed,
            )
        )

    # -- the end -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Every requirement that the scenario names and nobody judged becomes INCONCLUSIVE.

        So does a scenario whose driver says that the product failed, though we disturbed nothing and found nothing
        wrong: who is right cannot be told from the messages.
        """
        doubt = self.memory.get("action failed", "")
        disturbed = any(self.transcript.facts_of(kind) for kind in (facts.FAULT_INJECTED, facts.NEGATIVE))
        if doubt and not disturbed and self.verdict() < Verdict.INCONCLUSIVE:
            self.unjudged.append(f"the product's driver says it failed, and nothing that was seen explains it: {doubt}")
        judged = {finding.requirement for finding in self.findings}
        for name in self.tags.requirements:
            if name not in judged:
                self.findings.append(
                    Finding(
                        "claim", name, Verdict.INCONCLUSIVE, "The scenario names this requirement and nothing judged it"
                    )
                )

    def verdict(self) -> Verdict:
        """The gravest of all findings; engine faults make it an ERROR, a judgement of nothing INCONCLUSIVE."""
        verdicts = [finding.verdict for finding in self.findings]
        if self.unjudged:
            verdicts.append(Verdict.INCONCLUSIVE)
        if self.transcript.faults:
            verdicts.append(Verdict.ERROR)
        return roll_up(verdicts)

    def complaint(self) -> str:
        """What a failing scenario says on the terminal: the worst findings, in words."""
        lines: list[str] = []
        for fault in self.transcript.faults:
            lines.append(f"harness fault in {fault.where}: {fault.error}")
        for finding in sorted(self.findings, key=lambda f: -f.verdict):
            if finding.verdict >= Verdict.INCONCLUSIVE:
                lines.append(describe(finding, self.transcript, registry.requirements().get(finding.requirement)))
        lines.extend(self.unjudged)
        return "\n".join(lines)


def describe(finding: Finding, transcript: Transcript, row: Requirement | None) -> str:
    """One finding in lines: what, expected, came, where, which requirement and why."""
    parts = [f"{finding.verdict.mark} {finding.requirement}: {finding.summary}"]
    if finding.expected:
        parts.append(f"    expected {' or '.join(finding.expected)}")
    if finding.actual:
        parts.append(f"    came     {finding.actual}")
    if finding.locator or finding.evidence:
        by_seq = {message.seq: message for message in transcript.messages}
        messages = ", ".join(by_seq[seq].label for seq in finding.evidence[:4] if seq in by_seq)
        parts.append(f"    where    {' · '.join(p for p in (messages, finding.locator) if p)}")
    if row is not None:
        parts.append(
            f"    because  {row.statement} ({row.source.split(' [', 1)[0]}; confidence {row.confidence.value})"
        )
    return "\n".join(parts)
