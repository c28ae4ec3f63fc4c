"""Clients that wait for a run wrongly: they start another one, mistake its outcome, or forget the time."""

from collections.abc import Iterator
from typing import Final

from mutants.clients.edits import ClientDefect, client, defect

FAILURE: Final = "            raise self._question.explained(failure, self.response) from None\n"
RHYTHM: Final = "rhythm = min(_FIRST_PAUSE + _SHARE * elapsed, _LONGEST_PAUSE)"
PENDING: Final = "        if isinstance(result, ExecutionPending):\n"
QUESTION: Final = "        super().__init__(execution_id, OPERATION, request(**self._arguments), outgoing)\n"
ASKED: Final = "client.get_workflow_version_execution_results(**self._arguments)"
AWAITED: Final = "        return await _run_and_wait(self, workflow_name, arguments, **how)\n"
STATUSES: Final = "{name: node.status for name, node in read_node_outputs(value).items()}"


def defects() -> Iterator[ClientDefect]:
    """Give all of this chapter."""
    yield from _starts_and_outcomes()
    yield from _times()
    yield from _ends()
    yield from _lists()


def _starts_and_outcomes() -> Iterator[ClientDefect]:
    yield defect(
        "wait.starts-again",
        "starts another run if a wait ends in an error",
        "retry added",
        "CL-RUN-01",
        client(
            "waiting_client.py",
            "        return await result_of(wait(run))\n",
            "        try:\n            return await result_of(wait(run))\n"
            "        except (RunFailed, WaitTimeout, WaitCancelled):\n            raise\n"
            "        except WorkflowRunsError:\n            return await result_of(wait(await result_of(start())))\n",
        ),
    )
    yield defect(
        "wait.start-denied",
        "says that there is no run if it was to wait for one whose start got no response",
        "doubt denied",
        "CL-RUN-04",
        client(
            "waiting_client.py",
            "    run = await result_of(start())\n",
            "    try:\n        run = await result_of(start())\n"
            "    except WorkflowRunsError as error:\n        error.may_have_run = False\n        raise\n",
        ),
    )
    yield defect(
        "wait.id-as-float",
        "asks for the nearest id that a float can hold",
        "value changed",
        "CL-RUN-02",
        client("outcome.py", "    return execution_id\n", "    return int(float(execution_id))\n"),
    )
    yield defect(
        "wait.pending-with-success",
        "takes what is sent while a run goes on for its outcome, if no node runs in it",
        "outcome mistaken",
        "CL-RUN-02",
        client(
            "promptlayer_question.py",
            PENDING,
            "        known = (_statuses(result.value) if asked_for_all else None) or {'': 'QUEUED'}\n"
            "        if isinstance(result, ExecutionPending) and {'QUEUED', 'RUNNING'} & {*known.values()}:\n",
        ),
    )
    yield defect(
        "wait.known-words",
        "fails where a node has a status that it does not know",
        "words closed",
        "CL-RUN-02",
        client(
            "promptlayer_question.py",
            STATUSES,
            "{name: ['QUEUED', 'RUNNING', 'SUCCESS', 'FAILED', 'SKIPPED'].index(node.status) and node.status "
            "for name, node in read_node_outputs(value).items()}",
        ),
    )
    yield defect(
        "wait.input-ends",
        "takes a run that waits for its user for one that has ended",
        "outcome mistaken",
        "CL-RUN-02",
        client("interactly_question.py", "if until_input else []", "if True else []"),
    )
    yield defect(
        "wait.latest",
        "asks for the run that anybody has begun to wait for last",
        "state shared",
        "CL-RUN-11",
        client(
            "promptlayer_question.py",
            QUESTION,
            "        ExecutionQuestion.latest = self._arguments\n" + QUESTION,
        ),
        client("promptlayer_question.py", ASKED, ASKED.replace("self._arguments", "ExecutionQuestion.latest")),
    )

    yield defect(
        "wait.falsy-output",
        "takes an output that is false, null or empty for none",
        "outcome mistaken",
        ("CL-RUN-02", "CL-CB-14"),
        client("outcome.py", 'if node.status == "SUCCESS":', 'if node.status == "SUCCESS" and node.value:'),
    )
    for id_, title, old, new in (
        ("last", "the last output node that succeeded", "in outputs:", "in reversed(outputs):"),
        ("any", "the first node that succeeded, also one that is no output", "output_nodes(nodes)", "nodes"),
        ("any-status", "the first output node, whatever became of it", 'if node.status == "SUCCESS":', "if True:"),
        ("by-name", "the output node whose name comes first", "nodes.items() if", "sorted(nodes.items()) if"),
    ):
        yield defect(
            f"main-output.{id_}",
            f"tells as the main output that of {title}",
            "outcome mistaken",
            "CL-RUN-16",
            client("outcome.py", old, new),
        )
    yield defect(
        "wait.main-alone",
        "asks for the main output of a run that was started with all outputs",
        "request changed",
        "CL-RUN-02",
        client("promptlayer.py", "wants_all_outputs(arguments), **how", "False, **how"),
    )


