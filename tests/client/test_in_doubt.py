"""A run that may have been started: the error tells where to look for it, and by what."""

from __future__ import annotations

import copy
import json
import pickle
import re
import time
from typing import Any

import httpx
import pytest
from client_calls import EXECUTE, INTERACTLY_URL, INTERACTLY_WORKFLOW, RESULTS, RUN, Call, Flavour, reply

from workflow_runs import BadArgument, MaybeSent, PromptLayer, WorkflowRunsError

_IN_DOUBT = [
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.Response(500),
    httpx.Response(529),
    httpx.Response(201, text="no JSON"),
    reply(201, {}),
]
_TIME = r"from about (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"


def _error(flavour: Flavour, call: Call, client: Any, **changed: Any) -> WorkflowRunsError:
    with pytest.raises(WorkflowRunsError) as caught:
        flavour.make(call, client, **changed)
    return caught.value


@pytest.mark.parametrize("outcome", _IN_DOUBT, ids=range(len(_IN_DOUBT)))
def test_a_run_in_doubt_is_told_by_workflow_and_time(outcome: Any, flavour: Flavour) -> None:
    """No operation of PromptLayer finds a run, so the error says what to look for in the dashboard."""
    before = time.time()
    error = _error(flavour, RUN, flavour.over(RUN, outcome)[0])
    assert error.may_have_run
    assert error.how_to_find is not None
    assert "dashboard it is a run of 'support-agent'" in error.how_to_find
    told = re.search(_TIME, error.how_to_find)
    assert told is not None
    moments = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(before + second)) for second in range(10)]
    assert told[1] in moments
    assert str(error).endswith(error.how_to_find)


@pytest.mark.parametrize("outcome", _IN_DOUBT[:-1], ids=range(len(_IN_DOUBT) - 1))
def test_interactly_has_a_list_of_runs(outcome: Any, flavour: Flavour) -> None:
    """There the error names the address of the list."""
    error = _error(flavour, EXECUTE, flavour.over(EXECUTE, outcome)[0])
    assert error.how_to_find is not None
    assert error.how_to_find.startswith(f"GET {INTERACTLY_URL}/v1/workflow-runs lists the runs")
    assert f"one of workflow {INTERACTLY_WORKFLOW} from about " in error.how_to_find


@pytest.mark.parametrize("outcome", [httpx.ConnectError("no"), httpx.Response(404), httpx.Response(429)], ids=range(3))
def test_there_is_nothing_to_find_where_nothing_can_have_run(outcome: Any, call: Call, flavour: Flavour) -> None:
    """An error that leaves no doubt has no such advice."""
    error = _error(flavour, call, flavour.over(call, outcome)[0])
    assert (error.may_have_run, error.how_to_find) == (False, None)


def test_a_lost_question_leaves_nothing_to_find(flavour: Flavour) -> None:
    """Asking for results starts nothing."""
    error = _error(flavour, RESULTS, flavour.over(RESULTS, httpx.ReadError("reset"))[0])
    assert (error.may_have_run, error.how_to_find) == (False, None)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
def test_copies_keep_the_advice(copied: Any, flavour: Flavour) -> None:
    """An error that travels to another process takes along what it says."""
    error = _error(flavour, RUN, flavour.over(RUN, httpx.ReadError("reset"))[0])
    assert (copied(error).how_to_find, str(copied(error))) == (error.how_to_find, str(error))


def test_inputs_and_metadata_stay_out_of_the_advice(flavour: Flavour) -> None:
    """What was sent is nobody's business, except for the name of the workflow, which is cut if it is long."""
    client, _ = flavour.over(RUN, httpx.ReadError("reset"))
    with pytest.raises(MaybeSent) as caught:
        flavour.do(client, "run_workflow", "a/b " * 100, metadata={"order": "order-17"}, input_variables={"a": "input"})
    assert "order" not in str(caught.value)
    assert f"run of '{'a/b ' * 20}...'" in str(caught.value)


