"""A service that is new in the contract is generated and judged, and a wrong set-up of it told, without a hand edit."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from judging import KEY, Judgement, judge, targets_file
from wrong_servers import ScriptedResponse, message, page, reply, serving

from contract_tests.__main__ import main
from support.contract import CONTRACT, with_paths

ROOT = Path(__file__).parents[2]
JOB = {"type": "object", "required": ["job_id"], "properties": {"job_id": {"type": "string"}}}
EXAMPLE = {"job_id": "j-1"}


def _answers(**statuses: Any) -> dict[str, Any]:
    found = {"401": {"$ref": "#/components/responses/Unauthorized"}}
    for status, example in statuses.items():
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}, "example": example}}
        found[status[1:]] = {"description": "Told.", **({"content": content} if example else {})}
    return found


def _operation(operation_id: str, **more: Any) -> dict[str, Any]:
    return {"operationId": operation_id, "tags": ["acmeflow"], "summary": "A job.",
            "security": [{"acmeKey": []}], **more}  # fmt: skip


def _grown(document: dict[str, Any], folder: Path) -> Path:
    """Add a third service to a contract: three operations with a key of their own."""
    document["tags"].append({"name": "acmeflow", "x-class-name": "AcmeFlow", "description": "Jobs."})
    document["components"]["securitySchemes"]["acmeKey"] = {"type": "apiKey", "in": "header", "name": "X-Acme-Key"}
    document["components"]["schemas"]["Job"] = JOB
    body = {"schema": {"$ref": "#/components/schemas/Job"}, "example": EXAMPLE}
    posted = {"required": True, "content": {"application/json": body}}
    here = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
            "example": "j-1"}  # fmt: skip
    gone = {"404": {"$ref": "#/components/responses/NotFound"}}
    servers = [{"url": "https://api.acmeflow.example"}]
    document["paths"]["/jobs"] = {
        "servers": servers,
        "post": _operation("createJob", requestBody=posted, responses=_answers(_201=EXAMPLE)),
    }
    document["paths"]["/jobs/{job_id}"] = {
        "servers": servers,
        "parameters": [here],
        "get": _operation("getJob", responses=_answers(_200=EXAMPLE) | gone),
        "delete": _operation("deleteJob", responses=_answers(_204=None) | copy.deepcopy(gone)),
    }
    path = folder / "openapi.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The third service beside an operation of ours."""
    document = with_paths(CONTRACT, "/workflows/{workflow_name}/run")
    document["components"]["responses"]["NotFound"] = copy.deepcopy(CONTRACT["components"]["responses"]["NotFound"])
    return _grown(document, tmp_path_factory.mktemp("third"))


def _judged(directory: Path, contract: Path, answer: ScriptedResponse, *arguments: str, **more: Any) -> Judgement:
    with serving(answer) as url:
        table = {"service": "acmeflow", "base_url": url, "api_key_env": "HARNESS_TEST_KEY"}
        file = targets_file(directory, {"acme": {**table, "requests_per_second": 1000, "allow_writes": True, **more}})
        side = ("--spec", str(contract), "--side", "server", "--target", "acme", "--targets", str(file))
        return judge(directory, *side, *arguments)


