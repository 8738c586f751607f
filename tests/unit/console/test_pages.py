"""The pages: who may see them, what stands in them, and that every view and action is told."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from shared.codec import decode
from shared.console import views_leak, views_release, words
from shared.console.limits import Buckets
from shared.console.routes import ROUTES
from shared.console.session import COOKIE, ROLES, Login, User
from shared.console.views_incidents import OFFERED
from shared.console.web import BASE, Request
from shared.console.words import Words, catalogue
from shared.errors import UnavailableError
from shared.model import Envelope, OutcomeState
from shared.ports import Row
from shared.services.gate.waiting import TABLE, Waiting
from tests.unit.console.conftest import SECONDS, links, path_of, text
from tests.unit.console.seed import NOW, event


async def test_page_says_nothing_to_a_cookie_of_somebody_else(house):
    good = house.sessions.seal(house.user("admin"))
    data, _, mac = good.partition(".")
    login = house.sessions.seal(Login("s", "n", "v", SECONDS + 60))
    old = house.sessions.seal(User("a", "a", ("admin",), "s", SECONDS))
    for cookie in (
        "",
        "x",
        ".",
        data,
        f"{data}.",
        f"{data}x.{mac}",
        f"{data}.{mac[:-1]}0f",
        login,
        old,
        "あ.い",
    ):
        request = Request("GET", "incidents", {}, {"cookie": f"{COOKIE}={cookie}"})
        assert (await house.console.handle(request)).status == 401


@pytest.mark.parametrize("language", words.LANGUAGES)
async def test_every_page_renders_in_both_languages(full, language):
    everybody = full.user(*ROLES)
    for route in ROUTES:
        if route.method == "GET" and route.view not in {views_leak.report, views_release.own}:
            month, _, key = full.ids[0].partition("/")
            path = path_of(route, month=month, key=key)
            answer = await full.get(path, user=everybody, lang=language)
            assert answer.status == 200, path
            assert f'<html lang="{language}">' in text(answer)
            assert "script-src" not in text(answer)
            assert answer.headers()["Content-Security-Policy"].startswith("default-src 'none'")
            assert not re.search(r"<script|style=|\son[a-z]+=\"", text(answer))


async def test_every_link_of_the_console_leads_somewhere(full):
    everybody = full.user(*ROLES)
    seen, todo = set(), {""}
    while todo and len(seen) < 60:
        path = todo.pop()
        seen.add(path)
        answer = await full.get(path, user=everybody)
        assert answer.status == 200, path
        if answer.media_type.startswith("text/html"):
            todo |= {each.rstrip("/") for each in links(answer)} - seen


async def test_view_of_an_incident_is_told_before_it_is_shown(full):
    assert (await full.get(f"incidents/{full.ids[0]}", "viewer")).status == 200
    assert full.told() == [("console.view_incident", full.ids[0], "oid-viewer")]


async def test_view_is_not_shown_where_it_cannot_be_told(full, monkeypatch):
    async def away(_body, **_options):
        message = "away"
        raise UnavailableError(message)

    monkeypatch.setattr(full.desk.trail.results, "put", away)
    assert (await full.get(f"incidents/{full.ids[0]}", "viewer")).status == 503


async def test_reviewer_takes_an_incident_to_its_end(full):
    number = full.ids[0]
    for version, action in enumerate(["claim", "note", "confirm", "close"]):
        answer = await full.post(
            f"incidents/{number}", "reviewer", action=action, version=version, note="確認しました"
        )
        assert (answer.status, answer.location) == (303, f"{BASE}/incidents/{number}")
    assert (await full.incidents.get(number)).values["state"] == "closed"
    actions = [each[0] for each in full.told()]
    assert actions == [f"console.incident_{each}" for each in ("claim", "note", "confirm", "close")]
    assert "確認しました" in text(await full.get(f"incidents/{number}", "viewer"))


async def test_change_that_could_not_be_told_is_told_with_the_next_view(full, monkeypatch):
    number, put = full.ids[0], full.desk.trail.results.put

    async def away(_body, **_options):
        message = "away"
        raise UnavailableError(message)

    monkeypatch.setattr(full.desk.trail.results, "put", away)
    answer = await full.post(f"incidents/{number}", "reviewer", action="claim", version=0)
    assert answer.status == 503
    monkeypatch.setattr(full.desk.trail.results, "put", put)
    await full.get(f"incidents/{number}", "viewer")
    await full.get(f"incidents/{number}", "viewer")
    events = [decode(each.body, Envelope).event for each in full.results.visible()]
    claims = [each for each in events if each.action == "console.incident_claim"]
    assert {each.owner for each in claims} == {"oid-reviewer"}
    assert len({each.id for each in claims}) == 1


async def test_second_reviewer_is_told_that_the_first_was_quicker(full):
    number = full.ids[0]
    assert (
        await full.post(f"incidents/{number}", "reviewer", action="claim", version=0)
    ).status == 303
    answer = await full.post(f"incidents/{number}", "reviewer", action="claim", version=0)
    assert answer.status == 409
    assert catalogue("ja")["error.changed"] in text(answer)


@pytest.mark.parametrize(
    "form",
    [
        {"action": "release", "version": "0"},
        {"action": "open", "version": "0"},
        {"action": "claim"}, {"action": "claim", "version": "-1"}, {"version": "0"},
        {"action": "claim", "version": "９９９９９９９９９９９"},
        {"action": "claim", "version": "²"},
    ],
)  # fmt: skip
async def test_form_that_the_page_never_sent_changes_nothing(full, form):
    answer = await full.post(f"incidents/{full.ids[0]}", "reviewer", **form)
    assert answer.status in {400, 409}
    assert (await full.incidents.get(full.ids[0])).values["version"] == 0


@pytest.mark.parametrize(
    "options", [{"csrf": ""}, {"csrf": "x"}, {"origin": "https://evil.example"}, {"origin": "null"}]
)
async def test_form_of_another_site_or_session_is_refused(full, options):
    answer = await full.post(
        f"incidents/{full.ids[0]}", "reviewer", action="claim", version=0, **options
    )
    assert answer.status == 403
    assert (await full.incidents.get(full.ids[0])).values["state"] == "open"


@pytest.mark.parametrize(
    "note", ["番号は1234 5678 9018です", "１２３４５６７８９０１８", "1-2-3-4-5-6-7-8-9-0-1"]
)
async def test_note_with_a_long_number_is_not_kept(full, note):
    answer = await full.post(
        f"incidents/{full.ids[0]}", "reviewer", action="note", version=0, note=note
    )
    assert answer.status == 422
    assert note not in text(answer)
    assert "timeline" not in (await full.incidents.get(full.ids[0])).values


async def test_no_button_is_shown_that_does_nothing(full):
    answer = text(await full.get(f"incidents/{full.ids[0]}", "reviewer"))
    assert 'value="claim"' in answer
    assert 'name="action" value="release"' not in answer  # a release is a step of its own
    assert 'name="action"' not in text(await full.get(f"incidents/{full.ids[0]}", "viewer"))


async def test_dead_letter_is_put_back_once_and_told(full):
    name = await anext(full.letters.names())
    assert (await full.post("letters", "admin", name=name)).status == 303
    assert ("console.replay_dead_letter", name, "oid-admin") in full.told()
    assert len(full.stores.queue("scan-items")) == 1
    assert (await full.post("letters", "admin", name=name)).status == 404
    for other in ("", "../x", "scan-items/2026/11/25/", f"/{name}", f"{name}\n"):
        assert (await full.post("letters", "admin", name=other)).status == 400


async def test_dead_letters_are_paged_and_put_back_by_the_kind(house):
    for number in range(120):
        await house.letters.bury("scan-items", b"x%d" % number)
    await house.letters.bury("graph-hints", b"y")
    seen, query = [], {"queue": "scan-items"}
    while query:
        answer = text(await house.get("letters", "admin", **query))
        seen += re.findall(r'name="name" value="([^"]+)"', answer)
        more = re.search(r'letters\?queue=scan-items&amp;behind=([^"]+)"', answer)
        query = {"queue": "scan-items", "behind": unquote(more[1])} if more else {}
    assert len(seen) == len(set(seen)) == 120
    assert 'value="graph-hints"' in text(await house.get("letters", "admin", queue="graph-hints"))
    assert (await house.post("letters", "admin", queue="scan-items")).location.endswith("done=100")
    assert (await house.post("letters", "admin", queue="scan-items")).location.endswith("done=20")
    assert len(house.stores.queue("scan-items")) == 120
    assert len([each for each in house.told() if "replay" in each[0]]) == 120
    assert [name async for name in house.letters.names("graph-hints")]
    assert (await house.post("letters", "admin", queue="no-such")).status == 400


async def test_audit_search_pages_through_a_day_once(house):
    for number in range(230):
        await house.desk.pages.audit.enter(
            event(number, disposition=("allow", "block")[number % 2])
        )
    seen, query = [], {"day": "2026-11-25"}
    while query:
        answer = text(await house.get("audit", "auditor", **query))
        seen += re.findall(r'<code class="long">(item-\d+)<', answer)
        more = re.search(r'after=([0-9a-f-]+)"', answer)
        query = {"day": "2026-11-25", "after": more[1]} if more else {}
    assert len(seen) == len(set(seen)) == 230


async def test_overview_adds_up_what_passed(house):
    for number, disposition in enumerate(["allow"] * 3 + ["tag"] * 2 + ["block"]):
        await house.incidents.open(event(number, disposition=disposition))
    page = text(await house.get("", "viewer", lang="en"))
    figures = re.findall(r'class="figure">(\d+)<', page)
    assert figures == ["6", "1", "0", "2", "3"]


async def test_overview_says_what_waits_at_the_gate_and_since_when(house):
    gate = Waiting(house.stores.table(TABLE), lambda: NOW)
    desk = replace(house.desk, gate=gate)
    assert "関所で待っているもの" not in text(await house.get("", "viewer"))
    house.desk = desk
    for number in range(3):
        await gate.arrived(f"mail/{number}.eml", NOW - timedelta(minutes=number + 1))
    await gate.held("mail/2.eml", NOW - timedelta(minutes=3))
    await gate.locked("locked/a/b.json", NOW + timedelta(days=7))
    page = text(await house.get("", "viewer"))
    section = page.partition('id="gate"')[2].partition("</section>")[0]
    assert re.findall(r'class="figure">(\d+)<', section) == ["2", "1", "1"]
    assert "人の確認待ち" in section
    assert "パスワード待ち" in section
    assert section.count("最も古いもの") == 3


async def test_audit_search_finds_an_item_and_is_told(house):
    await house.incidents.open(event(1, item="AAMk=1"))
    await house.incidents.open(event(2, item="other"))
    page = text(await house.get("audit", "auditor", item="AAMk=1"))
    assert "AAMk=1</code>" in page
    assert "other</code>" not in page
    assert ("console.search_audit", "audit", "oid-auditor") in house.told()
    for day in ("", "2026-11-25", "2026-13-99", "0001-01-01", "9999-12-31", "x" * 500):
        assert (await house.get("audit", "auditor", day=day)).status == 200


async def test_session_that_asks_too_fast_waits(house):
    now = [0.0]
    buckets = Buckets(lambda: now[0], burst=3, rate=1)
    assert [buckets.take("a") for _ in range(5)] == [True, True, True, False, False]
    assert buckets.take("b")
    now[0] = 1.0
    assert [buckets.take("a"), buckets.take("a")] == [True, False]
    house.buckets.burst = 0
    assert (await house.get("", "viewer")).status == 429


async def test_languages_have_the_same_words_with_the_same_places():
    ja, en = (catalogue(each) for each in words.LANGUAGES)
    assert ja.keys() == en.keys()
    for key in ja:
        assert re.findall(r"{\w+}", ja[key]) == re.findall(r"{\w+}", en[key]), key
        assert ja[key].strip()
        assert en[key].strip()


def test_templates_use_no_word_that_is_missing_and_none_is_left_over():
    folder = Path(words.__file__).parent
    source = "".join(each.read_text() for each in folder.rglob("*.html"))
    source += "".join(each.read_text() for each in folder.glob("*.py"))
    wanted = set(re.findall(r"""\bt\(["']([a-z_.]+)["'][,)]""", source))
    wanted |= set(re.findall(r'"(error\.[a-z_]+)"', source))
    assert wanted <= catalogue("ja").keys()
    fixed = {
        each
        for each in catalogue("ja")
        if each.split(".")[0] in {"app", "incident", "letters", "policy", "list"}
    }
    assert fixed <= wanted


def test_every_action_that_is_recorded_has_a_word():
    """An official reads the audit search: no name out of the code stands there."""
    root = Path(words.__file__).parents[1]
    source = "".join(each.read_text() for each in root.rglob("*.py"))
    told = set(re.findall(r'Outcome\(\s*"([a-z_]+)"', source))
    told |= set(re.findall(r'deed\("[a-z]+", "([a-z_]+)"', source)) | {
        "hold",
        "hold_lifted",
        "mask",
    }
    told |= {f"console.{each}" for each in re.findall(r'trail\.note\([^"]*, "([a-z_]+)"', source)}
    told |= {f"console.incident_{each}" for each in OFFERED}
    told |= {f"exception_{each}" for each in ("requested", "granted", "refused", "revoked")}
    assert {"block", "cleared", "console.view_own"} <= told
    assert {f"action.{each}" for each in told | {"exception_expired"}} <= catalogue("ja").keys()
    assert {f"action_state.{each.value}" for each in OutcomeState} <= catalogue("ja").keys()


def said_by_actions():
    """Each step of an action that the code can make, with the constants of what it says."""
    root = Path(words.__file__).parents[2]
    for path in [*(root / "shared").rglob("*.py"), *(root / "relay").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Step":
                name, result = node.args
                if isinstance(name, ast.Constant):
                    yield name.value, ast.unparse(result)


def test_every_step_of_an_action_has_words():
    ja = catalogue("ja")
    said = set(said_by_actions())
    assert ("removed", "'read_back_gone'") in said
    assert {name for name, _ in said if f"step.{name}" not in ja} == set()
    spoken = {text for _, code in said for text in re.findall(r"'([a-z_]{3,})'", code)}
    no_words = {"categories", "held", "id", "state"}  # keys and values of what is read back
    assert {each for each in spoken - no_words if f"result.{each}" not in ja} == set()


@pytest.mark.parametrize(
    ("step", "value", "word"),
    [
        ("removed", "read_back_gone", "なくなったことを確認"),
        ("label", "not_lifted: refused_403", "外せない（権限がなく拒否された（403））"),
        ("older_versions", "not_removable:3", "外せない（3）"),
        ("sanitise", "encrypted", "暗号化されている"),
        ("smtp", "550", "550"),
        ("delivered", "message:AAMk", "message:AAMk"),
    ],
)
def test_what_became_of_a_step_is_said_in_words(step, value, word):
    assert Words("ja").result(step, value) == word


async def test_console_keeps_the_language_that_was_chosen(house):
    answer = await house.get("", "viewer", lang="en")
    assert answer.cookie.startswith("sekisho_lang=en;")
    assert not (await house.get("", "viewer", lang="xx")).cookie
    assert Words("xx").language == "ja"


async def test_path_that_does_not_exist_is_not_found(house):
    for path in (
        "nothing",
        "incidents/",
        "incidents/2026-11",
        "static/",
        "static/../app.py",
        "static/%2e%2e",
        "login/back",
        "incidents/../audit",
    ):
        assert (await house.get(path, *ROLES)).status in {404, 403}


async def test_health_counts_every_account_once_a_minute(house):
    for number in range(620):
        await house.stores.table("subscriptions").put(Row("mail", f"{number:04}", {"user": "u"}))
    assert await house.desk.health() == {"alive": 0, "lapsed": 0, "sweep_only": 620}
    await house.stores.table("subscriptions").put(Row("mail", "x", {"user": "u"}))
    assert (await house.desk.health())["sweep_only"] == 620
