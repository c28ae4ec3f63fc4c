"""Generate the client from the contract: `python scripts/generate`, or with --check only compare.

Exit status: 0 done, or nothing differs; 1 something differs; 2 the contract can't be generated faithfully.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import importlib.metadata
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

try:
    import bodies
    import document as doc
    import facts
    import left_out
    import refusals
    import rendering
    import services
    from neutral import Neutral

    from workflow_contract import UnreadableError, read_contract
    from workflow_contract.printing import printable
except ModuleNotFoundError as missing:
    print(f"{missing.name} is not installed; this brings it: pip install -r requirements/dev.txt", file=sys.stderr)
    sys.exit(2)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "scripts" / "templates"
RUNTIME = "runtime"
SHOWN_LINES = 60


class CannotGenerateError(Exception):
    """The contract, the config or the generator itself stands in the way."""


def main(given: Sequence[str] | None = None) -> int:
    """Run the program, with the arguments of the command line unless others are given."""
    arguments = _arguments(given)
    try:
        with tempfile.TemporaryDirectory() as folder:
            fresh = generate(arguments.contract, arguments.config, Path(folder), skip_refused=arguments.skip_refused)
            target = arguments.output / fresh.name
            if arguments.check:
                return _report(_differences(target, fresh), target)
            _replace(target, fresh)
    except (CannotGenerateError, UnreadableError) as error:
        print(error, file=sys.stderr)
        return 2
    except RecursionError:
        print(f"{arguments.contract}: its references lead too deep", file=sys.stderr)
        return 2
    except Exception as error:  # noqa: BLE001 - a traceback would tell nothing to who wrote the contract
        last = traceback.extract_tb(error.__traceback__)[-1]
        words = printable(f"{type(error).__name__} in {last.name}, {Path(last.filename).name}:{last.lineno}: {error}")
        print(
            f"{arguments.contract}: the generator failed by a mistake of its own; please report it: {words}",
            file=sys.stderr,
        )
        return 2
    print(f"generated {target}")
    return 0


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="generate", description=__doc__)
    parser.add_argument("--contract", type=Path, default=ROOT / "openapi.yaml", help="the OpenAPI contract")
    parser.add_argument("--config", type=Path, default=ROOT / "generator-config.yml", help="the generator's settings")
    parser.add_argument("--output", type=Path, default=ROOT / "generated", help="folder that holds the package")
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs, with exit status 1")
    skipping = "generate the rest where something is refused, and list the operations that are left out"
    parser.add_argument("--skip-refused", action="store_true", help=skipping)
    return parser.parse_args(given)


def generate(contract: Path, config: Path, folder: Path, *, skip_refused: bool = False) -> Path:
    """Write the package into a folder and give its place back.

    Args:
        contract: The OpenAPI document.
        config: The generator's settings.
        folder: Where the package goes.
        skip_refused: Leave out what is refused, and the operations that need it.

    Raises:
        CannotGenerateError: the contract holds something that the client would get wrong, or the generator fails.
        UnreadableError: the contract or the config can't be read.
    """
    read = read_contract(contract)
    document = read.document
    name = doc.load(config).get("package_name_override")
    if not isinstance(name, str):
        raise CannotGenerateError(f"{config} has no package_name_override, the package's name")
    doc.drop_nulls(document)
    doc.spell_out_truths(document)
    _say(contract, read.notes)
    provenance = facts.Provenance(_source_hash(contract, config), _generator())
    package, left = folder / name, list[left_out.LeftOut]()
    operations = _operations(document)
    said: list[str] = []
    while found := _refusals(document, said, _Making(left, provenance, config, package)):
        more = left_out.take_out(document, found) if skip_refused else None
        if more is None:
            raise _refused(contract, document, found, skip_refused=skip_refused)
        left += more
    _say(contract, dict.fromkeys(said))
    print(*map(printable, left_out.lines(left, operations)), sep="\n", end="\n" * bool(left), file=sys.stderr)
    if len(left) == operations > 0:
        raise CannotGenerateError(f"{contract}: nothing is left to generate")
    _complete(package, provenance)
    return package


def _say(contract: Path, notes: Iterable[str]) -> None:
    for note in notes:
        print(f"{contract}: note: {printable(note)}", file=sys.stderr)


def _operations(document: dict[str, Any]) -> int:
    """How many there are, in a document that may be no contract at all."""
    paths = document.get("paths")
    items = paths.values() if isinstance(paths, dict) else ()
    return sum(method in item for item in items if isinstance(item, dict) for method in doc.METHODS)


class _Making(NamedTuple):
    left: list[left_out.LeftOut]
    provenance: facts.Provenance
    config: Path
    package: Path


def _refusals(document: dict[str, Any], said: list[str], making: _Making) -> list[refusals.Refusal]:
    """Write the package, or say what stands in the way."""
    found = refusals.malformed(document)
    if found:
        return found
    services.write_out_path_items(document)
    bodies.choose(document)
    said += services.complete(document)
    doc.drop_bodies_of_heads(document)
    found = refusals.find(document)
    if found:
        return found
    neutral = Neutral(document)
    known = facts.of(document, neutral, making.provenance)
    known["left_out"] = {each.name: each.reason for each in making.left}
    try:
        rendering.render(neutral, known, making.config, TEMPLATES, making.package)
    except rendering.RenderingError as error:
        return [refusals.Refusal(*found) for found in error.found]
    return []


def _refused(
    contract: Path, document: dict[str, Any], found: list[refusals.Refusal], *, skip_refused: bool
) -> CannotGenerateError:
    lines = "\n".join(f"  {line}" for line in refusals.lines(document, found))
    advice = "" if skip_refused else "\nWith --skip-refused the rest is generated."
    return CannotGenerateError(f"{contract} holds what the client would get wrong; refused:\n{lines}{advice}")


def _generator() -> str:
    return f"openapi-python-client {importlib.metadata.version('openapi-python-client')}"


def _source_hash(contract: Path, config: Path) -> str:
    digest = hashlib.sha256()
    programs = sorted(Path(__file__).parent.glob("*.py"))
    templates = sorted(path for path in TEMPLATES.rglob("*") if path.is_file() and path.suffix != ".pyc")
    readers = sorted((ROOT / "src" / "workflow_contract").glob("*.py"))
    for path in (contract, config, *templates, *programs, *readers):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _complete(package: Path, provenance: facts.Provenance) -> None:
    """Add what the generator doesn't write: the fixed modules, the marker for typed packages, the header."""
    for module in (TEMPLATES / RUNTIME).glob("*.py"):
        shutil.copy(module, package / module.name)
    (package / "py.typed").touch()
    header = (
        f"# Generated by {provenance.generator} from openapi.yaml: do not edit, rebuild with `nox -s generate`.\n\n"
    )
    for module in package.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        if text.strip():
            module.write_text(header + text, encoding="utf-8", newline="\n")
        else:
            module.unlink()


