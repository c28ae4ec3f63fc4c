"""Turns what a run has come to into a report."""

from collections.abc import Sequence
from typing import Any

from contract_tests.outcomes import Outcome
from contract_tests.registry import rules_of_this_package
from contract_tests.report.circumstances import Circumstances
from contract_tests.report.results import EXERCISED, Report, rows
from contract_tests.rules import Verdict, shown
from contract_tests.runner.context import Run


def report_of(run: Run, outcomes: Sequence[Outcome], seconds: float, circumstances: Circumstances) -> Report:
    """Return the report of a run."""
    info = run.contract.document.get("info", {})
    contract = {
        "title": info.get("title", ""),
        "version": info.get("version", ""),
        "operations": [operation.id for operation in run.contract.operations],
        "notes": [shown(note) for note in run.contract.notes],
    }
    return Report(
        contract=contract,
        run={**circumstances.to_data(), "command": run.secrets.mask(circumstances.command)},
        targets=[_target(run, target.name, target.service, outcomes) for target in run.targets],
        seed=run.options.seed,
        duration_s=round(seconds, 3),
        coverage=_coverage(run, outcomes),
        information=run.live.information.to_data(run.secrets),
        results=rows(outcomes, run.secrets, strict=run.options.strict),
        chapters={outcome.rule.id: outcome.chapter for outcome in outcomes},
        sources={outcome.rule.id: outcome.rule.source for outcome in outcomes},
    )


def _coverage(run: Run, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    services = run.coverage.services
    rules = [rule for rule in rules_of_this_package() if rule.side in run.options.sides]
    run.coverage.expect_rules(rule.id for rule in rules if services is None or rule.service in {"", *services})
    for outcome in outcomes:
        if outcome.verdict in EXERCISED:
            run.coverage.add("rules", outcome.rule.id)
    return run.coverage.to_data()


def _target(run: Run, name: str, service: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    target = next(one for one in run.targets if (one.name, one.service) == (name, service))
    own = [outcome for outcome in outcomes if (outcome.target, outcome.service) == (name, service)]
    counts = {verdict.value: sum(outcome.verdict is verdict for outcome in own) for verdict in Verdict}
    server = run.live.opened(name, service)
    return {
        "name": name,
        "service": service,
        "base_url": server.target.base_url if server else target.base_url,
        "requests": server.wire.sent if server else 0,
        "left_out": server.wire.left_out if server else 0,
        "max_requests": target.max_requests,
        "tag": run.tag,
        "summary": counts,
    }
