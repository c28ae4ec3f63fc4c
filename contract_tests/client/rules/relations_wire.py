"""The wire: addresses as they are given, and headers of HTTP that tell the truth."""

from collections.abc import Iterator
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from contract_tests.client import relations
from contract_tests.client.cards import operation_rule
from contract_tests.client.outcome import describe
from contract_tests.client.relations import essence
from contract_tests.client.rules.requests import sent_requests
from contract_tests.client.trials import Trials
from contract_tests.http import expected_parameters as wire
from contract_tests.rules import NotApplicable, Violation

HTTP: Final = "https://www.rfc-editor.org/rfc/rfc9110"
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


def _leads_to(trials: Trials, base: str, target: str) -> bool:
    path = wire.path_of(target)
    return path.startswith(f"{base}/") and wire.path_values(trials.operation, "", path.removeprefix(base)) is not None


@rule(
    "CL-REL-23",
    "What a client asks for by Accept-Encoding it reads.",
    says="A service may compress a response in each of the codings that the request names.",
    source=f"{HTTP}#section-12.5.3",
)
def test_codings(trials: Trials) -> Iterator[Violation]:
    relations.representative(trials)
    is_asked = False
    for mode in trials.modes():
        plain = trials.ask("call", mode)
        accepted = ",".join(plain.seen[0].all("Accept-Encoding")).lower() if plain.seen else ""
        for coding in relations.CODINGS:
            if coding not in [part.strip() for part in accepted.split(",")]:
                continue
            is_asked, trial = True, relations.coded(trials, mode, coding)
            if essence(trial.outcome) != essence(plain.outcome):
                yield trial.violation(coding, describe(trial.outcome), describe(plain.outcome))
    if not is_asked:
        raise NotApplicable("the client asks for no compressed response")
