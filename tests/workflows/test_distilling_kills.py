"""A distillation that is killed anywhere and run again comes to the same, and asks nothing twice."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

WORLD = Path(__file__).resolve().parent.parent / "distilling_world.py"
POINTS = 24
DRIVER = """
import importlib.util, json, os, random, shutil, sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("distilling_world", sys.argv[1])
world = importlib.util.module_from_spec(spec)
spec.loader.exec_module(world)
import numpy, sklearn.cluster, sklearn.metrics
base, points = Path(sys.argv[2]), int(sys.argv[3])
fsync = os.fsync

def child(root, at=None):
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    try:
        killer = world.Killer(at)
        def syncing(descriptor):
            killer()
            fsync(descriptor)
        os.fsync = syncing
        world.distill(root, deed=killer, log=root / "log", clusters="kmeans")
        (root / "deeds").write_text(str(killer.deeds))
        os._exit(0)
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)

def outcome(root):
    folder = root / "rulebooks" / "toy"
    found = (path for path in folder.rglob("*") if path.is_file())
    files = sorted(path for path in found if path.suffix != ".tmp")
    content = {str(path.relative_to(root)): path.read_text() for path in files}
    return {"files": content, "asked": (root / "log").read_text().split()}

world.build(base / "built")
shutil.copytree(base / "built", base / "whole")
assert child(base / "whole") == 0
deeds = int((base / "whole" / "deeds").read_text())
found = {"whole": outcome(base / "whole"), "deeds": deeds, "killed": {}}
chance = random.Random(20261124)
step = deeds / points
spread = [1 + int(number * step + chance.random() * step * 0.99) for number in range(points)]
while_writing = chance.sample(range(deeds - 14, deeds), 5)
for at in sorted({*spread, *while_writing}):
    root = base / f"killed-{at}"
    shutil.copytree(base / "built", root)
    status = child(root, at)
    again = child(root)
    found["killed"][at] = {"status": status, "again": again, **outcome(root)}
    shutil.rmtree(root)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Kill runs at points spread at random over all phases, run each again, and look."""
    arguments = [str(WORLD), str(tmp_path_factory.mktemp("kills")), str(POINTS)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRIVER, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_every_run_was_killed_and_its_repetition_came_to_the_same_bytes(found):
    """Rulebook, evidence, settings and recorded replies are those of an undisturbed run."""
    assert len(found["killed"]) >= 20
    for at, one in found["killed"].items():
        assert one["status"] == 9, f"deed {at} of {found['deeds']} did not kill"
        assert one["again"] == 0
        assert one["files"] == found["whole"]["files"], f"killed at deed {at}"


@pytest.mark.slow
def test_no_request_is_asked_twice(found):
    """Over both processes the teacher is asked what an undisturbed run asks, each once."""
    for at, one in found["killed"].items():
        assert Counter(one["asked"]) == Counter(found["whole"]["asked"]), f"killed at deed {at}"
        assert max(Counter(one["asked"]).values()) == 1


@pytest.mark.slow
def test_kills_reach_every_phase(found):
    """The undisturbed run asks in all three phases, so that the points lie in all of them."""
    files = found["whole"]["files"]
    for phase in ("extract", "synthesize", "resolve"):
        assert files[f"rulebooks/toy/teacher/{phase}.jsonl"]
