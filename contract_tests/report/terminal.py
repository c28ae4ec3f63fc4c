"""
The report on a terminal: chapter by chapter the violations with their details, then a line for each other rule.

What is not applicable is one line for the whole chapter.
"""

import os
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from contract_tests.http.redaction import Secrets
from contract_tests.options import Options
from contract_tests.outcomes import Outcome, Row
from contract_tests.report.printing import Printer
from contract_tests.report.results import Report
from contract_tests.rules import EVERY_OPERATION, Basis, Verdict
from contract_tests.targets import Target
from workflow_contract.printing import printable

WORDS = {
    Verdict.PASS: "pass",
    Verdict.VIOLATION: "VIOLATION",
    Verdict.KNOWN_DEVIATION: "known deviation",
    Verdict.NOT_APPLICABLE: "not applicable",
    Verdict.NOT_EXERCISED: "not exercised",
}
COLOURS = {Verdict.PASS: "32", Verdict.VIOLATION: "31;1", Verdict.KNOWN_DEVIATION: "33"}
REPRODUCE = "Reproduce with"
LABEL = 16
ID = 20
MOST_FINDINGS = 5
MOST_NOTES = 20
MOST_FAILING = 50
MOST_REASONS = 3


def plan_of(target: Target, tag: str) -> Iterator[tuple[str, str]]:
    """Say what will be done to a target, as label and text."""
    yield "Target", f"{target.name}, {target.service} at {target.base_url}"
    if target.runs_workflow:
        yield "Runs", f"workflow {target.workflow} and no other; each run is tagged {tag}"
    yield "Requests", f"at most {target.max_requests}, {target.requests_per_second:g} a second; Retry-After is obeyed"
    listening = target.callback_listen or "nowhere: rules about callbacks are not exercised"
    reached = f", reached as {target.callback_public_url}" if target.callback_public_url else ""
    yield "Callbacks", f"{listening}{reached}"
    yield "Writes", "allowed" if target.allow_writes else "none: operations that create, change or delete are left out"


