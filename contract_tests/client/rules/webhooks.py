"""Callbacks and webhooks: what the client hands on of what is posted to it."""

import itertools
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from contract_tests.cases.deliveries import (
    Post,
    deliveries,
    has_foreign_letters,
    others_of_its_kind,
    spelled_posts,
)
from contract_tests.client.cards import client_rule
from contract_tests.client.delivery_trials import TIMEOUT, DeliveryTrial, DeliveryTrials
from contract_tests.client.trials import ClientTrials
from contract_tests.http.body_comparison import body_differences
from contract_tests.openapi.json_text import canonical
from contract_tests.openapi.schema import closest_schema
from contract_tests.rules import NotApplicable, Violation

CALLBACKS: Final = "https://spec.openapis.org/oas/v3.1.1.html#callback-object"
TAKEN: Final = range(200, 300)
REFUSED: Final = range(400, 500)
FAILED: Final = range(500, 600)
OF_HTTP: Final = frozenset({"media type", "method"})  # what a parser, which gets a body and headers, need not look at
rule: Final = partial(client_rule, source=CALLBACKS, basis="documented")


def each_delivery(
    check: Callable[[DeliveryTrials], Iterator[Violation]],
) -> Callable[[ClientTrials], Iterator[Violation]]:
    """Make a check of one callback or webhook one of all that the client claims to receive."""

    def judge(client: ClientTrials) -> Iterator[Violation]:
        found = deliveries(client.contract)
        if not found:
            raise NotApplicable("the contract has no callback and no webhook that brings JSON")
        reasons = []
        for delivery in found:
            try:
                yield from check(DeliveryTrials(client.session, delivery))
            except NotApplicable as reason:
                reasons.append(str(reason))
        if len(reasons) == len(found):
            raise NotApplicable(reasons[0])

    return judge


def events_of(trial: DeliveryTrial) -> Iterator[tuple[str, Any]]:
    """Return what parser and application made of a delivery, as far as there are such."""
    if trial.parsed is not None:
        yield "parser", trial.parsed
    if trial.events is not None:
        yield "application", trial.events[0] if len(trial.events) == 1 else {"text": f"{len(trial.events)} events"}


def not_handed_on(trials: DeliveryTrials, trial: DeliveryTrial, about: str = "") -> Iterator[Violation]:
    """Return where parser and application do not hand on what was posted."""
    for who, event in events_of(trial):
        if "json" not in event:
            yield trial.violation(about or who, f"{who}: {_told(event)}")
            continue
        for found in body_differences(trials.contract, trials.schema, trial.post.value, event["json"]):
            place = about or closest_schema(trials.contract, trials.schema, found.place)
            yield trial.violation(place, f"{who}: {found.received}", found.documented)
    if trial.status is not None and trial.status not in TAKEN:
        yield trial.violation(about or "status", f"answered {trial.status}")


def is_taken(trial: DeliveryTrial) -> bool:
    """Whether an application has handed a delivery on, or not refused it."""
    return bool(trial.events) or (trial.status is not None and trial.status not in REFUSED)


def _told(event: Any) -> str:
    return ": ".join(str(event[name]) for name in ("error", "unreadable", "text") if name in event)


def _counted(trial: DeliveryTrial) -> str:
    return f"{len(trial.events or ())} events, answered {trial.status}"


@rule(
    "CL-CB-01",
    "Every legal delivery is handed on without loss.",
    says="What a service posts by the contract reaches the handler type for type, and is answered with success.",
)
@each_delivery
def test_legal_deliveries(trials: DeliveryTrials) -> Iterator[Violation]:
    for trial in trials.each(trials.legal_posts()):
        yield from not_handed_on(trials, trial)


