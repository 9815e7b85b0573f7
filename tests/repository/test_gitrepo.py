"""Reading history through git objects."""

from __future__ import annotations

import pytest

from pldgov.errors import NoBaseError
from pldgov.gitrepo import Repository
from pldgov.worktree import WorkTree


def test_a_tree_reads_what_the_working_tree_read_then(governance_repo):
    """Files of a commit are the same bytes and names, whatever the disk holds now."""
    repo = governance_repo()
    then = WorkTree(repo.root)
    files = then.files("rulebooks")
    content = {path: then.read(path) for path in files}
    commit = repo.git("rev-parse", "HEAD")
    repo.write_rulebook(rule="Later.")
    with Repository(repo.root) as repository:
        tree = repository.tree(commit)
        assert tree.files("rulebooks") == files
        assert {path: tree.read(path) for path in files} == content
        assert tree.exists(repo.path)
        assert not tree.exists("rulebooks/desk")
        assert tree.files("nowhere") == ()
        with pytest.raises(FileNotFoundError):
            tree.read("rulebooks/none.yaml")


def test_a_governance_folder_below_the_top_of_a_repository(governance_repo, tmp_path):
    """Paths count from the governance folder, not from the repository's top."""
    repo = governance_repo()
    inner = repo.root / "inner"
    (inner / "rulebooks").mkdir(parents=True)
    (inner / "rulebooks/a.txt").write_text("a")
    repo.commit("Inner")
    with Repository(inner) as repository:
        tree = repository.tree("HEAD")
        assert tree.files("rulebooks") == ("rulebooks/a.txt",)
        assert tree.files("") == ("rulebooks/a.txt",)
        assert tree.read("rulebooks/a.txt") == b"a"
        (inner / "rulebooks/a.txt").write_text("b")
        assert repository.is_dirty(["rulebooks"])
        assert not repository.is_dirty(["templates"])


def test_the_merge_base_is_where_the_branch_began(governance_repo):
    """Commits that main got afterwards are not the branch's doing."""
    repo = governance_repo()
    start = repo.git("rev-parse", "HEAD")
    repo.branch("edit")
    repo.write("x", "1")
    repo.commit("On the branch")
    repo.git("switch", "-q", "main")
    repo.write("y", "1")
    repo.commit("On main")
    repo.git("switch", "-q", "edit")
    with Repository(repo.root) as repository:
        assert repository.merge_base().commit.hexsha == start
        assert repository.default_branch() == "main"


def test_unrelated_histories_have_no_merge_base(governance_repo):
    """An orphan branch is no change of main."""
    repo = governance_repo()
    repo.git("checkout", "-q", "--orphan", "alone")
    repo.commit("Alone")
    with Repository(repo.root) as repository, pytest.raises(NoBaseError, match="common ancestor"):
        repository.merge_base()


def test_no_default_branch(governance_repo):
    """A repository without main, master or a remote cannot tell its default branch."""
    repo = governance_repo()
    repo.git("branch", "-m", "main", "trunk")
    with Repository(repo.root) as repository, pytest.raises(NoBaseError, match="default branch"):
        repository.default_branch()


def test_a_folder_outside_git(tmp_path):
    """No repository is no base, with what to do."""
    with pytest.raises(NoBaseError, match=r"not a git repository \(git init"):
        Repository(tmp_path)


def test_the_working_tree_leaves_caches_out(tmp_path):
    """Caches, virtual environments and git's own files are no rulebooks."""
    for name in ("a/b.txt", ".git/x", ".pldgov/store.sqlite", "a/__pycache__/c.pyc", ".venv/y"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert WorkTree(tmp_path).files("") == ("a/b.txt",)
    assert WorkTree(tmp_path).files("a") == ("a/b.txt",)


def test_before_a_commit(governance_repo):
    """The first parent's files, and nothing before a root commit."""
    repo = governance_repo()
    first = repo.git("rev-parse", "HEAD")
    repo.commit("Second")
    with Repository(repo.root) as repository:
        second = repository.tree("HEAD")
        before = second.before()
        assert before.commit.hexsha == first
        assert before.before() is None
        assert not second.is_merge


def test_a_shallow_clone_says_what_is_not_there(governance_repo, tmp_path):
    """Git names the parent of the last commit that it holds, but does not hold it."""
    repo = governance_repo()
    repo.commit("Second")
    clone = tmp_path / "clone"
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.root}", str(clone))
    with Repository(clone) as repository:
        with pytest.raises(NoBaseError, match="fetch-depth: 0"):
            repository.tree("HEAD~1")
        with pytest.raises(NoBaseError, match="fetch-depth: 0"):
            repository.tree("HEAD").before()
