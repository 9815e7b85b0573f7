"""The page in a real browser: every path that people take, and nothing that strangers want."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise

import pytest
import yaml

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</script></style></title><script>window.pwned=1</script>",
    "<svg onload=window.pwned=1>' onfocus='window.pwned=1' autofocus='",
    "[x](javascript:window.pwned=1) **bold** <b>b</b> ![i](https://example.org/x.png)",
    "\u202e\u2066txet\u2069 \u200e\ufeff\u0007 ]]> <!-- {{ 7*7 }} {% raw %} ${7*7}",
)
ALL = " ".join(HOSTILE)
MARKUP = " ".join(HOSTILE[:-1])
"""Without what lint finds in the texts that a student reads: it would not be measured at all."""


@pytest.fixture
def visit(browser):
    """Open a page at a width, light or dark."""

    def open_(path, *, width=1280, dark=False, anchor=""):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        browser.get("about:blank")
        browser.get(f"{path.as_uri()}{anchor}")
        return browser

    return open_


def find(driver, selector):
    return driver.find_element("css selector", selector)


def shown(driver, section):
    """Return the ids of the entries of a section that can be seen."""
    script = (
        "return [...document.querySelectorAll(arguments[0])].filter(e => !e.hidden).map(e => e.id)"
    )
    return driver.execute_script(script, f"#{section} .entry")


def choose(driver, name, text):
    from selenium.webdriver.support.select import Select

    Select(find(driver, f"#{name}")).select_by_visible_text(text)


def count(driver, section):
    return find(driver, f"#{section} output").text


def focused(driver, id_):
    """The focus gets there: a browser tells the page of its new address only after the click."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(driver, 10).until(
        lambda now: now.switch_to.active_element.get_attribute("id") == id_,
        f"{id_} never had the focus",
    )


def quiet(driver):
    """Nothing was complained about: no violation of the policy, no error of the script."""
    assert driver.get_log("browser") == []


# -- paths ----------------------------------------------------------------------------------------


def test_from_a_rule_to_the_teacher_and_back(taught, page_of, visit):
    """A rule leads to the examples it cites, these to the teacher's reasoning and to the rule."""
    driver = visit(page_of(taught))
    rule = find(driver, "#rule-i-r-01")
    rule.find_element("css selector", "summary").click()
    rule.find_element("link text", "t-00").click()
    example = find(driver, "#example-train-i-t-00")
    assert driver.switch_to.active_element == example
    assert "Reasoning about t-00." in example.text  # its details are open now
    box = example.rect["y"] - driver.execute_script("return scrollY")
    assert 0 < box < 300
    example.find_element("link text", "About fraud").click()
    assert driver.switch_to.active_element == rule
    driver.back()
    assert driver.switch_to.active_element == example
    quiet(driver)


def test_rules_are_searched_and_filtered(edited, page_of, visit):
    """By label, status, owner, approval and text, one by one and together; reset shows all."""
    driver = visit(page_of(edited))
    assert count(driver, "rules") == "3 rules"
    choose(driver, "rules-label", "fraud")
    assert (shown(driver, "rules"), count(driver, "rules")) == (["rule-i-r-01"], "1 of 3 rules")
    choose(driver, "rules-status", "draft")
    assert shown(driver, "rules") == []
    assert find(driver, "#rules .none").is_displayed()
    find(driver, "#filter-rules button").click()
    driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert count(driver, "rules") == "3 rules"
    choose(driver, "rules-owner", "cards@example.org")
    assert shown(driver, "rules") == ["rule-i-r-03"]
    choose(driver, "rules-owner", "any")
    choose(driver, "rules-approval", "approved")
    assert shown(driver, "rules") == []
    choose(driver, "rules-approval", "any")
    find(driver, "#rules-text").send_keys("LOST card")
    assert shown(driver, "rules") == ["rule-i-r-03"]
    assert find(driver, "#filter-rules .count").get_attribute("aria-live") == "polite"
    quiet(driver)


