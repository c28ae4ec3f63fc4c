"""What a client does not claim to offer is not judged, and the report says so."""

import re
import subprocess
import venv
from pathlib import Path

import pytest
from judging_clients import client_rules, judging

from contract_tests.client.adapters.operation_classes import OperationClasses
from contract_tests.client.selection import PYTHON_VARIABLE, choose_client
from contract_tests.client.subject import Subject
from contract_tests.client.subject_process import Choice
from contract_tests.options import Options
from contract_tests.rules import EVERY_OPERATION, Basis, NotApplicable, SetUpError, Verdict
from contract_tests.runner.command_line import parse

SPEC = Path(__file__).with_name("shelf.yaml")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_client_without_an_asynchronous_form_is_judged_by_the_other() -> None:
    """Nothing is held against it, and every rule judges it that does not compare the two forms."""
    with judging(Choice(adapter="partial_client:SyncOnly"), SPEC) as judge:
        partial = judge.verdicts(operation="addBook")
        modes = {trial.mode for trial in judge.trials("addBook").legal_requests()}
    with judging(Choice(adapter="shelf_client:Conforming"), SPEC) as judge:
        complete = judge.verdicts(operation="addBook")

    differing = {one.rule.id for one, other in zip(partial, complete, strict=True) if one.verdict is not other.verdict}
    assert differing == {"CL-REL-02", "CL-REL-26", "CL-REL-31"}
    assert Verdict.VIOLATION not in {judged.verdict for judged in partial}
    assert modes == {"sync"}


@pytest.mark.slow
def test_an_operation_that_is_not_claimed_is_not_applicable() -> None:
    """Every rule says so that would judge what the operation does."""
    with judging(Choice(adapter="partial_client:WithoutRemoval"), SPEC) as judge:
        verdicts = {judged.rule.id: judged.verdict for judged in judge.verdicts(operation="removeBook")}
        with pytest.raises(NotApplicable, match=r"^not claimed: no removal$"):
            judge.trials("removeBook").faults()

    assert {rule for rule, verdict in verdicts.items() if verdict is not Verdict.NOT_APPLICABLE} == {"CL-SEC-02"}
    assert verdicts.keys() == {rule.id for rule in client_rules() if rule.operations == EVERY_OPERATION}


@pytest.mark.nightly
def test_calls_with_an_argument_that_is_not_claimed_are_left_out() -> None:
    """The other calls of the operation are judged."""
    with judging(Choice(adapter="partial_client:WithoutRemoval"), SPEC) as judge:
        tried = judge.trials("listBooks").legal_requests()
        assert not judge.violations(operation="listBooks")

    assert tried
    assert not [trial for trial in tried if "pageSize" in trial.case.query]


def test_a_client_may_live_in_an_environment_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable names its interpreter; it sees its own packages, the adapter and the harness, not what we have."""
    venv.create(tmp_path / "environment", symlinks=True)
    python = tmp_path / "environment" / "bin" / "python"
    (tmp_path / "lonely.py").write_text(
        "import sys\n"
        "class Lonely:\n"
        "    own_errors = ()\n"
        "    def __init__(self, generated): pass\n"
        "    def connect(self, connection): raise AssertionError\n"
        "def alone(generated):\n"
        "    try:\n"
        "        import httpx\n"
        "    except ImportError:\n"
        "        print(sys.prefix, file=open('seen', 'w'))\n"
        "        return Lonely(generated)\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PYTHON_VARIABLE, str(python))
    options = parse(["--side", "client", "--adapter", "lonely:alone"])
    assert isinstance(options, Options)

    with Subject(choose_client(options)):
        assert Path("seen").read_text(encoding="utf-8").strip() == str(tmp_path / "environment")
    assert subprocess.run([python, "-c", "import httpx"], capture_output=True, check=False).returncode == 1


def test_an_interpreter_that_is_not_there_is_an_error_of_the_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable and what it holds."""
    monkeypatch.setenv(PYTHON_VARIABLE, "/nowhere/python")
    options = parse(["--side", "client"])
    assert isinstance(options, Options)

    with pytest.raises(SetUpError, match=f"^{PYTHON_VARIABLE}: there is no such interpreter: /nowhere/python$"):
        choose_client(options)


def test_what_an_adapter_has_no_way_to_do_is_not_applicable() -> None:
    """An adapter with the five members alone breaks no rule that asks for more, and stops no run."""
    optional = {"CL-CLI-01", "CL-CLI-03", "CL-CLI-04", "CL-PKG-01", "CL-PKG-02", "CL-PKG-03", "CL-CB-01", "CL-CB-03"}
    with judging(Choice(adapter="shelf_client:ShelfAdapter"), SPEC) as judge:
        verdicts = {judged.rule.id: judged.verdict for judged in judge.verdicts(*optional)}

    assert set(verdicts.values()) == {Verdict.NOT_APPLICABLE}
    assert verdicts.keys() == optional


def test_our_documentation_states_what_our_adapter_says_that_it_states() -> None:
    """Each rule that the adapter names stands in the list of promises, and no other; alone they would be inferred."""
    _, _, promises = (ROOT / "docs" / "client.md").read_text(encoding="utf-8").partition("## What you can rely on")
    stated = set(re.findall(r"CL-[A-Z]+-[0-9]+", promises))
    for chapter, first, last in re.findall(r"(CL-[A-Z]+-)([0-9]+) to CL-[A-Z]+-([0-9]+)", promises):
        stated |= {f"{chapter}{number:02}" for number in range(int(first), int(last))}

    assert stated == OperationClasses.documents.keys()
    assert {rule.basis for rule in client_rules() if rule.id in stated} == {Basis.INFERRED}