def _times() -> Iterator[ClientDefect]:
    yield defect(
        "wait.hangs-on",
        "lets a question that hangs pass the deadline",
        "deadline ignored",
        "CL-RUN-06",
        client("waiting_client.py", "self._ending_in(waiting.seconds_left).with_options", "self.with_options"),
    )
    yield defect(
        "wait.stopped-late",
        "looks only after a pause whether it is to end",
        "deadline ignored",
        "CL-RUN-14",
        client(
            "waiting.py",
            "            return bool(cancelled.wait(seconds))\n",
            '            __import__("time").sleep(seconds)\n            return bool(cancelled.wait(0))\n',
        ),
    )
    yield defect(
        "wait.deadline-anew",
        "counts the deadline from the last lost question",
        "deadline ignored",
        "CL-RUN-06",
        client(
            "waiting.py",
            "        self._retry_after = problem.retry_after\n",
            "        self._retry_after, self._began = problem.retry_after, self._now()\n",
        ),
    )
    yield defect(
        "wait.foreign-time-out",
        "raises Python's own error at the deadline",
        "error changed",
        "CL-RUN-06",
        client(
            "waiting.py",
            "raise WaitTimeout(words, execution_id=self._question.execution_id) from self._problem",
            "raise TimeoutError(words)",
        ),
    )
    yield defect(
        "wait.retry-after",
        "asks for a run that goes on sooner than it is asked to",
        "Retry-After ignored",
        "CL-RUN-07",
        client("waiting.py", "        self._retry_after = retry_after\n", "        self._retry_after = None\n"),
    )
    yield defect(
        "wait.throttled",
        "asks again sooner than it is asked to after a 429",
        "Retry-After ignored",
        "CL-RUN-07",
        client("waiting.py", "        self._retry_after = problem.retry_after\n", "        self._retry_after = None\n"),
        client("waiting.py", "self._tries.after(problem, repeatable=True)", "0.2"),
    )
    yield defect(
        "wait.tight",
        "asks for a run without pauses",
        "pause removed",
        "CL-RUN-08",
        client("waiting.py", RHYTHM, "rhythm = 0.0"),
    )