def test_examples_are_searched_and_filtered(taught, page_of, visit):
    """By gold label, split, the student's answer and whether a rule cites them."""
    driver = visit(page_of(taught))
    choose(driver, "examples-answer", "wrong")
    assert shown(driver, "examples") == ["example-gate-i-g-01"]
    choose(driver, "examples-answer", "any")
    choose(driver, "examples-split", "train")
    choose(driver, "examples-cited", "cited by a rule")
    choose(driver, "examples-label", "other")
    assert shown(driver, "examples") == ["example-train-i-t-01", "example-train-i-t-03"]
    assert shown(driver, "rules") == ["rule-i-r-01", "rule-i-r-02"]  # the other filter is its own
    find(driver, "#examples-text").send_keys("Reasoning about t-01")
    assert count(driver, "examples") == "1 of 60 examples"


def test_a_link_to_something_filtered_out_shows_it(taught, page_of, visit):
    """Following a citation never leads nowhere."""
    driver = visit(page_of(taught))
    choose(driver, "examples-split", "gate")
    rule = find(driver, "#rule-i-r-01")
    rule.find_element("css selector", "summary").click()
    rule.find_element("link text", "t-02").click()
    driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert find(driver, "#example-train-i-t-02").is_displayed()
    assert count(driver, "examples") == "60 examples"


def test_two_revisions_and_their_flips_are_linked(edited, page_of, visit):
    """Words that differ are marked side by side, and a flip leads to its example and its rules."""
    driver = visit(page_of(edited, "--base", "main"))
    reworded = find(driver, "#changes .changed .sides")
    before, now = reworded.find_elements("css selector", ":scope > div")
    assert "somebody" in before.find_element("tag name", "del").text
    assert "anybody" in now.find_element("tag name", "ins").text
    assert before.rect["y"] == now.rect["y"]
    find(driver, "#flips").find_element("link text", "g-03").click()
    focused(driver, "example-gate-i-g-03")
    quiet(driver)


def test_it_is_used_by_keyboard(taught, page_of, visit):
    """The first stop skips to the content, focus is seen, and every control is reached in order."""
    from selenium.webdriver.common.keys import Keys

    driver = visit(page_of(taught))
    body = find(driver, "body")
    body.send_keys(Keys.TAB)
    skip = driver.switch_to.active_element
    assert skip.text == "Skip to content"
    assert skip.rect["x"] >= 0
    skip.send_keys(Keys.ENTER)
    assert driver.switch_to.active_element.get_attribute("id") == "main"
    reached = []
    while "button" not in reached and len(reached) < 100:
        driver.switch_to.active_element.send_keys(Keys.TAB)
        one = driver.switch_to.active_element
        style = driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", one)
        assert style != "none"
        reached.append(one.get_attribute("id") or one.tag_name)
    wanted = [
        "rules-text",
        "rules-label",
        "rules-status",
        "rules-owner",
        "rules-approval",
        "button",
    ]
    assert [one for one in reached if one in wanted][: len(wanted)] == wanted


def test_it_reads_without_its_script(taught, page_of, visit):
    """Without JavaScript rules, examples and links are there; only the filters are not."""
    path = page_of(taught)
    text = path.read_text()
    path.write_text(text[: text.rindex("<script>")] + "</body></html>")
    driver = visit(path)
    assert not find(driver, "#filter-rules").is_displayed()
    assert len(shown(driver, "examples")) == 60
    find(driver, "#rule-i-r-01 summary").click()
    driver.find_element("link text", "t-00").click()
    assert driver.current_url.endswith("#example-train-i-t-00")


def test_it_prints_whole(taught, page_of, visit):
    """On paper details are open and the controls are left out."""
    driver = visit(page_of(taught))
    open_ = "return document.querySelectorAll('details:not([open])').length"
    before = driver.execute_script(open_)
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script(open_) == 0
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not find(driver, "#filter-rules").is_displayed()
    assert not find(driver, "nav.main").is_displayed()
    assert "Reasoning about t-00." in find(driver, "#examples").text
    pdf = driver.print_page()
    assert len(pdf) > 10_000
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert driver.execute_script(open_) == before > 0


