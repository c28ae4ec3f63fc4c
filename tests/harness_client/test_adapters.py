"""The shipped adapters spell names as the generator does, and choose between themselves as documented."""

from pathlib import Path

import pytest

from contract_tests.client.adapters.python_names import class_name, python_name
from contract_tests.client.selection import choose_client
from contract_tests.client.subject_process import Choice
from contract_tests.options import Options
from contract_tests.rules import SetUpError
from contract_tests.runner.command_line import parse

NAMES = [
    ("runWorkflow", "run_workflow"),
    ("getHTTPResponse", "get_http_response"),
    ("createdAt", "created_at"),
    ("X-API-KEY", "x_api_key"),
    ("filter[name]", "filtername"),
    ("class", "class_"),
    ("id", "id"),
    ("type", "type_"),
    ("_private", "field_private"),
    ("2fa", "field_2fa"),
    ("a.b c-d", "a_b_c_d"),
    ("été", "été"),
]


@pytest.mark.parametrize(("name", "spelled"), NAMES)
def test_names_are_spelled_as_the_generator_spells_them(name: str, spelled: str) -> None:
    """The rule is written down once more, and agrees with examples."""
    assert python_name(name) == spelled


def test_names_agree_with_the_generator_itself() -> None:
    """Where the generator is installed, both rules give the same names."""
    strings = pytest.importorskip("openapi_python_client.strings", reason="not run: the generator is not installed")
    names = [name for name, _ in NAMES] + [
        "HTTPValidationError",
        "workflowRun2",
        "self",
        "a__b",
        "OpenAI-Key",
        "A",
        "aB",
    ]

    assert [python_name(name) for name in names] == [str(strings.PythonIdentifier(name, "field_")) for name in names]
    assert [class_name(name) for name in names[-7:]] == [str(strings.pascal_case(name)) for name in names[-7:]]


def chosen(*arguments: str) -> Choice:
    """Choose by a command line."""
    options = parse(["--side", "client", *arguments])
    assert isinstance(options, Options)
    return choose_client(options)


def package(folder: Path, *, is_stock: bool) -> Path:
    """Make a folder look like a generated package."""
    (folder / "api" / "tag").mkdir(parents=True)
    for name in ("__init__.py", "client.py", "api/tag/op.py"):
        (folder / name).write_text("def sync_detailed(\n" if is_stock else "")
    return folder


def test_the_adapter_follows_from_the_package(tmp_path: Path) -> None:
    """Stock functions are driven as such, under the folder's name; anything else through workflow_runs."""
    stock, own = (
        package(tmp_path / "a" / "stock_api", is_stock=True),
        package(tmp_path / "b" / "my copy", is_stock=False),
    )

    by_stock, by_own, by_default = chosen("--generated", str(stock)), chosen("--generated", str(own)), chosen()

    assert by_stock.adapter.endswith(":OpenapiPythonClient")
    assert by_stock.packages == {"stock_api": stock}
    assert by_own.adapter.endswith(":WorkflowRuns")
    assert by_own.packages == {"workflow_runs_api": own}
    assert by_default.packages == {}


def test_a_directory_may_hold_the_one_package(tmp_path: Path) -> None:
    """The package is found in its parent, unless there are two of them or none."""
    first = package(tmp_path / "one", is_stock=True)
    assert chosen("--generated", str(tmp_path)).packages == {"one": first}

    package(tmp_path / "two", is_stock=True)
    with pytest.raises(SetUpError, match=r"has to hold exactly one; it holds one, two$"):
        chosen("--generated", str(tmp_path))
    with pytest.raises(SetUpError, match=r"it holds none$"):
        chosen("--generated", str(first / "api"))


def test_a_copy_of_the_client_is_found_in_its_parent(tmp_path: Path) -> None:
    """--client takes the copy itself or the folder that holds it beside others."""
    for name in ("workflow_runs", "workflow_sandbox"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()

    expected = {"workflow_runs": tmp_path / "workflow_runs"}
    assert chosen("--client", str(tmp_path)).packages == expected
    assert chosen("--client", str(tmp_path / "workflow_runs")).packages == expected


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    """An unknown adapter, and a copy of our client that the adapter would not use, are errors of the arguments."""
    with pytest.raises(SetUpError, match="--adapter: 'nope' is neither MODULE:ATTRIBUTE nor one of workflow_runs,"):
        chosen("--adapter", "nope")
    with pytest.raises(SetUpError, match="--client is a copy of workflow_runs"):
        chosen("--client", str(tmp_path), "--adapter", "openapi-python-client")
