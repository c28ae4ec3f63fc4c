"""The wire: addresses as they are given, and headers of HTTP that tell the truth."""

from collections.abc import Iterator
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from contract_tests.client import relations, response_forms
from contract_tests.client.cards import operation_rule
from contract_tests.client.headers_given import Given, doubled, given_again
from contract_tests.client.outcome import Raised, describe
from contract_tests.client.relations import essence
from contract_tests.client.rules.requests import sent_requests
from contract_tests.client.trials import Trials
from contract_tests.http import expected_parameters as wire
from contract_tests.rules import NotApplicable, Violation

HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9110"
MADE_ANEW: Final = {"cookie", "content-type"}  # what they say may be joined, or have a new boundary
rule: Final = partial(operation_rule, basis="documented")


@rule(
    "CL-REL-21",
    "Host is the address that the request goes to.",
    says="A request names in Host, once, the host of its address, and the port unless it is the usual one.",
    source=f"{HTTP}#section-7.2",
)
def test_host(trials: Trials) -> Iterator[Violation]:
    wanted = urlsplit(trials.session.server.url).netloc
    for trial, seen in sent_requests(trials):
        if seen.all("Host") != [wanted]:
            yield trial.violation("Host", f"{seen.all('Host')}", wanted)


@rule(
    "CL-REL-22",
    "The base address is used as it is given.",
    says="The operation's path is added to the path of the address, whose letters and escapes stay as they are.",
    source="https://spec.openapis.org/oas/v3.1.1.html#server-object",
)
def test_addresses(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        for about, address in relations.addresses(trials).items():
            trial = trials.ask("call", mode, base_url=address)
            parts, seen = urlsplit(address), trial.seen[0] if trial.seen else None
            if seen is None:
                yield trial.violation(about, describe(trial.outcome), f"a request to {address}")
            elif not _leads_to(trials, parts.path, seen.target) or seen.all("Host") != [parts.netloc]:
                yield trial.violation(about, f"{seen.all('Host')} {seen.target}", address)


@rule(
    "CL-REL-24",
    "An address in an odd form leads where it says, or is refused.",
    says="A slash at the end of the address is not doubled, a query in it not lost, and an IPv6 address stands in "
    "brackets in Host as well.",
    source="https://www.rfc-editor.org/rfc/rfc3986#section-3",
    basis="inferred",
)
def test_odd_addresses(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        for about, address, trial in relations.odd_addresses(trials, mode):
            parts, seen = urlsplit(address), trial.seen[0] if trial.seen else None
            if seen is None:
                if not (isinstance(trial.outcome, Raised) and trial.outcome.own):
                    yield trial.violation(about, describe(trial.outcome), f"a request to {address}")
            elif not _leads_to(trials, parts.path.rstrip("/"), seen.target) or seen.all("Host") != [parts.netloc]:
                yield trial.violation(about, f"{seen.all('Host')} {seen.target}", address)
            elif parts.query not in seen.target:
                yield trial.violation(about, seen.target, f"with {parts.query}")


@rule(
    "CL-REL-25",
    "Headers of the caller's are sent as they were given.",
    says="What stands in a header is for its receiver: no space, quote or escape in it is anything to the client.",
    source=f"{HTTP}#section-5.5",
    basis="inferred",
)
def test_headers_as_given(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    is_sent = False
    for mode in trials.modes():
        trial = trials.ask("call", mode, headers=dict(relations.HEADERS))
        for name, value in relations.HEADERS.items():
            received = trial.seen[0].all(name) if trial.seen else []
            is_sent = is_sent or bool(received)
            if received not in ([value], []) or (is_sent and not received):
                yield trial.violation(name, f"{[text[:80] for text in received]}", value[:80])
    if not is_sent:
        raise NotApplicable("the adapter gives the client no headers of the caller's")


@rule(
    "CL-REL-47",
    "A header that the caller gives as well goes out once.",
    says="Names of fields are the same in any case, and a sender must not write one twice that is no list: neither "
    "the client's own line nor the caller's stands beside the other, whether it is given to a client or to a view of "
    "it. A client may refuse it instead.",
    source=f"{HTTP}#section-5.3",
)
def test_headers_in_another_case(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    played = [given for mode in trials.modes() for given in given_again(trials, mode)]
    if not any(given.is_heeded for given in played):
        raise NotApplicable("the adapter gives the client no headers of the caller's")
    for given in played:
        yield from _not_once(given)


def _not_once(given: Given) -> Iterator[Violation]:
    trial, seen = given.trial, given.trial.seen[0] if given.trial.seen else None
    if seen is None:
        yield trial.violation("sent", f"{given.about}: {describe(trial.outcome)}", "a request, or a refusal")
    elif seen.broken:
        yield trial.violation("is HTTP", f"{given.about}: {seen.broken}", "one line of each")
    elif given.is_heeded:
        for name, lines in ((name, seen.all(name)) for name in given.headers):
            if len(lines) != 1:
                yield trial.violation(name.lower(), f"{given.about}: {name} in {len(lines)} lines", "one line")
            elif name.lower() not in MADE_ANEW and lines != [given.headers[name]]:
                received = f"{given.about}: {name} is neither the caller's nor the client's own"
                yield trial.violation(name.lower(), received, "one of both")


@rule(
    "CL-REL-49",
    "No request has a field twice that is no list.",
    says="Credentials, declared headers, Host, User-Agent, Content-Type and the like go out in one line each, in every "
    "try: a second line is read by some services and not by others.",
    source=f"{HTTP}#section-5.3",
)
def test_single_fields(trials: Trials) -> Iterator[Violation]:
    for trial, _ in sent_requests(trials):
        for name in {name for seen in trial.seen for name in doubled(trials, seen)}:
            yield trial.violation(name, f"{name} in more than one line", "one line")
    for fault in trials.faults():
        for name in {name for seen in fault.seen[1:] for name in doubled(trials, seen)}:
            yield fault.violation(f"{name} in a further try", f"{name} in more than one line", "one line")


def _leads_to(trials: Trials, base: str, target: str) -> bool:
    path = wire.path_of(target)
    return path.startswith(f"{base}/") and wire.path_values(trials.operation, "", path.removeprefix(base)) is not None


@rule(
    "CL-REL-23",
    "What a client asks for by Accept-Encoding it reads.",
    says="A service may compress a response, however long, in each of the codings that the request names.",
    source=f"{HTTP}#section-12.5.3",
)
def test_codings(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode, coding, plain in response_forms.codings(trials, response_forms.sizes(trials)[""]):
        for about, answer in response_forms.sizes(trials).items():
            trial = trials.answered(mode, response_forms.packed(answer, coding))
            if essence(trial.outcome) != essence(plain.outcome):
                yield trial.violation(f"{coding} {about}".strip(), describe(trial.outcome), describe(plain.outcome))


@rule(
    "CL-REL-40",
    "A compressed response that is not whole ends in the client's own error.",
    says="What is compressed says where it ends. What ends before is half of something, also if that reads as JSON.",
    source="https://www.rfc-editor.org/rfc/rfc1952#section-2.3",
    basis="inferred",
)
def test_halves_of_what_is_compressed(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode, coding, _ in response_forms.codings(
        trials, trials.success, response_forms.CODINGS if trials.success.body else ()
    ):
        for about, answer in response_forms.parts_of(response_forms.packed(trials.success, coding)).items():
            trial = trials.answered(mode, answer)
            if not (isinstance(trial.outcome, Raised) and trial.outcome.own):
                yield trial.violation(f"{coding} {about}", describe(trial.outcome), "an error of the client's own")


@rule(
    "CL-REL-41",
    "A compressed response of several members is read whole.",
    says="A gzip body is a series of members, which simply follow one another: together they are what is compressed.",
    source="https://www.rfc-editor.org/rfc/rfc1952#section-2.2",
    basis="inferred",
)
def test_members_of_what_is_compressed(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode, _, plain in response_forms.codings(trials, trials.success, ["gzip"] if trials.success.body else ()):
        trial = trials.answered(mode, response_forms.in_members(trials.success))
        if essence(trial.outcome) != essence(plain.outcome):
            yield trial.violation("members", describe(trial.outcome), describe(plain.outcome))


@rule(
    "CL-REL-28",
    "A response is read whole, however it comes.",
    says="In chunks or segments that end anywhere, without a length, after an interim response, or long: a response is "
    "what it says.",
    source="https://www.rfc-editor.org/rfc/rfc9112#section-6",
)
def test_responses_in_parts(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    for mode in trials.modes():
        played = {about: trials.answered(mode, answer) for about, answer in response_forms.in_parts(trials).items()}
        whole = played.pop("").outcome
        for about, trial in played.items():
            if essence(trial.outcome) != essence(whole):
                yield trial.violation(about, describe(trial.outcome), describe(whole))