def test_its_structure_is_that_of_a_document(edited, page_of, visit):
    """One h1, no level skipped, landmarks, named tables' headers, labelled controls, unique ids."""
    driver = visit(page_of(edited, "--base", "main"))
    levels = driver.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    wrong = driver.execute_script(
        """
        const wrong = [];
        for (const e of document.querySelectorAll('th')) if (!e.scope) wrong.push(e.outerHTML);
        for (const e of document.querySelectorAll('input,select'))
          if (!e.labels.length) wrong.push(e.outerHTML);
        for (const e of document.querySelectorAll('section'))
          if (!document.getElementById(e.getAttribute('aria-labelledby'))) wrong.push(e.id);
        for (const e of document.querySelectorAll('a[href^="#"]'))
          if (!document.getElementById(e.getAttribute('href').slice(1))) wrong.push(e.outerHTML);
        const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
        wrong.push(...ids.filter((id, at) => ids.indexOf(id) !== at));
        for (const name of ['header', 'nav', 'main', 'footer'])
          if (document.querySelectorAll('body > ' + name).length !== 1) wrong.push(name);
        return wrong;
        """
    )
    assert wrong == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_contrast(edited, page_of, visit, dark):
    """Each text has 4.5 to 1 against what is behind it, as it is really drawn."""
    driver = visit(page_of(edited, "--base", "main"), dark=dark)
    driver.execute_script("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    found = driver.execute_script(
        """
        const parse = (text) => text.match(/[0-9.]+/g).map(Number);
        const light = ([r, g, b]) => {
          const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
          return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
        };
        const behind = (e) => {
          for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] === 1) return c;
          }
          return [255, 255, 255];
        };
        const low = new Set(); let seen = 0;
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
          const e = walk.currentNode.parentElement;
          if (!walk.currentNode.data.trim() || ['SCRIPT', 'STYLE'].includes(e.tagName)) continue;
          const style = getComputedStyle(e);
          const ink = parse(e.closest('svg') ? style.fill : style.color);
          const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
          seen += 1;
          if ((a + 0.05) / (b + 0.05) < 4.5) low.add(e.outerHTML.slice(0, 120));
        }
        return [seen, [...low]];
        """
    )
    assert found[0] > 200
    assert found[1] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_window(edited, page_of, visit, width):
    """The page never scrolls sideways; what is wide scrolls within itself."""
    driver = visit(page_of(edited, "--base", "main"), width=width)
    widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    needed, there = driver.execute_script(widths)
    assert needed == there > width - 20


def test_nothing_is_loaded(taught, page_of, visit):
    """The browser fetches the file and nothing else."""
    driver = visit(page_of(taught))
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    quiet(driver)


# -- strangers ------------------------------------------------------------------------------------


@pytest.fixture
def hostile(governance_repo, monkeypatch):
    """Fill every field that anybody can write with what would run, load or mislead."""
    from click.testing import CliRunner

    from pldgov.cli import cli

    repo = governance_repo()
    wicked = {"fraud": "money", MARKUP: MARKUP}
    label = {"fraud": "fraud", "other": MARKUP}
    for split in ("train", "validation", "gate"):
        path = repo.root / f"rulebooks/desk/examples/{split}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for number, row in enumerate(rows):
            row |= {
                "text": f"{row['text']} {HOSTILE[number % len(HOSTILE)]}",
                "label": label[row["label"]],
            }
            if number < 6:
                row["id"] = f"{split} {HOSTILE[number]}"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    book = yaml.safe_load(repo.rulebook.read_text())
    book |= {"title": ALL, "owner": ALL, "description": ALL}
    other = {"r-01": "r-02", "r-02": "r-01"}
    book["task"] |= {"instruction": MARKUP, "labels": wicked}
    for rule in book["rules"]:
        rule |= {
            "title": ALL,
            "labels": [MARKUP],
            "instruction": f"{rule['id']} {MARKUP}",
            "rationale": ALL,
            "owner": ALL,
            "references": [*HOSTILE, "javascript:window.pwned=1", 'https://example.org/"><b>'],
            "related": [{"id": other[rule["id"]], "type": ALL}],
            "metadata": {ALL: ALL},
            "review": {"by": ALL, "on": "2026-11-24", "digest": "0" * 64, "verdict": "PASS"},
            "provenance": {
                "origin": "distilled",
                "teacher": {"model": ALL, "mode": ALL, "date": "2026-11-24", "run_id": ALL},
                "examples": [{"id": f"train {one}"} for one in HOSTILE],
            },
        }
    repo.rulebook.write_text(yaml.safe_dump(book, sort_keys=False))
    said = {
        "example": f"train {HOSTILE[0]}",
        **dict.fromkeys(("reasoning", "condition", "instruction", "label"), ALL),
    }
    row = {"request": "1" * 64, "content": json.dumps({"answers": [said]}), "model": ALL,
           "mode": "openai", "date": ALL}  # fmt: skip
    repo.write("rulebooks/desk/teacher/extract.jsonl", json.dumps(row) + "\n")
    repo.record()
    _commit(repo)
    monkeypatch.chdir(repo.root)
    result = CliRunner().invoke(cli, ["bless", "desk", "--reason", ALL])
    assert result.exit_code == 0, result.output
    _commit(repo)
    path = repo.root / "rulebooks/desk/evidence/recorded.json"
    evidence = json.loads(path.read_text())
    evidence["student"]["model"] = ALL
    evidence["scorecard"]["notes"] = [ALL]
    path.write_text(json.dumps(evidence))
    ledger = repo.root / "rulebooks/desk/evidence/ledger.jsonl"
    line = json.loads(ledger.read_text())
    fields = dict.fromkeys(("on", "by", "student", "reason", "prompt_sha256", "commit"), ALL)
    ledger.write_text(json.dumps(line | fields) + "\n")
    _commit(repo)
    repo.branch("edit")
    book["rules"][0]["instruction"] = f"{MARKUP} once more"
    repo.rulebook.write_text(yaml.safe_dump(book, sort_keys=False))
    wrong = [f"gate {one}" for one in HOSTILE]
    repo.record(dict.fromkeys(wrong, MARKUP))
    _commit(repo)
    return repo


