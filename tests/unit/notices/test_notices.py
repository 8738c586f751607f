"""Notices: golden in both languages, never a value, a site's own words, aggregated, digest.

``SEKISHO_GOLDEN=write`` writes the golden files anew.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared.errors import PolicyError
from shared.policy.notices import KINDS, due_digest, plain, reference, safe
from tests.unit.notices.notice_facts import PLANTED, day, notices, raised

GOLDEN = Path(__file__).parent / "golden"
DAY = date(2026, 7, 1)


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("SEKISHO_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_notice_is_as_its_golden_file(kind, language):
    events = raised() if kind == "alert" else day()
    notice = notices().render(kind, events, [language], DAY)
    golden(f"{kind}.{language}.txt", notice.text)
    golden(f"{kind}.{language}.html", notice.html)
    golden(f"{kind}.{language}.json", json.dumps(notice.card, ensure_ascii=False, indent=1) + "\n")


@pytest.mark.parametrize("kind", KINDS)
def test_notice_never_holds_a_value(kind):
    notice = notices().render(kind, day(), day=DAY)
    said = notice.subject + notice.text + notice.html + json.dumps(notice.card, ensure_ascii=False)
    assert PLANTED not in said
    assert PLANTED not in repr(notice)


def test_notice_of_many_counts_the_rest():
    text = notices().render("owner", day(30)).text
    assert "ほか 22 件" in text
    assert "and 22 more" in text
    assert "ほか" not in notices().render("owner", day(8)).text


def test_site_has_its_own_words():
    own = notices(owner_ja="件名 {{ subject }}\n導入\n## 題\n- <b>{{ items[0].reference }}</b>\n")
    notice = own.render("owner", day(1), ["ja"])
    assert notice.text.startswith("件名 あなたの情報を確認してください（1 件）")
    assert "&lt;b&gt;" in notice.html
    assert "\\<b\\>" in json.dumps(notice.card).replace("\\\\", "\\")


@pytest.mark.parametrize(
    "text",
    [
        "a\nb\n## c\n- {{ secret }}",
        "a\nb\n## c\n- {{ secret }} x",
        "a\nb\n## c\n- {{ items.__class__.__mro__ }}",
        "a\nb\n## c\n- {{ ''.__class__ }}",
        "a\nb\n## c\n- {% for x in %}",
        "a\nb\n## c\n- {{ range(9) }}",
        "a\nb\n## c\n- {{ 1 // 0 }}",
        "a\nb\n",
        "a\nb\n## c\nstray",
        "",
    ],
)
def test_template_that_is_wrong_is_named(text):
    with pytest.raises(PolicyError, match="owner"):
        notices(owner_ja=text).render("owner", day(1), ["ja"])


def test_template_of_an_unknown_name_is_refused():
    with pytest.raises(PolicyError, match="boss"):
        notices(boss_ja="x")


def test_location_loses_digits_that_may_be_a_value():
    assert safe("添付2.xlsx › シート1!B7") == "添付2.xlsx › シート1!B7"
    assert safe("1234 5678 9018") == safe("１２３４５６７８９０１８") == "＊＊＊"


def test_card_text_is_no_markup():
    assert plain("[a](http://x) *b*") == "\\[a\\]\\(http://x\\) \\*b\\*"


def test_reference_has_no_digit():
    assert reference("0123456789abcdef") == "ABCD-EFGH-IJKL"


def test_digest_is_of_yesterday_in_japan_and_once():
    now = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)  # 2 July, 01:00 in Japan
    assert due_digest(now, None) == date(2026, 7, 1)
    assert due_digest(now, date(2026, 7, 1)) is None
