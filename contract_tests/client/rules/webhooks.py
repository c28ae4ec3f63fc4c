"""Callbacks and webhooks: what the client hands on of what is posted to it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from contract_tests.cases.case_book import CaseBook
from contract_tests.cases.deliveries import Delivery, Post, deliveries, others_of_its_kind
from contract_tests.client.findings import Findings
from contract_tests.client.trials import DeliveryTrial, Trials
from contract_tests.http.body_comparison import body_differences
from contract_tests.openapi.schema_locations import closest_schema
from contract_tests.rules import DOCUMENT, NotApplicable, Violation, rule

CALLBACKS: Final = "https://spec.openapis.org/oas/v3.1.1.html#callback-object"
TAKEN: Final = range(200, 300)
REFUSED: Final = range(400, 500)
FAILED: Final = range(500, 600)
OF_HTTP: Final = frozenset({"media type", "method"})  # what a parser, which gets a body and headers, need not look at


def judged(trials: Trials, judge: Callable[[Delivery], Iterator[Violation]]) -> Iterator[Violation]:
    """Judge every callback and webhook that the client claims to receive."""
    found = deliveries(trials.contract)
    if not found:
        raise NotApplicable("the contract has no callback and no webhook that brings JSON")
    reasons = []
    for delivery in found:
        try:
            yield from judge(delivery)
        except NotApplicable as reason:
            reasons.append(str(reason))
    if len(reasons) == len(found):
        raise NotApplicable(reasons[0])


def each(
    trials: Trials, make: Callable[[CaseBook, Delivery], list[Post]], delivery: Delivery
) -> Iterator[DeliveryTrial]:
    """Post each to a receiver that has seen nothing else."""
    for post in make(trials.book, delivery):
        yield from trials.deliver(delivery, [post])


def events_of(trial: DeliveryTrial) -> Iterator[tuple[str, Any]]:
    """Give what parser and application made of a delivery, as far as there are such."""
    if trial.parsed is not None:
        yield "parser", trial.parsed
    if trial.events is not None:
        yield "application", trial.events[0] if len(trial.events) == 1 else {"text": f"{len(trial.events)} events"}


def judge_events(
    trials: Trials, delivery: Delivery, trial: DeliveryTrial, findings: Findings, about: str = ""
) -> Iterator[Violation]:
    """Demand that parser and application hand on what was posted."""
    schema = delivery.media.schema or "#"
    for who, event in events_of(trial):
        if "json" not in event:
            yield findings.of(f"{delivery.name} {about or who}", f"{who}: {_told(event)}", number=trial.number)
            continue
        for difference in body_differences(trials.contract, schema, trial.post.value, event["json"]):
            constraint = f"{delivery.name} {about or closest_schema(trials.contract, schema, difference.place)}"
            received = f"{who}: {difference.received}"
            yield findings.of(constraint, received, number=trial.number, documented=difference.documented)
    if trial.status is not None and trial.status not in TAKEN:
        yield findings.of(f"{delivery.name} {about or 'status'}", f"answered {trial.status}", number=trial.number)


def _told(event: Any) -> str:
    return ": ".join(str(event[name]) for name in ("error", "unreadable", "text") if name in event)


@rule(
    "CL-CB-01",
    "Every legal delivery is handed on without loss.",
    says="What a service posts by the contract reaches the handler type for type, and is answered with success.",
    source=CALLBACKS,
    basis="documented",
    operations=DOCUMENT,
    side="client",
)
def test_legal_deliveries(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """Parser and application give what was posted."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        for trial in each(trials, CaseBook.legal_posts, delivery):
            yield from judge_events(trials, delivery, trial, findings)

    yield from judged(trials, judge)