@rule(
    "CL-CB-02",
    "A delivery that the contract does not allow is never handed on.",
    says="Whatever is missing, of another type, no JSON or not posted is refused with the client's own error and 4xx.",
)
@each_delivery
def test_illegal_deliveries(trials: DeliveryTrials) -> Iterator[Violation]:
    for trial in trials.each(trials.broken_posts()):
        about = trial.post.about
        if trial.parsed is not None and about not in OF_HTTP and not trial.parsed.get("own"):
            told = "it is taken" if "json" in trial.parsed else _told(trial.parsed)
            yield trial.violation(f"{about} parser", f"parser: {told}")
        if is_taken(trial):
            yield trial.violation(about, _counted(trial))


@rule(
    "CL-CB-03",
    "A forged delivery is never handed on.",
    says="Without the signature that the contract describes, or at another address, nobody can make up an event.",
    source="https://cwe.mitre.org/data/definitions/345.html",
)
@each_delivery
def test_forged_deliveries(trials: DeliveryTrials) -> Iterator[Violation]:
    for proof in trials.proofs():
        (trial,) = trials.deliver(trials.legal_posts()[0].proven(proof))
        is_parsed = trial.parsed is not None and "json" in trial.parsed
        if is_parsed or is_taken(trial):
            yield trial.violation(proof, ("parsed, " if is_parsed else "") + _counted(trial))


@rule(
    "CL-CB-04",
    "A delivery that comes twice is handed on once.",
    says="A sender that has seen no answer sends again: the handler gets the event once, the sender gets two answers.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2",
    basis="inferred",
)
@each_delivery
def test_duplicates(trials: DeliveryTrials) -> Iterator[Violation]:
    genuine = trials.legal_posts()[0]
    first, second = trials.deliver(genuine, genuine)
    if first.events is None:
        raise NotApplicable("the client has no application that could know a delivery again")
    if [len(first.events), len(second.events or ())] != [1, 0] or second.status not in TAKEN:
        yield second.violation("twice", f"{_counted(first)}, then {_counted(second)}")


@rule(
    "CL-CB-05",
    "Deliveries are handed on in whatever order they come.",
    says="Nothing says in which order events arrive: each one is handed on, whichever came before.",
)
@each_delivery
def test_any_order(trials: DeliveryTrials) -> Iterator[Violation]:
    posts = trials.legal_posts()
    unlike = _unlike(posts)
    pairs = [*([unlike] if unlike else []), *others_of_its_kind(trials.contract, trials.delivery, posts[0])]
    if not pairs:
        raise NotApplicable("no two deliveries could be made that differ in all that they must have")
    for order in (order for pair in pairs for order in (pair, pair[::-1])):
        for trial in trials.deliver(*order):
            yield from not_handed_on(trials, trial, "order")


def _unlike(posts: list[Post]) -> tuple[Post, Post] | None:
    """Return two deliveries that share no value of a property: they can't be taken for one another."""
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
)
@each_delivery
def test_grown_deliveries(trials: DeliveryTrials) -> Iterator[Violation]:
    for trial in trials.each(trials.book.grown_posts(trials.delivery)):
        yield from not_handed_on(trials, trial, trial.post.about)


@rule(
    "CL-CB-07",
    "A delivery whose handler has failed is not lost.",
    says="The response asks the sender to send it again, and then the event is passed on again.",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-15.6",
    basis="inferred",
)
@each_delivery
def test_failing_handler(trials: DeliveryTrials) -> Iterator[Violation]:
    genuine = trials.legal_posts()[0]
    first, second = trials.deliver(genuine.failing(), genuine)
    if first.events is None:
        raise NotApplicable("the client has no application that a sender could be told by")
    if first.status not in FAILED or second.status not in TAKEN or not second.events:
        yield second.violation("failure", f"{_counted(first)}, then {_counted(second)}")


@rule(
    "CL-CB-08",
    "A refusal does not reveal how to forge a delivery.",
    says="Neither the response nor the error holds the secret, or the right signature.",
    source="https://cwe.mitre.org/data/definitions/209.html",
    basis="inferred",
)
@each_delivery
def test_refusals_tell_no_secret(trials: DeliveryTrials) -> Iterator[Violation]:
    posts = [trials.legal_posts()[0].proven(proof) for proof in trials.proofs()]
    posts += [post for post in trials.broken_posts() if post.value is None]
    for trial in trials.each(posts):
        if trial.tells:
            yield trial.violation(trial.post.about or trial.post.proof, f"answered {trial.status}, with a secret")