def _replace(target: Path, fresh: Path) -> None:
    # Copied beside its place first: whoever imports the package meanwhile finds the old one or the new one whole.
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        shutil.copytree(fresh, Path(folder, "new"))
        if target.exists():
            target.rename(Path(folder, "old"))
        Path(folder, "new").rename(target)


def _differences(old: Path, new: Path) -> list[str]:
    before, after = _files(old), _files(new)
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            lines += _difference(name, before.get(name), after.get(name))
    return lines


def _files(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _difference(name: str, before: bytes | None, after: bytes | None) -> list[str]:
    if before is None or after is None:
        return [f"{name}: {'is missing' if before is None else 'is not generated'}"]
    old, new = (content.decode(errors="replace").splitlines() for content in (before, after))
    lines = [*difflib.unified_diff(old, new, f"committed/{name}", f"generated/{name}", lineterm="", n=1)]
    return lines or [f"{name}: differs in its line ends alone"]


def _report(differences: list[str], target: Path) -> int:
    if not differences:
        print(f"{target} is what the contract, the config and the templates give")
        return 0
    print(*differences[:SHOWN_LINES], sep="\n")
    if len(differences) > SHOWN_LINES:
        print(f"... and {len(differences) - SHOWN_LINES} lines more")
    print(f"{target} is stale or was edited. Rebuild it with: nox -s generate")
    return 1


if __name__ == "__main__":
    sys.exit(main())