def test_a_tag_is_opt_in(flavour: Flavour) -> None:
    """A view tags its runs, each with a new text, beside the caller's own metadata; the client itself doesn't."""
    client, wire = flavour.over(RUN, RUN.ok())
    view = client.with_run_tags()
    for each in (client, view, view, view.with_options(timeout=5), client.with_run_tags("order")):
        flavour.make(RUN, each, metadata={"team": "blue"})
    plain, *tagged, named = (json.loads(request.content)["metadata"] for request in wire.requests)
    assert plain == {"team": "blue"}
    assert len({metadata.pop("client_tag") for metadata in tagged}) == 3
    assert tagged == [{"team": "blue"}] * 3
    assert named.keys() == {"team", "order"}


@pytest.mark.parametrize("metadata", [{}, {"metadata": None}, {"metadata": {}}], ids=range(3))
def test_a_tag_needs_no_metadata_of_the_callers(metadata: dict[str, Any], flavour: Flavour) -> None:
    """Where there is none, the tag is all there is; a question has none at all."""
    client, wire = flavour.over(RUN, RUN.ok(), RESULTS.ok())
    flavour.make(RUN, client.with_run_tags(), **metadata)
    flavour.make(RESULTS, client.with_run_tags())
    started, asked = wire.requests
    assert list(json.loads(started.content)["metadata"]) == ["client_tag"]
    assert asked.content == b""


def test_a_run_in_doubt_is_told_by_its_tag(flavour: Flavour) -> None:
    """The tag that was sent is the tag to look for; every try of a call has the same."""
    client, wire = flavour.over(RUN, httpx.ConnectError("no"), httpx.ReadError("reset"), retries=1)
    error = _error(flavour, RUN, client.with_run_tags("order"))
    tags = {json.loads(request.content)["metadata"]["order"] for request in wire.requests}
    assert len(tags) == 1
    assert str(error).endswith(f"with order={tags.pop()}")


def test_a_tag_of_the_callers_own_stays(flavour: Flavour) -> None:
    """Whoever gives metadata under the tag's name has chosen the tag."""
    client, wire = flavour.over(RUN, httpx.ReadError("reset"))
    error = _error(flavour, RUN, client.with_run_tags("order"), metadata={"order": "17"})
    assert json.loads(wire.only.content)["metadata"] == {"order": "17"}
    assert str(error).endswith("with order=17")


@pytest.mark.parametrize("extra", [{"team": "blue"}, {}, None])
def test_metadata_that_a_view_adds_is_tagged_as_well(extra: Any, flavour: Flavour) -> None:
    """Members added to the body take the place of the caller's, and the tag is among them."""
    client, wire = flavour.over(RUN, httpx.ReadError("reset"))
    view = client.with_run_tags().with_options(extra_body={"metadata": extra, "later": 1})
    error = _error(flavour, RUN, view, metadata={"team": "red"})
    sent = json.loads(wire.only.content)
    tag = sent["metadata"].pop("client_tag")
    assert (sent["metadata"], sent["later"]) == (extra or {}, 1)
    assert str(error).endswith(f"with client_tag={tag}")


def test_a_tag_of_a_views_own_stays(flavour: Flavour) -> None:
    """It is the tag to look for."""
    client, wire = flavour.over(RUN, httpx.ReadError("reset"))
    view = client.with_options(extra_body={"metadata": {"order": "17"}}).with_run_tags("order")
    error = _error(flavour, RUN, view)
    assert json.loads(wire.only.content)["metadata"] == {"order": "17"}
    assert str(error).endswith("with order=17")


def test_metadata_that_takes_no_tag_is_refused(flavour: Flavour) -> None:
    """A run without the tag that was asked for could not be found by it."""
    client, wire = flavour.over(RUN, RUN.ok())
    with pytest.raises(BadArgument) as caught:
        flavour.make(RUN, client.with_run_tags().with_options(extra_body={"metadata": ["blue"]}))
    assert caught.value.field == "extra_body.metadata"
    assert not wire.requests


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_tag_has_a_name(name: Any) -> None:
    """A name that is no text, or an empty one, is refused."""
    with pytest.raises(BadArgument) as caught:
        PromptLayer(api_key="key").with_run_tags(name)
    assert caught.value.field == "name"
