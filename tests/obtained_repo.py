"""A governance repository whose examples are not committed: git ignores them, `obtain` is set."""

from __future__ import annotations

import shutil

HOW = "python fetch.py --licence accepted"
SPECS = {
    "train": "examples/train.jsonl",
    "validation": "examples/validation.jsonl",
    "gate": "examples/gate.jsonl",
}
EXAMPLES = {**SPECS, "obtain": HOW}
SHOWING = (
    "{{ task.instruction }}\n"
    "{% for label in labels %}\n- {{ label.name }}\n{% endfor %}\n"
    "{% for rule in rules %}\n{{ rule.instruction }}"
    "{% for one in rule.support %}\n  {{ one.user }} -> {{ one.label }}{% endfor %}\n{% endfor %}\n"
)
"""A template that shows what rules cite, so that it cannot do without the train split."""


def obtain(repo, *, how=HOW, **changes):
    """Take the repository's examples out of git, as a commit on main; they stay on disk."""
    repo.git("rm", "-r", "--quiet", "--cached", f"rulebooks/{repo.name}/examples")
    ignored = repo.root / ".gitignore"
    ignored.write_text(f"{ignored.read_text('utf-8')}rulebooks/*/examples/\n", "utf-8")
    repo.write("templates/showing.j2", SHOWING)
    repo.write_rulebook(**{"examples": {**SPECS, "obtain": how}, **changes})
    repo.record()
    repo.commit("Keep the examples out of git")
    return repo


def lose(repo, *names):
    """Delete the example files of the named splits, or of all."""
    folder = repo.rulebook.parent / "examples"
    if not names:
        shutil.rmtree(folder)
    for name in names:
        (folder / f"{name}.jsonl").unlink()
