"""The examples of the docstrings are executed, against a transport that answers with the contract's own examples."""

from __future__ import annotations

import asyncio
import doctest
import functools
import importlib
import inspect
import pkgutil
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from client_calls import CONTRACT, INTERACTLY_URL, KEY, reply, resolved

import workflow_runs
from workflow_runs_api.api import interactly, promptlayer

if TYPE_CHECKING:
    from pathlib import Path

_OPERATIONS = {
    (method, path): operation
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if method in {"get", "post", "put", "patch", "delete"}
}


def _contract(request: httpx.Request) -> httpx.Response:
    """Answer like a service that knows nothing but the contract's examples."""
    for (method, path), operation in _OPERATIONS.items():
        template = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/"))
        if request.method.lower() == method and re.search(f"{template}$", request.url.path):
            status, declared = next((s, d) for s, d in operation["responses"].items() if s.startswith("2"))
            examples = resolved(declared)["content"]["application/json"]["examples"]
            wanted = "allOutputs" if request.url.params.get("return_all_outputs") == "true" else next(iter(examples))
            return reply(int(status), examples[wanted]["value"])
    return httpx.Response(404)


def _documented() -> dict[str, tuple[Any, str]]:
    """Everything public that has a docstring, with the service that its examples are about."""
    found: dict[str, tuple[Any, str]] = {"workflow_runs": (workflow_runs, "promptlayer")}
    owners: list[Any] = [getattr(workflow_runs, name) for name in workflow_runs.__all__]
    for module in (promptlayer, interactly):
        owners += [each for name, each in vars(module).items() if name in module.__all__]
    for owner in owners:
        if inspect.isfunction(owner):
            found[owner.__name__] = (owner, "promptlayer")
        if not inspect.isclass(owner):
            continue
        service = "interactly" if "Interactly" in owner.__name__ or owner.__name__ == "RunCandidate" else "promptlayer"
        found[owner.__name__] = (owner, service)
        private = [
            each for each in owner.__mro__ if each.__name__.startswith("_") and "workflow_runs" in each.__module__
        ]
        members = {name: member for each in (*private, owner) for name, member in vars(each).items()}
        for name, member in members.items():
            if not name.startswith("_") and inspect.getdoc(member) and not isinstance(member, (str, int)):
                found[f"{owner.__name__}.{name}"] = (member, service)
    return found


_DOCUMENTED = _documented()
_WITH_EXAMPLES = {name: each for name, each in _DOCUMENTED.items() if ">>>" in (inspect.getdoc(each[0]) or "")}


def _settings() -> dict[str, Any]:
    return {"api_key": KEY, "http_client": httpx.Client(transport=httpx.MockTransport(_contract))}


def _names(service: str) -> dict[str, Any]:
    transport = httpx.MockTransport(_contract)
    clients = {
        "promptlayer": workflow_runs.PromptLayer(api_key=KEY, http_client=httpx.Client(transport=transport)),
        "interactly": workflow_runs.Interactly(
            api_key=KEY, base_url=INTERACTLY_URL, http_client=httpx.Client(transport=transport)
        ),
    }
    asynchronous = functools.partial(
        workflow_runs.AsyncPromptLayer, api_key=KEY, http_client=httpx.AsyncClient(transport=transport)
    )
    public = {name: getattr(workflow_runs, name) for name in workflow_runs.__all__}
    names = {
        "client": clients[service],
        "asyncio": asyncio,
        "datetime": datetime,
        "httpx": httpx,
        "AsyncPromptLayer": asynchronous,
    }
    return {**public, **names}


@pytest.mark.parametrize("name", _WITH_EXAMPLES)
def test_the_example_of_a_docstring_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a docstring shows is what happens."""
    monkeypatch.chdir(tmp_path)  # an example may leave a file
    documented, service = _WITH_EXAMPLES[name]
    text = inspect.getdoc(documented) or ""
    names = _names(service)
    if documented is workflow_runs:
        names["PromptLayer"] = functools.partial(names["PromptLayer"], **_settings())
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    assert test.examples
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert result.failed == 0, "".join(told)
    assert result.attempted == len(test.examples)


def test_no_example_is_left_out() -> None:
    """Every example of the package stands in a docstring that is executed here."""
    executed = {documented.__doc__ for documented, _ in _WITH_EXAMPLES.values()}
    packages = [*pkgutil.walk_packages(workflow_runs.__path__, "workflow_runs."), None]
    modules = [importlib.import_module(each.name if each else "workflow_runs") for each in packages]
    found = [test for module in modules for test in doctest.DocTestFinder(exclude_empty=True).find(module)]
    examples = {test.name: test.docstring for test in found if test.examples}
    assert len(examples) > 20
    assert [name for name, docstring in examples.items() if docstring not in executed] == []


def test_every_operation_has_an_example() -> None:
    """Each method of a service that waits for its reply shows how it is called."""
    for module, service in ((promptlayer, "PromptLayer"), (interactly, "Interactly")):
        operations = getattr(module, f"{service}Operations")
        methods = [name for name, each in vars(operations).items() if inspect.isfunction(each)]
        assert methods
        for method in methods:
            assert f"{service}Operations.{method}" in _WITH_EXAMPLES


@pytest.mark.parametrize("name", _DOCUMENTED)
def test_everything_public_has_a_docstring(name: str) -> None:
    """Nothing public is left unexplained."""
    assert inspect.getdoc(_DOCUMENTED[name][0])


@pytest.mark.parametrize("service", ["PromptLayer", "Interactly"])
def test_both_flavours_have_the_same_methods(service: str) -> None:
    """Whatever can be called can be awaited, with the same arguments and results."""
    one, other = getattr(workflow_runs, service), getattr(workflow_runs, f"Async{service}")
    closing = {"close", "aclose"}
    names = {name for name in dir(one) if not name.startswith("_")} - closing
    assert names == {name for name in dir(other) if not name.startswith("_")} - closing
    for name in names - {"base_url", "with_raw_response"}:
        asynchronous = str(inspect.signature(getattr(other, name))).replace("AsyncIterator[", "Iterator[")
        assert str(inspect.signature(getattr(one, name))) == asynchronous