def _commit(repo):
    """Commit with a hostile message by a hostile author."""
    repo.git("add", "-A")
    name = ALL.replace("<", "(").replace(">", ")").replace("\x07", "").replace("\n", " ")
    subprocess.run(
        ["git", "-c", f"user.name={name}", "-c", "user.email=a@example.org", "commit", "-qm", ALL],
        cwd=repo.root,
        check=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )


def test_nothing_that_strangers_write_runs(hostile, page_of, visit):
    """Scripts, markup, Markdown and bidirectional controls in every field stay text."""
    path = page_of(hostile, "--base", "main")
    text = path.read_text()
    assert not set("\u202e\u2066\u2069\u200e\ufeff\u0007") & set(text)
    driver = visit(path)
    driver.execute_script("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    driver.execute_async_script("setTimeout(arguments[0], 200)")
    found = driver.execute_script(
        """
        const all = [...document.querySelectorAll('*')];
        return {
          pwned: window.pwned ?? null,
          scripts: document.scripts.length,
          strange: all.map(e => e.localName).filter(
            n => ['img', 'iframe', 'object', 'embed', 'link', 'base', 'b', 'strong'].includes(n)),
          handlers: all.flatMap(e => [...e.attributes]).filter(
            a => a.name.startsWith('on') || ['style', 'src', 'autofocus'].includes(a.name)).length,
          links: [...new Set([...document.links].map(e => e.getAttribute('href')))],
          svgs: document.querySelectorAll('svg').length,
          loaded: performance.getEntriesByType('resource').length,
          title: document.title,
        };
        """
    )
    assert found["pwned"] is None
    assert found["scripts"] == 2
    assert found["strange"] == ["strong", "strong"]  # the page's own: the task, and what changed
    assert found["handlers"] == 0
    assert found["svgs"] == 1
    assert found["loaded"] == 0
    assert all(one.startswith("#") for one in found["links"])
    quiet(driver)
    seen = find(driver, "body").text
    for payload in HOSTILE[:-1]:
        assert seen.count(payload.replace("  ", " ")) > 15, payload
    assert "⟨U+202E⟩" in seen
    assert "{{ 7*7 }}" in seen
    for section in ("overview", "changes", "rules", "examples", "prompt", "history"):
        assert HOSTILE[0] in find(driver, f"#{section}").text, section


def test_hostile_content_is_filtered_and_followed_too(hostile, page_of, visit):
    """Ids and labels of any kind can be searched, chosen and clicked."""
    driver = visit(page_of(hostile))
    choose(driver, "examples-label", MARKUP)
    assert count(driver, "examples") == "30 of 60 examples"
    choose(driver, "examples-label", "fraud")
    find(driver, "#examples-text").send_keys("gate [X](javascript:")
    assert count(driver, "examples") == "6 of 60 examples"
    find(driver, "#filter-examples button").click()
    rule = find(driver, "#rule-i-r-01")
    rule.find_element("css selector", "summary").send_keys("\n")
    rule.find_elements("css selector", ".cited a")[0].send_keys("\n")
    assert HOSTILE[0] in driver.switch_to.active_element.text
    quiet(driver)
