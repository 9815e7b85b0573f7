"""The house keeps its floors: imports point down, never in a circle, never hidden."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "pldgov"

FLOORS = {
    # module or package: floor; the longest matching name counts
    "pldgov": 0,
    "pldgov.errors": 0,
    "pldgov.fingerprint": 0,
    "pldgov.parsing": 0,
    "pldgov.suggest": 0,
    "pldgov.approval_policy": 1,
    "pldgov.attribution": 1,
    "pldgov.changes": 1,
    "pldgov.comment_report": 1,
    "pldgov.diff_report": 1,
    "pldgov.dossier": 1,
    "pldgov.problems": 1,
    "pldgov.dataset": 1,
    "pldgov.questions": 1,
    "pldgov.results": 1,
    "pldgov.results_json": 1,
    "pldgov.student_report": 1,
    "pldgov.ports": 1,
    "pldgov.rulebook.model": 1,
    # thinking
    "pldgov.answer_lines": 2,
    "pldgov.bootstrap": 2,
    "pldgov.calibration": 2,
    "pldgov.calibration_fit": 2,
    "pldgov.concerns": 2,
    "pldgov.data": 2,
    "pldgov.differences": 2,
    "pldgov.distill": 2,
    "pldgov.distill.model": 1,
    "pldgov.effects_file": 2,
    "pldgov.evidence": 2,
    "pldgov.exports": 2,
    "pldgov.gate": 2,
    "pldgov.gate_reasons": 2,
    "pldgov.history": 2,
    "pldgov.history.model": 1,
    "pldgov.importing": 2,
    "pldgov.interpretability": 2,
    "pldgov.interpretability.model": 1,
    "pldgov.metrics": 2,
    "pldgov.prompt": 2,
    "pldgov.scoped_rules": 1,
    "pldgov.words": 0,
    "pldgov.report": 2,
    "pldgov.rule_coverage": 2,
    "pldgov.student_lock": 2,
    "pldgov.rulebook": 2,
    "pldgov.templating": 2,
    # doors
    "pldgov.archive": 3,
    "pldgov.backends": 3,
    "pldgov.config": 3,
    "pldgov.embedders": 3,
    "pldgov.endpoint": 3,
    "pldgov.options": 3,
    "pldgov.teachers": 3,
    "pldgov.data.reading": 3,
    "pldgov.data.writing": 3,
    "pldgov.files": 3,
    "pldgov.scaffolding": 3,
    "pldgov.github": 3,
    "pldgov.gitlog": 3,
    "pldgov.gitrepo": 3,
    "pldgov.store": 3,
    "pldgov.students": 3,
    "pldgov.worktree": 3,
    # journeys and faces
    "pldgov.workflows": 4,
    "pldgov.workspace": 5,
    "pldgov.cli": 5,
    "pldgov.__main__": 5,
    "pldgov.pytest_plugin": 5,
    "pldgov.pytest_items": 5,
    "pldgov.scaffold": 5,
}
THINKING, DOORS = 2, 3
MAY_BE_LAZY = ("pldgov.cli", "pldgov.workspace", "pldgov.pytest_plugin", "pldgov.pytest_items")


def name_of(path: Path) -> str:
    parts = ("pldgov", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def floor_of(module: str) -> int:
    known = [name for name in FLOORS if module == name or module.startswith(f"{name}.")]
    return FLOORS[max(known, key=len)]


def imports_of(module: str) -> list[tuple[str, int, bool]]:
    """Return (imported module, line, inside a function) for our own modules, typing ones left out."""
    found = []

    def visit(node: ast.AST, *, inside: bool) -> None:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            return
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [
                full if (full := f"{node.module}.{alias.name}") in MODULES else node.module
                for alias in node.names
            ]
        found.extend((name, node.lineno, inside) for name in names if name in MODULES)
        deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, inside=deeper)

    visit(ast.parse(MODULES[module].read_text(encoding="utf-8")), inside=False)
    return found


def test_every_module_has_a_floor_of_its_own():
    """A new module states its place; the root's own floor is for `pldgov/__init__.py` only."""
    homeless = [
        module
        for module in MODULES
        if module != "pldgov"
        and not any(module == n or module.startswith(f"{n}.") for n in FLOORS if n != "pldgov")
    ]
    assert homeless == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    """No module imports from a floor above; thinking and doors meet only in the journeys."""
    here = floor_of(module)
    wrong = [
        f"{MODULES[module]}:{line} imports {imported} (floor {floor_of(imported)}, here {here})"
        for imported, line, _ in imports_of(module)
        if floor_of(imported) > here
        or (here == DOORS and floor_of(imported) == THINKING and not _is_format(imported))
    ]
    assert wrong == []


def _is_format(imported: str) -> bool:
    """What reads and writes files may use the pure code that knows their formats."""
    formats = ("pldgov.data.", "pldgov.answer_lines")
    return imported.startswith(formats)


def test_no_circle():
    """The import graph, hidden imports included, has no circle."""
    graph = {
        module: {name for name, _, _ in imports_of(module) if name != module} for module in MODULES
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module in done:
            return
        for imported in graph[module]:
            visit(imported, (*path, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_our_own_code_is_imported_at_the_top():
    """Only the faces may delay imports of our own code: there, start-up time counts."""
    hidden = [
        f"{MODULES[module]}:{line} hides the import of {imported}"
        for module in MODULES
        if not module.startswith(MAY_BE_LAZY)
        for imported, line, inside in imports_of(module)
        if inside
    ]
    assert hidden == []