@rule(
    "CL-CB-02",
    "A delivery that the contract does not allow is never handed on.",
    says="Whatever is missing, of another type, no JSON or not posted is refused with the client's own error and 4xx.",
    source=CALLBACKS,
    basis="documented",
    operations=DOCUMENT,
    side="client",
)
def test_illegal_deliveries(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """No illegal delivery becomes an event, also where its signature is good."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        for trial in each(trials, CaseBook.broken_posts, delivery):
            about = f"{delivery.name} {trial.post.about}"
            if trial.parsed is not None and trial.post.about not in OF_HTTP and not trial.parsed.get("own"):
                told = "it is taken" if "json" in trial.parsed else _told(trial.parsed)
                yield findings.of(f"{about} parser", f"parser: {told}", number=trial.number)
            if trial.events or (trial.status is not None and trial.status not in REFUSED):
                received = f"{len(trial.events or ())} events, answered {trial.status}"
                yield findings.of(about, received, number=trial.number)

    yield from judged(trials, judge)


@rule(
    "CL-CB-03",
    "A forged delivery is never handed on.",
    says="Without the signature that the contract describes, or at another address, nobody can make up an event.",
    source="https://cwe.mitre.org/data/definitions/345.html",
    basis="documented",
    operations=DOCUMENT,
    side="client",
)
def test_forged_deliveries(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """No signature that is missing, changed at any end, cut or of another body is taken, and no unknown address."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        provable = trials.proofs(delivery)
        if not provable:
            raise NotApplicable("neither a signature nor the address proves the sender of this delivery")
        genuine = trials.book.legal_posts(delivery)[0]
        for proof in provable:
            (trial,) = trials.deliver(delivery, [genuine.proven(proof)])
            is_parsed = trial.parsed is not None and "json" in trial.parsed
            if is_parsed or trial.events or (trial.status is not None and trial.status not in REFUSED):
                received = f"{'parsed, ' if is_parsed else ''}{len(trial.events or ())} events, answered {trial.status}"
                yield findings.of(f"{delivery.name} {proof}", received, number=trial.number)

    yield from judged(trials, judge)


@rule(
    "CL-CB-04",
    "A delivery that comes twice is handed on once.",
    says="A sender that has seen no answer sends again: the handler gets the event once, the sender gets two answers.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2",
    basis="inferred",
    operations=DOCUMENT,
    side="client",
)
def test_duplicates(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """The second delivery of the same is answered with success and hands nothing on."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        genuine = trials.book.legal_posts(delivery)[0]
        taken = trials.deliver(delivery, [genuine, genuine])
        if taken[0].events is None:
            raise NotApplicable("the client has no application that could know a delivery again")
        counts = [len(trial.events or ()) for trial in taken]
        if counts != [1, 0] or taken[1].status not in TAKEN:
            received = f"{counts[0]} and {counts[1]} events, answered {taken[0].status} and {taken[1].status}"
            yield findings.of(f"{delivery.name} twice", received, number=taken[1].number)

    yield from judged(trials, judge)


@rule(
    "CL-CB-05",
    "Deliveries are handed on in whatever order they come.",
    says="Nothing says in which order events arrive: each one is handed on, whichever came before.",
    source=CALLBACKS,
    basis="documented",
    operations=DOCUMENT,
    side="client",
)
def test_any_order(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """Of two different deliveries to one receiver both are handed on, in either order."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        posts = trials.book.legal_posts(delivery)
        unlike = _unlike(posts)
        pairs = [*([unlike] if unlike else []), *others_of_its_kind(trials.contract, delivery, posts[0])]
        if not pairs:
            raise NotApplicable("no two deliveries could be made that differ in all that they must have")
        for order in (order for pair in pairs for order in (pair, pair[::-1])):
            for trial in trials.deliver(delivery, order):
                yield from judge_events(trials, delivery, trial, findings, "order")

    yield from judged(trials, judge)


def _unlike(posts: list[Post]) -> tuple[Post, Post] | None:
    """Give two deliveries that share no value of a member: they can't be taken for one another."""
    objects = [post for post in posts if isinstance(post.value, dict)]
    for index, one in enumerate(objects):
        for other in objects[:index]:
            shared = one.value.keys() & other.value.keys()
            if shared and all(json.dumps(one.value[name]) != json.dumps(other.value[name]) for name in shared):
                return other, one
    return None


@rule(
    "CL-CB-06",
    "Properties of a delivery that the contract does not name survive.",
    says="An object is open unless the contract closes it: a property that is added tomorrow is passed on.",
    source="https://json-schema.org/draft/2020-12/json-schema-core#section-10.3.2.3",
    basis="documented",
    operations=DOCUMENT,
    side="client",
)
def test_grown_deliveries(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """A delivery with a member more is handed on with it."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        for trial in each(trials, CaseBook.grown_posts, delivery):
            yield from judge_events(trials, delivery, trial, findings, trial.post.about)

    yield from judged(trials, judge)


@rule(
    "CL-CB-07",
    "A delivery whose handler has failed is not lost.",
    says="The response asks the sender to send it again, and then the event is passed on again.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-15.6",
    basis="inferred",
    operations=DOCUMENT,
    side="client",
)
def test_failing_handler(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """After a failure the answer is 5xx, and the same delivery is handed on when it comes again."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        genuine = trials.book.legal_posts(delivery)[0]
        taken = trials.deliver(delivery, [genuine.failing(), genuine])
        if taken[0].events is None:
            raise NotApplicable("the client has no application that a sender could be told by")
        if taken[0].status not in FAILED or taken[1].status not in TAKEN or not taken[1].events:
            received = f"answered {taken[0].status}, then {taken[1].status} with {len(taken[1].events or ())} events"
            yield findings.of(f"{delivery.name} failure", received, number=taken[1].number)

    yield from judged(trials, judge)


@rule(
    "CL-CB-08",
    "A refusal does not reveal how to forge a delivery.",
    says="Neither the response nor the error holds the secret, or the right signature.",
    source="https://cwe.mitre.org/data/definitions/209.html",
    basis="inferred",
    operations=DOCUMENT,
    side="client",
)
def test_refusals_tell_no_secret(trials: Trials, findings: Findings) -> Iterator[Violation]:
    """No delivery that is forged or illegal is answered with what makes the next one genuine."""

    def judge(delivery: Delivery) -> Iterator[Violation]:
        provable = trials.proofs(delivery)
        if not provable:
            raise NotApplicable("neither a signature nor the address proves the sender of this delivery")
        genuine = trials.book.legal_posts(delivery)[0]
        posts = [genuine.proven(proof) for proof in provable]
        posts += [post for post in trials.book.broken_posts(delivery) if post.value is None]
        for post in posts:
            (trial,) = trials.deliver(delivery, [post])
            if trial.tells:
                about = post.about or post.proof
                yield findings.of(
                    f"{delivery.name} {about}", f"answered {trial.status}, with a secret", number=trial.number
                )

    yield from judged(trials, judge)
