"""One comment on a pull request, against a server that pages, limits, refuses and fails."""

from __future__ import annotations

import logging
import threading

import pytest

from pldgov.errors import ProviderError, UsageError
from pldgov.github.address import api_address, repository_name, usable_token
from pldgov.github.api import GitHubApi, RefusedError, UncertainError
from pldgov.github.limits import Patience, seconds_to_wait
from pldgov.github.sticky import StickyComment

MARKER = "<!-- pldgov-comment: . -->"
BODY = f"{MARKER}\n\nAll is well.\n"
OTHER_BOT = {"login": "other[bot]", "id": 99, "type": "Bot"}


@pytest.fixture
def waits():
    return []


@pytest.fixture
def sticky(github, fake_github_module, waits):
    """Return the comment of octo/rules#5; waiting costs no time and is written down."""
    patience = Patience(most=200.0, sleep=waits.append, clock=lambda: 1_000.0)
    api = GitHubApi(github.url, token=fake_github_module.TOKEN, patience=patience)
    yield StickyComment(api, "octo/rules", 5, MARKER)
    api.close()


def bodies(github):
    return [comment["body"] for comment in github.comments]


# -- sticky -------------------------------------------------------------------------------------


def test_it_is_created_edited_and_left_alone(github, sticky):
    """The same comment, and no request that changes nothing."""
    first = sticky.put(BODY)
    assert (first.action, first.url) == ("created", github.comments[0]["html_url"])
    assert sticky.put(BODY).action == "unchanged"
    changed = sticky.put(BODY + "More.")
    assert (changed.action, changed.url) == ("updated", first.url)
    assert bodies(github) == [BODY + "More."]
    assert github.methods() == ["GET", "POST", "GET", "GET", "PATCH"]


def test_line_ends_that_github_changes_are_no_change(github, sticky):
    """What was edited in a browser comes back with CRLF."""
    github.add(BODY.replace("\n", "\r\n").strip())
    assert sticky.put(BODY).action == "unchanged"


def test_it_is_found_on_a_late_page(github, sticky):
    """Every page is looked at, by the links that the server gives."""
    github.page_size = 2
    for number in range(5):
        github.add(f"Comment {number}")
    github.add(f"{MARKER}\n\nOld.")
    github.add("Another")
    assert sticky.put(BODY).action == "updated"
    assert github.methods() == ["GET"] * 4 + ["PATCH"]
    assert github.comments[5]["body"] == BODY
    assert "per_page=100" in github.asked[1].path


def test_another_key_is_another_comment(github, sticky):
    """Two governance folders of one repository do not overwrite each other."""
    github.add("<!-- pldgov-comment: ./other -->\n\nOther.")
    assert sticky.put(BODY).action == "created"
    assert len(github.comments) == 2


def test_a_marker_in_the_middle_is_not_the_comment(github, sticky):
    """Whoever quotes it, even a bot, only quotes it."""
    github.add(f"> {MARKER}\n> All is well.")
    assert sticky.put(BODY).action == "created"


def test_a_person_who_pastes_the_marker_is_not_edited(github, fake_github_module, sticky):
    """A token of Actions cannot ask who it is; then only a bot's comment counts."""
    pasted = github.add(f"{MARKER}\n\nAll tests passed, merge!", fake_github_module.PERSON)
    assert sticky.put(BODY).action == "created"
    assert pasted["body"] == f"{MARKER}\n\nAll tests passed, merge!"
    assert sticky.put(BODY).action == "unchanged"


def test_a_token_of_a_person_knows_its_own_comments(github, sticky):
    """Then the author's id decides, and a bot's comment is another's."""
    me = {"login": "ada", "id": 12, "type": "User"}
    github.me = github.writer = me
    github.add(f"{MARKER}\n\nOf a bot.", OTHER_BOT)
    assert sticky.put(BODY).action == "created"
    assert sticky.put(BODY + "More.").action == "updated"
    assert bodies(github) == [f"{MARKER}\n\nOf a bot.", BODY + "More."]


def test_of_several_the_oldest_is_kept_and_the_others_point_to_it(github, sticky):
    """So that no second comment tells an old verdict."""
    for text in ("First.", "Second.", "Third."):
        github.add(f"{MARKER}\n\n{text}")
    posted = sticky.put(BODY)
    url = github.comments[0]["html_url"]
    assert (posted.action, posted.url, posted.retired) == ("updated", url, 2)
    assert bodies(github) == [BODY, f"Replaced by {url}", f"Replaced by {url}"]
    assert sticky.put(BODY).retired == 0


def test_runs_at_once_agree_in_the_end(github, fake_github_module):
    """Both may create one; the next run makes one of them."""

    def run():
        api = GitHubApi(github.url, token=fake_github_module.TOKEN)
        StickyComment(api, "octo/rules", 5, MARKER).put(BODY)
        api.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run()
    assert [body for body in bodies(github) if body.startswith(MARKER)] == [BODY]


