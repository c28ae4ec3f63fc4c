"""A breach is told once, by the rule that names it, under the same identity every night."""

import json
from pathlib import Path

import pytest
from breaking_proxy import Break, BreakingProxy, Reply, Request
from judging import Judgement, judge, promptlayer, targets_file
from server_breaks import accepting, body, is_run, members, without

from contract_tests.__main__ import main
from workflow_sandbox.server import Sandbox

LACKS_MESSAGE = body(is_run, without("message"), (201, 202))
NAMED = "#/components/schemas/RunCreated/required/1"


def _judge(directory: Path, sandbox: Sandbox, broken: Break, *arguments: str) -> Judgement:
    directory.mkdir(exist_ok=True)
    with BreakingProxy(sandbox.promptlayer_url, broken) as proxy:
        path = targets_file(directory, {"broken": promptlayer(proxy.url)})
        return judge(directory, "--side", "server", *arguments, "--target", "broken", "--targets", str(path))


def _seen_through(judgement: Judgement) -> list[tuple[str, str]]:
    # The proxy writes each request anew, once a header: relations of spellings and keys see that, too.
    return [(rule, operation) for rule, operation in judgement.violations if not rule.startswith("REL-")]


@pytest.mark.slow
def test_rule_alone_tells_what_it_names(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """A member that is missing everywhere is one row, and the property about bodies says who has told it."""
    judgement = _judge(tmp_path, sandbox, LACKS_MESSAGE, "--seed", "1", *few)

    assert _seen_through(judgement) == [("PL-RUN-04", "runWorkflow")]
    assert [found["constraint"] for found in judgement.row("PL-RUN-04")["findings"]] == [
        "#/components/schemas/RunAccepted/required/1",
        NAMED,
    ]
    assert judgement.row("SRV-03", "runWorkflow")["received"] == "what was found is told by PL-RUN-04"


@pytest.mark.nightly
def test_property_tells_what_no_rule_sees(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """The same breach on a request that no rule looks at is told by the property."""

    def after(request: Request, reply: Reply) -> None:
        if is_run(request) and reply.status == 201 and "workflow_version_number" in members(request):
            reply.replace_json(without("message")(reply.json))

    judgement = _judge(tmp_path, sandbox, Break(after=after), "--seed", "1", *few)

    assert _seen_through(judgement) == [("SRV-03", "runWorkflow")]
    assert judgement.row("SRV-03", "runWorkflow")["identity"] == f"SRV-03 runWorkflow {NAMED}"


@pytest.mark.nightly
def test_merged_parts_tell_it_once_too(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """Rule and property judged in different parts of a run are one row once the parts are merged."""
    _judge(tmp_path / "rule", sandbox, LACKS_MESSAGE, "-k", "PL-RUN-04", "--seed", "1", *few)
    property_ = _judge(tmp_path / "property", sandbox, LACKS_MESSAGE, "-k", "SRV-03", "--seed", "1", *few)
    assert ("SRV-03", "runWorkflow") in property_.violations
    main(["merge", str(tmp_path / "rule"), str(tmp_path / "property"), "--report-dir", str(tmp_path / "all")])
    report = json.loads((tmp_path / "all" / "results.json").read_text())
    merged = Judgement(1, report)

    assert merged.violations == [("PL-RUN-04", "runWorkflow")]
    assert report["information"] == []


@pytest.mark.nightly
def test_two_nights_give_the_same_identities(tmp_path: Path, sandbox: Sandbox, few: tuple[str, str]) -> None:
    """Other seeds, ports, ids and tags change nothing in the identities of what is broken."""
    broken = accepting(lambda request: is_run(request) and "sandbox-key" in str(request.headers), {})
    nights = []
    for seed in ("1", "2"):
        judgement = _judge(tmp_path / seed, sandbox, broken, "-k", "SRV-04", "--seed", seed, *few)
        findings = judgement.row("SRV-04", "runWorkflow")["findings"]
        nights.append([found["identity"] for found in findings])

    assert nights[0] == nights[1]
    assert len(set(nights[0])) == len(nights[0]) > 5
