"""Planted faults that no test notices and none should: why each changes nothing.

A fault is named by its function and the line as it was planted, so that a judgement ends when the
line changes. They are not counted, and stand in ``docs/trust.md``.
"""

from __future__ import annotations

JUDGED: dict[tuple[str, str], str] = {
    (
        "shared.storage.ledger.xǁTableLedgerǁintend",
        "if len(data) >= LIMIT:",
    ): "a decision of exactly the limit is put aside although the row would hold it too",
    (
        "shared.storage.ledger.xǁTableLedgerǁpurge",
        "for partition in (f'{number:02x}' for number in range(257)):",
    ): "no key lies in partition 100: keys are two hexadecimal digits",
    (
        "shared.policy.build.x_build_rule",
        "tests = node.get('tests') or Node({}, 'XXXX', 0, 0)",
    ): "the place of test cases that are not there is never told",
    (
        "shared.detect.winnow.x_winnow",
        "points = np.frombuffer(kept.encode('UTF-32-LE', 'surrogatepass'), dtype=np.uint32)",
    ): "a codec's name in capitals is the same codec",
    (
        "shared.detect.rule_recognizer.xǁRuleRecognizerǁ__init__",
        (
            "self._reach = labelled.Reach(self._bounded(pattern.get('after_label', '')),"
            " int(pattern.get('within', _WITHIN)),"
            " re.compile(pattern['gap']) if 'gap' in pattern else None)"
        ),
    ): "columns are looked at where nothing is said: the same default",
}