def test_a_comment_deleted_meanwhile_is_made_again(github, sticky):
    """Between finding it and editing it."""
    github.add(f"{MARKER}\n\nOld.")
    github.script.append(github.refuses(404, "Not Found", on="PATCH"))
    assert sticky.put(BODY).action == "updated"
    github.script.extend([github.refuses(404, "Not Found", on="PATCH")] * 4)
    with pytest.raises(ProviderError, match="deleted as often"):
        sticky.put(BODY + "More.")


# -- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["fails", "drops"])
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_post_of_unknown_outcome_is_not_doubled(github, sticky, waits, how, carried_out):
    """It is looked for before it is made again."""
    github.script.append(getattr(github, how)(on="POST", carried_out=carried_out))
    posted = sticky.put(BODY)
    assert posted.action == ("unchanged" if carried_out else "created")
    assert bodies(github) == [BODY]
    assert waits == [3.0]


@pytest.mark.parametrize("how", ["fails", "drops"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_what_may_be_asked_twice_is_asked_again(github, sticky, waits, how, method):
    """After a server's error or a lost connection, with longer and longer pauses."""
    github.add(f"{MARKER}\n\nOld.")
    github.script.extend([getattr(github, how)(on=method)] * 3)
    assert sticky.put(BODY).action == "updated"
    assert waits == [1.0, 2.0, 4.0]


def test_a_server_that_fails_for_good_is_an_error(github, sticky):
    """Exit code 4, and what it said."""
    github.script.extend([github.fails(503)] * 40)
    with pytest.raises(UncertainError, match="status 503") as caught:
        sticky.put(BODY)
    assert caught.value.exit_code == 4
    assert github.comments == []


def test_nobody_listens(fake_github_module, waits):
    """A refused connection names the host and not the token."""
    api = GitHubApi(
        "http://127.0.0.1:9", token=fake_github_module.TOKEN, patience=Patience(sleep=waits.append)
    )
    with pytest.raises(UncertainError, match=r"127\.0\.0\.1:9: no answer") as caught:
        StickyComment(api, "octo/rules", 5, MARKER).put(BODY)
    assert fake_github_module.TOKEN not in str(caught.value)


def test_something_else_answers(github, sticky):
    """A page for people, such as a proxy's, is not taken for an answer."""
    github.script.append(github.fails(200))
    with pytest.raises(ProviderError, match="not JSON"):
        sticky.put(BODY)


@pytest.mark.parametrize(("status", "message"), [
    (403, "Resource not accessible by integration"), (404, "Not Found"), (422, "Validation Failed"),
    (401, "Bad credentials"), (410, "Gone"),
])  # fmt: skip
def test_a_refusal_is_final(github, sticky, waits, status, message):
    """It is not asked for again, and its status tells what it is."""
    github.script.append(github.refuses(status, message, on="POST"))
    with pytest.raises(RefusedError, match=message) as caught:
        sticky.put(BODY)
    assert caught.value.status == status
    assert github.methods() == ["GET", "POST"]
    assert waits == []


# -- rate limits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, {"retry-after": "7"}, "", 7.0),
        (429, {"retry-after": "7"}, "", 7.0),
        (429, {"Retry-After": "Thu, 01 Jan 1970 00:17:10 GMT"}, "", 30.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1040"}, "API rate limit", 41.0),
        (403, {}, "You have exceeded a secondary rate limit", 60.0),
        (429, {}, "", 60.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "x"}, "", 60.0),
    ],
)
def test_a_rate_limit_is_waited_for(github, sticky, waits, status, headers, message, seconds):
    """As long as the headers say; a minute where they say nothing. A POST too: nothing was made."""
    event = github.refuses(status, message, on="POST", headers=headers)
    github.script.append(event)
    assert sticky.put(BODY).action == "created"
    assert waits == [seconds]
    assert bodies(github) == [BODY]


def test_nobody_waits_for_an_hour(github, sticky, waits):
    """What is longer than the patience is an error at once."""
    github.script.append(
        github.refuses(headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4600"},
                       message="API rate limit exceeded")
    )  # fmt: skip
    with pytest.raises(ProviderError, match=r"rate limit is reached.*3601 more seconds") as caught:
        sticky.put(BODY)
    assert not isinstance(caught.value, RefusedError)
    assert waits == []


def test_a_limit_that_never_ends(github, sticky, waits):
    """Waits double, within the patience."""
    github.script.extend([github.refuses(429, "slow down")] * 10)
    with pytest.raises(ProviderError, match="rate limit"):
        sticky.put(BODY)
    assert waits == [60.0, 120.0]


