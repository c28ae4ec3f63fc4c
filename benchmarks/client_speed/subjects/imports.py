"""Carries out an import statement in a fresh process: `imports.py measure|profile ours|rival STATEMENT`."""

import sys
import time

TASK, SIDE, STATEMENT = sys.argv[1:]
if SIDE == "rival":
    STATEMENT = "import httpx"
SHOWN = 16


def measure() -> None:
    """Return the processor time, and whether anything heavy came along."""
    code = compile(STATEMENT, "statement", "exec")
    before = time.process_time()
    exec(code, {})  # noqa: S102 - what is measured
    cpu = time.process_time() - before
    unwanted = [name for name in ("httpx", "attr", "attrs") if name in sys.modules]

    from turns import tell, version  # noqa: PLC0415 - what it loads must not be there before

    tell(cpu=cpu, unwanted=unwanted, version=version("httpx"))


def profile() -> None:
    """Return the modules that take longest to load, each without what it loads itself."""
    import subprocess  # noqa: PLC0415

    from turns import tell  # noqa: PLC0415

    command = [sys.executable, "-X", "importtime", "-c", STATEMENT]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines()[1:]]
    own = {name.strip(): int(alone) for alone, _, name in rows}
    bare = subprocess.run([*command[:3], "-c", ""], capture_output=True, text=True, check=True).stderr
    loaded = {name: us for name, us in own.items() if f" {name}\n" not in bare}
    top = sorted(loaded.items(), key=lambda item: -item[1])[:SHOWN]
    tell(profile=[f"{len(loaded)} modules, {sum(loaded.values())} us by -X importtime; the longest:",
                  *(f"{us:>7} us  {name}" for name, us in top)])  # fmt: skip


measure() if TASK == "measure" else profile()
