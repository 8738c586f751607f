"""300 texts that try to become something else than text, and a town whose every text is one."""

from __future__ import annotations

import itertools
import re

from shared.ports import Row
from tests.unit.console.seed import event, finding

HEARTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "{{7*7}}",
    "{% raw %}${7*7}<%= 7*7 %>",
    "=HYPERLINK(0)",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "' OR '1'='1' --",
    "\r\nSet-Cookie: a=b\r\n\r\n<script>",
    "<meta http-equiv=refresh content=0;url=javascript:alert(1)>",
)
WRAPS = (
    "{}", '"{}', "'{}", '">{}', "'>{}", "-->{}", "]]>{}", "</code>{}", "</textarea>{}",
    "</td></tr>{}", "\x00{}", "＜{}＞", "&lt;{}", "{}{}", "' onfocus=alert(1) autofocus {}",
    "\n{}\r\n", "%3Cscript%3E{}", "\\u003c{}", "{}<!--", "日本{}語",
)  # fmt: skip


def payloads() -> list[str]:
    """All of them, the wraps varying slowest."""
    return [wrap.replace("{}", heart) for heart, wrap in itertools.product(HEARTS, WRAPS)]


def skeleton(page):
    """Every tag of a page with its attributes' names."""
    return [
        (name, tuple(re.findall(r"([a-z-]+)=\"", rest)))
        for name, rest in re.findall(r"<(/?[a-z0-9]+)((?:\s[^<>]*)?)>", page)
    ]


async def plant(house, value, number=1):
    """One incident whose texts are all ``value``, and everything else that shows texts."""
    bad = finding("my_number", number, location=value, ja=value, en=value)
    happened = event(
        number, disposition="block", findings=(bad,), owner=value, item=f"{number}{value}",
        evidence=value,
    )  # fmt: skip
    await house.rows.insert(happened)
    incident = await house.incidents.open(happened)
    table = house.stores.table("subscriptions")
    await table.put(Row("mail", f"{number}", {"user": value, "subscription": value}))
    await house.letters.bury("scan-items", value.encode(), reason=value)
    await house.post(f"incidents/{incident}", "reviewer", action="note", version=0, note=value)
    return incident
