"""Proxies: how a client goes by what the environment says of them."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from contract_tests.client import relations
from contract_tests.client.cards import operation_rule
from contract_tests.client.driver.secrets import shows
from contract_tests.client.operation_info import base_path
from contract_tests.client.outcome import Raised, Value, describe
from contract_tests.client.relations import core, essence
from contract_tests.client.session import Trial
from contract_tests.client.trials import Trials
from contract_tests.http.recording_server import RecordedRequest, RecordingServer
from contract_tests.rules import NotApplicable, Violation

HTTP: Final = "https://www.rfc-editor.org/rfc"
OWN: Final = "the client's own documentation of proxies"
HOST: Final = "service.invalid"  # nobody but a proxy knows it
USER, PASSWORD = "contract-tests", "p%40ss%2Fw%3Ard-of-the-proxy"
# What NO_PROXY says, a host, and whether it is reached without the proxy.
WITHOUT: Final = (
    ("127.0.0.1", "127.0.0.1", True),
    ("other.invalid, 127.0.0.1", "127.0.0.1", True),
    ("localhost", "localhost", True),
    ("*", "127.0.0.1", True),
    (HOST, f"api.{HOST}", True),
    ("", "127.0.0.1", False),
    (HOST, f"other-{HOST}", False),
    (f"api.{HOST}", HOST, False),
    (HOST, f"{HOST}.other.invalid", False),
    ("27.0.0.1", "127.0.0.1", False),
    ("ocalhost", "localhost", False),
)
rule: Final = partial(operation_rule, source=OWN, basis="documented")


def _applicable(trials: Trials) -> None:
    relations.first_of_all(trials)
    if not trials.offers("reads_proxies"):
        raise NotApplicable("the adapter does not say that its client goes by what the environment says of proxies")


def _through(
    trials: Trials, mode: str, host: str, login: str = "", without: str = ""
) -> tuple[Trial[Any], list[RecordedRequest]]:
    """Return a call to a host with a proxy in the environment, and the requests that came to the proxy."""
    port = urlsplit(trials.session.server.url).port
    with RecordingServer(trials.success) as proxy:
        address = proxy.url.replace("://", f"://{login}@") if login else proxy.url
        variables = {"HTTP_PROXY": address, "http_proxy": address, "NO_PROXY": without, "no_proxy": without}
        url = f"http://{host}:{port}{base_path(trials.operation)}"
        trial = trials.ask("surrounded", mode, base_url=url, more={"variables": variables})
        return trial, list(proxy.seen)


@rule(
    "CL-PRX-01",
    "A request to a proxy names the whole address, and is else what it is without one.",
    says="The target is in absolute form, Host is that of the service, and a proxy that wants a login gets it.",
    source=f"{HTTP}/rfc9112#section-3.2.2",
)
def test_requests_to_proxies(trials: Trials) -> Iterator[Violation]:
    _applicable(trials)
    for mode in trials.modes():
        direct = trials.ask("call", mode)
        trial, seen = _through(trials, mode, HOST, f"{USER}:{PASSWORD}")
        if len(seen) != 1 or trial.seen or essence(trial.outcome) != essence(direct.outcome):
            yield trial.violation("proxy", f"{len(seen)} requests to the proxy: {describe(trial.outcome)}", "1")
            continue
        (one,), netloc = seen, f"{HOST}:{urlsplit(trials.session.server.url).port}"
        if not one.target.startswith(f"http://{netloc}/") or one.all("Host") != [netloc]:
            yield trial.violation("target", f"{one.all('Host')} {one.target}", f"http://{netloc}/...")
        if direct.seen and core(_in_origin_form(one)) != core(direct.seen[0]):
            yield trial.violation("request", "the request is another one than without a proxy")
        login = base64.b64encode(f"{USER}:{unquote(PASSWORD)}".encode()).decode()
        if one.all("Proxy-Authorization") != [f"Basic {login}"]:
            yield trial.violation("login", f"{len(one.all('Proxy-Authorization'))} logins, or another one")


def _in_origin_form(seen: RecordedRequest) -> RecordedRequest:
    parts = urlsplit(seen.target)
    return replace(seen, target=parts._replace(scheme="", netloc="").geturl())


@rule(
    "CL-PRX-02",
    "NO_PROXY names hosts as wholes.",
    says="A name stands for that host and all below it, not for whatever ends or begins with the same letters.",
)
def test_hosts_without_proxy(trials: Trials) -> Iterator[Violation]:
    _applicable(trials)
    for mode in trials.modes():
        for without, host, is_direct in WITHOUT:
            trial, seen = _through(trials, mode, host, without=without)
            about = f"NO_PROXY={without} {host}"
            if is_direct and seen:
                yield trial.violation(about, "the request came to the proxy", "a request to the host itself")
            elif not is_direct and not (seen and isinstance(trial.outcome, Value)):
                yield trial.violation(about, describe(trial.outcome), "a request to the proxy")


@rule(
    "CL-PRX-03",
    "The login of a proxy is shown to nobody.",
    says="No error of a call through a proxy shows its password, and the service does not get it.",
    source="https://cwe.mitre.org/data/definitions/209.html",
)
def test_logins_of_proxies(trials: Trials) -> Iterator[Violation]:
    _applicable(trials)
    for mode in trials.modes():
        variables = dict.fromkeys(("HTTP_PROXY", "http_proxy"), f"http://{USER}:{PASSWORD}@127.0.0.1:9")
        trial = trials.ask("surrounded", mode, base_url=f"http://{HOST}", more={"variables": variables})
        outcome = trial.outcome
        if not (isinstance(outcome, Raised) and outcome.own):
            yield trial.violation("no proxy", describe(outcome), "an error of the client's own")
        elif shows(outcome.shown, unquote(PASSWORD)) or shows(outcome.shown, PASSWORD):
            yield trial.violation("password", f"{outcome.type_name} shows the password of the proxy")
        direct, _ = _through(trials, mode, "127.0.0.1", f"{USER}:{PASSWORD}", without="127.0.0.1")
        if any(seen.all("Proxy-Authorization") for seen in direct.seen):
            yield direct.violation("service", "the service gets the login of the proxy")