def test_its_client_is_judged(tmp_path: Path) -> None:
    """Its class is found, built and called by the adapter of our own client, beside those written by hand."""
    contract = _grown(copy.deepcopy(CONTRACT), tmp_path)
    command = [sys.executable, "scripts/generate", "--contract", str(contract), "--output", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    side = ("--spec", str(contract), "--side", "client", "--generated", str(tmp_path))
    judgement = judge(tmp_path, *side, "-k", "CL-CLI-01", "--seed", "1")

    assert judgement.status == 0
    for operation in ("createJob", "getJob", "deleteJob", "runWorkflow"):
        assert judgement.row("CL-CLI-01", operation)["verdict"] == "pass"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (message("401 Unauthorized"), "createJob, as in the contract's example, was answered 401"),
        (message("403 Forbidden"), "the key is not taken: check HARNESS_TEST_KEY and headers_env"),
        (message("404 Not Found"), "nothing is known there: check the path of base_url"),
        (page("200 OK"), "such as a login page: check base_url"),
        (page("502 Bad Gateway"), "the service is not available"),
        (reply("302 Found", "", "location: https://other.example/"), "it redirects to https://other.example/"),
    ],
)
def test_a_wrong_set_up_is_no_breach(
    answer: ScriptedResponse, words: str, contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is judged if no example gets a reply of the service's own: exit status 2 and one line."""
    judgement = _judged(tmp_path, contract, answer)
    (line,) = capsys.readouterr().err.splitlines()

    assert judgement.status == 2
    assert {row["verdict"] for row in judgement.report["results"]} == {"not_exercised"}
    assert line.startswith("contract_tests: target acme: ")
    assert words in line
    assert KEY not in line


def test_a_server_that_breaks_one_operation_is_judged(contract: Path, tmp_path: Path) -> None:
    """A reply of the service's own to another example shows that the set-up is right."""

    def answer(connection: Any, request: bytes) -> None:
        status = b"403 Forbidden" if request.startswith(b"POST") else b"200 OK"
        content = json.dumps(EXAMPLE).encode()
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(content))
        connection.sendall(head + content)

    judgement = _judged(tmp_path, contract, answer, "-k", "SRV-01", "--budget", "1", max_requests=12)

    assert judgement.status == 1
    assert ("SRV-01", "createJob") in judgement.violations


def test_others_need_a_workflow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The field that only some services need is missed where it is needed."""
    contract = _grown(copy.deepcopy(CONTRACT), tmp_path)
    table = {"service": "interactly", "base_url": "http://127.0.0.1:9", "api_key_env": "HARNESS_TEST_KEY"}
    file = targets_file(tmp_path, {"acme": table})

    assert main(["--side", "server", "--target", "acme", "--targets", str(file), "--spec", str(contract)]) == 2
    assert "targets.acme.workflow: is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "constraint"), [("7", ""), ("no", "type"), ("-1", "minimum"), (None, "required"), ("7, 8", "type")]
)
def test_documented_headers_are_judged(value: str | None, constraint: str, contract: Path, tmp_path: Path) -> None:
    """A required header that is missing, or does not fit its schema, is told with the pointer that it breaks."""
    document = json.loads(contract.read_text(encoding="utf-8"))
    left = {"required": True, "schema": {"type": "integer", "minimum": 0}}
    document["paths"]["/jobs/{job_id}"]["get"]["responses"]["200"]["headers"] = {"X-Left": left}
    path = tmp_path / "openapi.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    sent = () if value is None else (f"X-Left: {value}",)
    answer = reply("200 OK", json.dumps(EXAMPLE), "content-type: application/json", *sent)
    row = _judged(tmp_path, path, answer, "-k", "SRV-12", max_requests=12).row("SRV-12", "getJob")

    assert row["verdict"] == ("violation" if constraint else "pass")
    assert row["identity"].endswith(f"/{constraint}" if constraint else "")


@pytest.mark.parametrize("looks", [True, False])
def test_required_headers_are_looked_at(looks: bool, contract: Path, tmp_path: Path) -> None:  # noqa: FBT001
    """Who takes a request without a required header breaks SRV-15 alone; credentials are no concern of it."""
    document = json.loads(contract.read_text(encoding="utf-8"))
    named = {"in": "header", "required": True, "schema": {"type": "string", "minLength": 1}, "example": "one"}
    headers = [{"name": name, **named} for name in ("X-Tenant", "X-Acme-Key", "User-Agent")]
    document["paths"]["/jobs/{job_id}"]["get"]["parameters"] = headers
    document["paths"]["/jobs/{job_id}"]["get"]["responses"]["400"] = {"description": "Refused."}
    path = tmp_path / "openapi.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    kept, taken = message("400 Bad Request"), reply("200 OK", json.dumps(EXAMPLE), "content-type: application/json")

    def answer(connection: Any, request: bytes) -> None:
        lacks = looks and b"x-tenant: o" not in request.lower()
        (kept if lacks else taken)(connection, request)

    judgement = _judged(tmp_path, path, answer, "-k", "SRV-[01][45]", max_requests=60)
    row = judgement.row("SRV-15", "getJob")

    assert row["verdict"] == ("pass" if looks else "violation")
    assert len(row["findings"]) == (not looks)
    assert judgement.row("SRV-15", "createJob")["verdict"] == "not_applicable"
    assert "X-Tenant" not in judgement.row("SRV-04", "getJob")["received"]