def details_of(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Explain a violation, as label and text."""
    is_inferred = outcome.rule.basis is Basis.INFERRED
    for finding in outcome.findings[:MOST_FINDINGS]:
        yield "Expected" if is_inferred else "Documented", finding.documented
        yield "Received", finding.received
        note = ", fails with --strict only" if is_inferred else ""
        yield "Source", f"{outcome.rule.source} ({outcome.rule.basis}{note})"
        for command in filter(None, finding.reproduce.split("\n")):
            yield REPRODUCE, command
    more = len(outcome.findings) - MOST_FINDINGS
    if more > 0:
        yield "More", f"{more} further broken constraints"


class Terminal:
    """Writes to standard output as rows are judged; colours and progress only where a person looks on."""

    def __init__(self, secrets: Secrets, out: TextIO | None = None, *, silent: bool = False) -> None:
        self._secrets = secrets
        self._silent = silent
        self._out = Printer(out or sys.stdout)
        self._live = self._out.is_live
        self._colour = self._live and not os.environ.get("NO_COLOR")
        self._width = shutil.get_terminal_size((100, 24)).columns
        self._chapter: str | None = None
        self._rules: Counter[str] = Counter()  # how many rows each has, in the order of the report
        self._outcomes: dict[str, list[Outcome]] = {}
        self._later: list[tuple[Verdict, str, list[Outcome], bool]] = []  # what the chapter's violations come before
        self._judged = 0
        self._all = 0
        self._targets = 0

    def start(self, title: str, options: Options, targets: Sequence[Target], tag: str, *, rows: Iterable[Row]) -> None:
        """Say what will be judged; the tag is that of the runs that this run starts."""
        names = list(dict.fromkeys(target.name for target in targets))
        live = [target for target in targets if not target.is_sandbox]
        self.expect(rows)
        self._targets = len(names)
        self._line(title)
        about = f"sides {', '.join(options.sides)}; targets {', '.join(names) or 'none'}"
        self._line(f"{about}; {self._all} rows; seed {options.seed}")
        cases = options.budget.cases or 0
        for target in live:
            self._line("")
            if cases > target.max_requests:
                few = f"max_requests of {target.max_requests} ends it before {cases} cases of each property are tried"
                self._detail("Budget", few)
            for label, text in plan_of(target, tag):
                self._detail(label, text)

    def expect(self, rows: Iterable[Row | Outcome]) -> None:
        """Take down what will be judged, in the order in which it is told."""
        self._rules = Counter(row.rule.id for row in rows)
        self._all = self._rules.total()

    def plan(self, rows: Mapping[Row, str]) -> None:
        """Say which rows would be judged, without judging any."""
        for row, chapter in rows.items():
            if self._head(chapter) and row.rule.requests:
                each = " for each operation" if row.rule.is_property else ""
                self._line(f"  about {row.rule.requests} requests{each}, sent once for all these rules")
            where = self._where(row)
            self._line(self._fitted(f"  {row.rule.id:<{ID}}{where + ': ' if where else ''}{row.rule.title}"))

    def judged(self, outcome: Outcome) -> None:
        """Take down what came out of one row; a rule is told once all its rows are judged."""
        self._outcomes.setdefault(outcome.rule.id, []).append(outcome)
        self._judged += 1
        for rule, rows in list(self._rules.items()):
            if len(self._outcomes.get(rule, ())) < rows:
                break
            self._tell_rule(rule)
        if self._live:
            self._out.write(f"  {self._judged} of {self._all}\r")

    def _tell_rule(self, rule: str) -> None:
        """Tell the violations of a rule, keep the rest for the end of its chapter; rows that ended alike are one."""
        self._erase()
        del self._rules[rule]
        judged = self._outcomes.pop(rule)
        self._head(judged[0].chapter)
        alike: dict[tuple[Verdict, str], list[Outcome]] = {}
        for outcome in judged:
            reason = ": ".join(filter(None, (outcome.reason, outcome.error)))
            violated = outcome.verdict is Verdict.VIOLATION
            alike.setdefault((outcome.verdict, self._where(outcome) if violated else reason), []).append(outcome)
        for (verdict, reason), outcomes in alike.items():
            if verdict is Verdict.VIOLATION:
                self._verdict(verdict, outcomes, of_all=len(alike) == 1)
                self._violation(outcomes[0])
            else:
                self._later.append((verdict, reason, outcomes, len(alike) == 1))

    def _tell_rest(self) -> None:
        """Tell what of the chapter is no violation."""
        told = [one for one in self._later if one[0] is not Verdict.NOT_APPLICABLE]
        for verdict, reason, outcomes, of_all in told:
            self._verdict(verdict, outcomes, of_all=of_all)
            if reason:
                self._detail("Reason", reason)
        folded = [one for one in self._later if one[0] is Verdict.NOT_APPLICABLE]
        if folded:
            rows = sum(len(outcomes) for _, _, outcomes, _ in folded)
            rules = len({outcomes[0].rule.id for _, _, outcomes, _ in folded})
            reasons = list(dict.fromkeys(reason for _, reason, _, _ in folded))
            why = "; ".join([*reasons[:MOST_REASONS], *["…"] * (len(reasons) > MOST_REASONS)])
            count = f"{rows} row{'s' * (rows > 1)} of {rules} rule{'s' * (rules > 1)}"
            self._line(self._fitted(f"  {WORDS[Verdict.NOT_APPLICABLE]:<{LABEL}}{count}: {why}"))
        self._later = []

    def _verdict(self, verdict: Verdict, outcomes: list[Outcome], *, of_all: bool) -> None:
        word, rule = WORDS[verdict], outcomes[0].rule
        places = ", ".join(filter(None, map(self._where, outcomes)))
        place = "" if of_all and len(outcomes) > 1 else places
        count = f" ({len(outcomes)} operations)" if of_all and len(outcomes) > 1 else ""
        line = f"  {word:<{LABEL}}{rule.id:<{ID}}{place + ': ' if place else ''}{rule.title}{count}"
        line = line if verdict is Verdict.VIOLATION else self._fitted(line)
        self._line(line, word, COLOURS.get(verdict, ""))

    def finish(self, report: Report, directory: Path) -> None:
        """Say how it went, in the last lines."""
        for rule in filter(self._outcomes.__contains__, list(self._rules)):
            self._tell_rule(rule)
        self._erase()
        self._tell_rest()
        counts = ", ".join(f"{report.summary[verdict]} {WORDS[verdict].lower()}" for verdict in Verdict)
        failing = [row for row in report.results if row["fails"]]
        self._information(report)
        self._failing(failing)
        self._line("")
        self._line(f"{counts}; {len(failing)} fail{'s' * (len(failing) == 1)}")
        for target in report.targets:
            if target["left_out"]:
                spent = f"target {target['name']}: max_requests of {target['max_requests']} was spent"
                self._line(
                    f"{spent}; {target['left_out']} requests were left out, so less was tried than the budget says"
                )
        self._line(f"coverage {report.coverage['percent']:g} %; seed {report.seed}; {report.duration_s:.1f} s")
        self._line(f"report in {directory}")

    def _failing(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        self._line("")
        self._line("Failing")
        for row in rows[:MOST_FAILING]:
            where = f"{row['operation']}: " if row["operation"] else ""
            self._line(self._fitted(f"  {row['id']:<{ID}}{where}{row['title']}"))
        if len(rows) > MOST_FAILING:
            self._detail("More", f"{len(rows) - MOST_FAILING} further rows, in results.json")

    def _information(self, report: Report) -> None:
        if not report.information:
            return
        self._line("")
        self._line("The service has grown (no breach, but the contract does not name it)")
        for note in report.information[:MOST_NOTES]:
            self._line(self._fitted(f"  {note['kind']:<{LABEL}}{note['name']} in {note['operation']}, {note['at']}"))
        more = len(report.information) - MOST_NOTES
        if more > 0:
            self._detail("More", f"{more} further ones, in results.json")

    def _violation(self, outcome: Outcome) -> None:
        for label, text in details_of(outcome):
            if label == REPRODUCE:
                # Not wrapped: a command must survive being copied.
                self._line(f"    {label + ':':<{LABEL}}{text}")
            else:
                self._detail(label, text)

    def _head(self, chapter: str) -> bool:
        """Write the title of a chapter, unless it was the last one that was written; return whether it was not."""
        if chapter == self._chapter:
            return False
        self._tell_rest()
        self._chapter = chapter
        self._line("")
        self._line(chapter)
        return True

    def _detail(self, label: str, text: str) -> None:
        indent = " " * (4 + LABEL)
        width = max(40, self._width)
        wrapped = textwrap.wrap(
            text,
            width,
            initial_indent=f"    {label + ':':<{LABEL}}",
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in wrapped:
            self._line(line)

    def _where(self, row: Row | Outcome) -> str:
        # Only what tells rows of a rule apart: most rules are about one operation, most runs about one target.
        parts = [row.operation] if row.rule.operations == EVERY_OPERATION or len(row.rule.operations) > 1 else []
        parts += [row.target] if self._targets > 1 and row.target else []
        return " at ".join(parts)

    def _fitted(self, text: str) -> str:
        # Only where a person looks on: what is read from a file or a pipe is never cut.
        return text if not self._live or len(text) <= self._width else text[: self._width - 1] + "…"

    def _erase(self) -> None:
        if self._live:
            self._out.write("\r" + " " * (self._width - 1) + "\r")

    def _line(self, text: str, word: str = "", colour: str = "") -> None:
        """Write a line, its first ``word`` in a colour; nothing else in it can do anything to a terminal."""
        if self._silent:
            return
        line = printable(self._secrets.mask(text))
        if self._colour and colour:
            line = line.replace(word, f"\033[{colour}m{word}\033[0m", 1)
        self._out.write(line + "\n")