@rule(
    "CL-CB-09",
    "A delivery that comes in parts is handed on whole.",
    says="A body may arrive in several messages, of which the last is empty: nothing of it is lost.",
    source="https://asgi.readthedocs.io/en/latest/specs/www.html#request-receive-event",
)
@each_delivery
def test_deliveries_in_parts(trials: DeliveryTrials) -> Iterator[Violation]:
    for parts in (2, 7):
        for trial in trials.deliver(trials.legal_posts()[0].in_parts(parts)):
            yield from not_handed_on(trials, trial, "parts")


@rule(
    "CL-CB-10",
    "Deliveries that come at the same time are handed on once each.",
    says="Each is handed on whole and once, also one that is sent twice at once, of which a second may be put off.",
    basis="inferred",
)
@each_delivery
def test_deliveries_at_once(trials: DeliveryTrials) -> Iterator[Violation]:
    posts = trials.legal_posts()
    different = [post.in_parts(3) for post in _unlike(posts) or posts[:1]]
    statuses, events = trials.deliver_together(*different, *different)
    handed = sorted(json.dumps(event.get("json", _told(event)), sort_keys=True) for event in events)
    wanted = sorted(json.dumps(post.value, sort_keys=True) for post in different)
    if handed != wanted:
        received = f"{len(handed)} events, {len(set(handed) - set(wanted))} of them wrong, answered {statuses}"
        yield Violation(received, f"{trials.delivery.name} at once", f"{len(wanted)} events")
    elif sum(status in TAKEN for status in statuses) < len(wanted) or any(isinstance(one, str) for one in statuses):
        yield Violation(f"answered {statuses}", f"{trials.delivery.name} at once status", "success for each")


@rule(
    "CL-CB-15",
    "A delivery is the same in whatever spelling of its JSON.",
    says="Letters may be escaped or not, properties come in any order, with white space or without: what is signed by "
    "the contract's words is good, and handed on.",
    source="https://www.rfc-editor.org/rfc/rfc8259#section-7",
)
@each_delivery
def test_spellings(trials: DeliveryTrials) -> Iterator[Violation]:
    posts = trials.legal_posts()
    foreign = (post for post in posts if has_foreign_letters(post))
    for post in (*posts[:1], *itertools.islice(foreign, 1)):
        for trial in trials.each(spelled_posts(post)):
            yield from not_handed_on(trials, trial, trial.post.about)


@client_rule(
    "CL-CB-16",
    "Of what the contract does not describe each event is handed on once, too.",
    says="Events of one run are several events, and so are those without an id that say different things; what is sent "
    "again is the same event. Each is handed on as it was sent.",
    source="the client's own documentation of what it receives",
    basis="documented",
)
def test_unlisted_events(client: ClientTrials) -> Iterator[Violation]:
    told = client.session.subject.ask("unlisted")
    if told["kind"] != "unlisted":
        raise NotApplicable(f"not claimed: {told['reason']}")
    for name, bodies in told["bodies"].items():
        posts = [Post(json.dumps(body).encode(), value=body) for body in bodies]
        asked = [post.to_message() for post in (*posts, *posts)]
        taken = client.session.subject.ask("receive", delivery=name, posts=asked, timeout=TIMEOUT)["taken"]
        client.session.count(len(taken))
        for place, (body, first, again) in enumerate(zip(bodies, taken, taken[len(bodies) :], strict=False)):
            handed = [canonical(event.get("json")) for event in first["events"] or ()]
            if handed != [canonical(body)] or first["status"] not in TAKEN:
                received = f"{len(handed)} events, answered {first['status']}"
                yield Violation(received, f"{name} event {place}", "the event, handed on as it was sent")
            elif again["events"] or again["status"] not in TAKEN:
                received = f"{len(again['events'] or ())} events, answered {again['status']}"
                yield Violation(received, f"{name} event {place} again", "success, and no event")