def _ends() -> Iterator[ClientDefect]:
    yield defect(
        "wait.unnamed",
        "does not say which run an unreadable response was about",
        "error changed",
        "CL-RUN-03",
        client("waiting.py", '                problem.how_to_find = f"it is {self._name}"\n', ""),
        client("waiting_client.py", '        error.message += f"; {words}"\n', ""),
    )
    yield defect(
        "wait.old-problem",
        "tells of a lost question again after each answer",
        "state kept",
        "CL-RUN-13",
        client("waiting.py", "self._further_try = self._problem = None", "self._further_try = None"),
    )
    yield defect(
        "wait.no-note",
        "does not say which run an interrupted wait was about",
        "error changed",
        "CL-RUN-15",
        client("waiting_client.py", "    except BaseException as error:\n", "    except Exception as error:\n"),
    )
    yield defect(
        "wait.no-doubt",
        "says of a refused question that no run was started",
        "doubt denied",
        "CL-RUN-10",
        client("waiting_client.py", "        error.may_have_run = True\n", "        error.may_have_run = False\n"),
    )
    yield defect(
        "wait.failure-returned",
        "returns what a failed run has produced",
        "outcome mistaken",
        "CL-RUN-05",
        client("waiting.py", "from .outcome import Progress,", "from .outcome import Progress, RunOutcome,"),
        client(
            "waiting.py",
            FAILURE,
            "            self._ended = True\n"
            "            self.outcome = RunOutcome(self._question.execution_id, failure.output)\n",
        ),
    )
    yield defect(
        "wait.failure-again",
        "asks on after a run has failed",
        "outcome mistaken",
        "CL-RUN-05",
        client("waiting.py", FAILURE, "            self._after_loss(failure)\n"),
    )
    yield defect(
        "failure.repeated",
        "sends a request for results again after the run has failed",
        "repeat added",
        "CL-RUN-12",
        client("retries.py", "not isinstance(error, StatusError) or error.status is None", "error.status is None"),
    )
    yield defect(
        "wait.loop-goes-on",
        "asks on for a run that has been aborted",
        "outcome mistaken",
        "CL-RUN-05",
        client("interactly_question.py", ', "aborted_looping_risk"', ""),
    )
    yield defect(
        "wait.once-more",
        "asks once more after a run has ended",
        "request added",
        "CL-RUN-09",
        client(
            "waiting_client.py",
            "    return waiting.outcome\n",
            "    await result_of(question.ask(client._asking(waiting)))\n    return waiting.outcome\n",
        ),
    )
    yield defect(
        "wait.cancelled-goes-on",
        "asks on for a run when the task that waited is cancelled",
        "request added",
        "CL-RUN-09",
        client(
            "promptlayer.py",
            AWAITED,
            "        import asyncio\n\n        waiting = _run_and_wait(self, workflow_name, arguments, **how)\n"
            "        return await asyncio.shield(asyncio.ensure_future(waiting))\n",
        ),
    )


def _lists() -> Iterator[ClientDefect]:
    yield defect(
        "pages.after-last",
        "asks for a page after the last one",
        "request added",
        "CL-LST-01",
        client("paging.py", "is_last=not page.has_next", "is_last=False"),
    )
    yield defect(
        "pages.full-pages",
        "ends a list at a page that is not full",
        "items lost",
        "CL-LST-01",
        client("paging.py", "not page.has_next", "not page.has_next or len(page.items) < page.per_page"),
    )
    yield defect(
        "runs.full-pages",
        "ends a list of runs at a page that is not full, whatever the total says",
        "items lost",
        "CL-LST-01",
        client(
            "paging.py",
            "isinstance(page.total, int) and self._reached >= page.total",
            'length < self.__dict__.setdefault("_size", length)',
        ),
    )
    yield defect(
        "runs.first-total",
        "goes by the total that the first page has told",
        "items lost",
        "CL-LST-01",
        client(
            "paging.py",
            "self._reached >= page.total",
            'self._reached >= self.__dict__.setdefault("_total", page.total)',
        ),
    )
    yield defect(
        "pages.filters",
        "asks for further pages without the filters",
        "request changed",
        "CL-LST-02",
        client(
            "paging.py",
            '        self.question["page"] += 1\n',
            '        self.question = {"page": self.question["page"] + 1}\n',
        ),
    )
    yield defect(
        "pages.at-once",
        "reads all of a list before it gives an item",
        "request added",
        "CL-LST-03",
        client(
            "promptlayer.py",
            "            yield from pages.read(self.list_workflows(**pages.question))\n",
            "            kept = [*locals().get('kept', ()), *pages.read(self.list_workflows(**pages.question))]\n"
            "        yield from locals().get('kept', ())\n",
        ),
    )
    yield defect(
        "pages.for-ever",
        "asks for the page after an empty one, as long as there is said to be one",
        "request added",
        "CL-LST-04",
        client("paging.py", "bool(items) and not is_last", "not is_last"),
    )