def test_a_missing_permission_is_no_limit_though_the_quota_is_just_used_up():
    """It would be refused after the wait as well."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2000"}
    message = "Resource not accessible by integration"
    assert seconds_to_wait(403, headers, message, now=0, attempt=0) is None


# -- the token ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/x", "https://example.org/x", "//other/x"])
def test_a_redirect_elsewhere_does_not_get_the_token(github, sticky, target):
    """Only the host that was named may have it."""
    github.script.append(github.refuses(307, headers={"location": target}))
    with pytest.raises(ProviderError, match="another host"):
        sticky.put(BODY)


def test_a_redirect_on_the_same_host_is_followed(github, fake_github_module, sticky):
    """A repository that was renamed; a POST stays one."""
    path = f"/api/v3{fake_github_module.PULL}"
    github.script.append(github.refuses(307, headers={"location": path}, on="POST"))
    assert sticky.put(BODY).action == "created"
    assert github.methods() == ["GET", "POST", "POST"]


def test_a_link_to_another_host_is_asked_of_our_own(github, fake_github_module, sticky):
    """Servers behind a proxy name themselves otherwise; the token stays where it belongs."""
    github.add(f"{MARKER}\n\nOld.")
    link = f'<https://inside.example/api/v3{fake_github_module.PULL}?page=1>; rel="next"'
    github.script.append(github.answers([], headers={"link": link}))
    assert sticky.put(BODY).action == "updated"


def test_a_circle_of_links_ends(github, fake_github_module, sticky):
    """A page that names itself as the next one."""
    link = f'<{github.url}{fake_github_module.PULL}?per_page=100>; rel="next"'
    github.script.append(github.answers([], headers={"link": link}))
    assert sticky.put(BODY).action == "created"


def test_the_token_is_in_no_message_and_no_log(github, fake_github_module, sticky, caplog):
    """Even where the host repeats it."""
    caplog.set_level(logging.DEBUG)
    said = f"you sent Bearer {fake_github_module.TOKEN}"
    github.script.append(github.refuses(422, said, on="POST"))
    with pytest.raises(RefusedError, match=r"you sent Bearer \*\*\*") as caught:
        sticky.put(BODY)
    shown = f"{caught.value!r} {caught.value} {caplog.text}"
    assert fake_github_module.TOKEN not in shown
    assert "POST" in caplog.text  # the log was on


def test_who_we_are_is_told(github, fake_github_module, sticky):
    """Headers that GitHub asks for."""
    sticky.put(BODY)
    headers = github.asked[0].headers
    assert headers["authorization"] == f"Bearer {fake_github_module.TOKEN}"
    assert headers["user-agent"].startswith("pldgov/")
    assert headers["x-github-api-version"] == "2022-11-28"


@pytest.mark.parametrize(("url", "address"), [
    ("https://api.github.com", "https://api.github.com"),
    ("https://ghe.example/api/v3/", "https://ghe.example/api/v3"),
    ("http://localhost:8080", "http://localhost:8080"),
    ("http://127.0.0.2:8080/api/v3", "http://127.0.0.2:8080/api/v3"),
    ("http://[::1]:8080", "http://[::1]:8080"),
])  # fmt: skip
def test_addresses(url, address):
    """Of github.com, of enterprise servers, and of this machine."""
    assert api_address(url) == address


@pytest.mark.parametrize("url", [
    "http://ghe.example/api/v3", "http://127.0.0.1.example.org", "http://localhost.example.org",
    "http://10.0.0.1", "ghe.example", "ftp://ghe.example", "https://", "https://u:p@ghe.example",
    "https://ghe.example/?x=1", "https://ghe.example:x", "https://ghe\n.example", "", "file:///etc",
    "https://[", "https://ghe.example/\u202e",
])  # fmt: skip
def test_addresses_that_get_no_token(url):
    """Plain HTTP to another machine, and what is no address at all."""
    with pytest.raises(UsageError) as caught:
        api_address(url)
    assert caught.value.exit_code == 2


def test_tokens():
    """White space is not part of it; a message about a wrong one does not show it."""
    assert usable_token(" abc\n") == "abc"
    assert usable_token("  ") is usable_token(None) is None
    for wrong in ("ab\ncd", "ab cd", "abcd\u00e9"):
        with pytest.raises(UsageError) as caught:
            usable_token(wrong)
        assert "ab" not in str(caught.value).replace("characters that", "")


def test_repositories():
    """A name cannot lead elsewhere in the API."""
    assert repository_name("octo-org/rules.of_2") == "octo-org/rules.of_2"
    for wrong in ("octo", "octo/rules/x", "octo/..", "../x", "octo/a b", "octo/%2e", ""):
        with pytest.raises(UsageError, match="OWNER/NAME"):
            repository_name(wrong)


def test_a_proxy_is_used_where_the_environment_names_one(monkeypatch, github, fake_github_module):
    """And not for hosts that it excludes."""
    monkeypatch.setenv("http_proxy", "http://user:pass%21@127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    api = GitHubApi(github.url, token=fake_github_module.TOKEN, patience=Patience(most=0))
    assert api._pool.proxy.port == 9
    assert "proxy-authorization" in api._pool.proxy_headers
    with pytest.raises(ProviderError):
        api.get("/user")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    api = GitHubApi(github.url, token=fake_github_module.TOKEN)
    with pytest.raises(RefusedError):  # the fake itself answered
        api.get("/user")
