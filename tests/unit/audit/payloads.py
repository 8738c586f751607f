"""Three hundred texts that try to become something else in an export, and an event made of one."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.model import AuditEvent, Context, Finding, Gap, GapCode, Item, Level, Step

START = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

_FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")',
    "=IMPORTXML(CONCAT(A1))", '=WEBSERVICE("http://x")', "=DDE(1)", "+cmd|' /C calc'!A0",
    "-cmd|' /C calc'!A0", "@cmd", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "=1+1;", "==1", "=-1",
    "=@A1",
)  # fmt: skip
_BEFORE = ("", "\t", "\r", "\n", "\r\n", '"', '",', '"\r\n', " ", "\u3000", "\ufeff", "\u200b", "'")
_OTHERS = (
    "a|b", "a\\|b", "a=b", "a\\=b", "\\", "\\\\", "x\nCEF:0|Evil|Evil|1|1|x|10|act=allow",
    "x\r\nCEF:0|Evil|Evil|1|1|x|10|", "a act=allow outcome=applied", "x\\nact=allow", '{"a":1}',
    '"}\n{"class_uid":2006}', "a\x00b", "a\x1bb[31m", "a\u2028b", "a\u2029b", "a\x85b", "a\x0bb",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "'; DROP TABLE x; --", "${jndi:ldap://x}", "{{7*7}}", "%0aact=allow", "\u202efdp.exe",
    "a,b;c\td", '""', '"', "'", "''=1", "\ud800", "𠮷野家\n=1", "🏯=1", "=" * 40, "A" * 5_000,
    "-", "+", "@", "=", "＝",
)  # fmt: skip

PAYLOADS = tuple(dict.fromkeys([b + f for f in _FORMULAS for b in _BEFORE] + list(_OTHERS)))


def event(text, disposition="block", source="mail"):
    """An event with ``text`` wherever text from outside could come to stand."""
    finding = Finding("my_number", text, 0, 12, 0.99, Level.HIGH, "1***********", "k:" + "0" * 64)
    context = Context(source, text, text, text, (text,), (text,), text, None, (text,))
    return AuditEvent(
        "a" * 64, START, Item(source, text, text, text), disposition, disposition, "enforce", text,
        (text, "my-number-high"), text, "applied", (Step("role", text),), (finding, finding),
        (Gap(GapCode.ENCRYPTED, text),), text, text, 1.5, text, text, context,
    )  # fmt: skip
