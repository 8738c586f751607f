"""The engine's promises: offsets, agreement, secrecy, bounds."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.detect import Engine, FingerprintKey, explain
from shared.errors import PolicyError
from shared.model import Level, Mark, Segment
from tests.unit.detect import numbers_for_detect as made

KEY = FingerprintKey("test", bytes(range(32)))
FAST, PLAIN = Engine(KEY), Engine(KEY, plain=True)
EXAMPLES = [text for rule in FAST.rules.values() for text in (*rule.hits, *rule.misses)]
NOISE = st.text(
    st.one_of(
        st.sampled_from("0123456789１２３①②〇一二-ー‐ 　\t\n|,.@😀𠮷\u200b個人番号電話TEL送状"),
        st.characters(codec=None),
    ),
    max_size=80,
)


def _my_numbers(text: str, *, table: bool = False):
    found = FAST.scan([Segment("本文", text, table=table)])
    return [f for f in found if f.entity == "my_number"]


@settings(max_examples=150, deadline=None)
@given(
    before=NOISE, after=NOISE, form=st.sampled_from(sorted(made.FORMATS)), seed=st.integers(0, 99)
)
def test_offsets_point_at_what_the_person_wrote(before, after, form, seed):
    written = made.FORMATS[form](made.my_number(random.Random(seed)))
    text = f"{before}。個人番号は「{written}」です。{after}"
    start = len(before) + len("。個人番号は「")
    spans = [(f.start, f.end) for f in _my_numbers(text)]
    assert (start, start + len(written)) in spans


@settings(max_examples=150, deadline=None)
@given(text=NOISE, table=st.booleans())
def test_engines_agree_on_any_text(text, table):
    segments = [Segment("本文", text + "個人番号 1234-5678-9018 " + text, table=table)]
    assert FAST.scan(segments) == PLAIN.scan(segments)


@settings(max_examples=150, deadline=None)
@given(
    parts=st.lists(
        st.one_of(st.sampled_from(EXAMPLES), st.sampled_from(["\n", "\t", ",", " ", "😀"]), NOISE),
        max_size=12,
    )
)
def test_engines_agree_on_mixtures_of_every_entity(parts):
    segments = [Segment("件名", "個人番号"), Segment("本文", "".join(parts))]
    assert FAST.scan(segments) == PLAIN.scan(segments)


def test_finding_location_is_the_cell():
    text = "氏名\t個人番号\n山田\t123456789018\n"
    segment = Segment(
        "名簿.xlsx › Sheet1", text, table=True, marks=(Mark(0, "A1"), Mark(text.index("1"), "B2"))
    )
    (finding,) = FAST.scan([segment])
    assert finding.location == "名簿.xlsx › Sheet1!B2"


def test_value_is_in_no_repr_pickle_or_error():
    segments = [Segment("本文", f"個人番号 {made.MY_NUMBER} TEL 03-3210-1234 a.b@example.jp")]
    findings = FAST.scan(segments)
    assert {f.entity for f in findings} == {"my_number", "phone_number", "email_address"}
    for secret in (made.MY_NUMBER[5:], "3210", "a.b@"):
        assert secret not in repr(findings)
        assert secret.encode() not in pickle.dumps(findings)
    assert bytes(range(32)).hex() not in repr(FAST) + repr(KEY)
    assert made.MY_NUMBER not in repr(FAST.drafts(segments[0].text))


def test_fingerprint_is_of_the_folded_value_and_names_its_key():
    texts = (made.MY_NUMBER, made.full_width("1234-5678-9018"), made.circled(made.MY_NUMBER))
    prints = {_my_numbers(f"個人番号 {text}")[0].fingerprint for text in texts}
    assert len(prints) == 1
    (fingerprint,) = prints
    assert fingerprint.startswith("test:")
    assert len(fingerprint) == len("test:") + 64
    other = Engine(FingerprintKey("next", bytes(32)))
    assert other.scan([Segment("x", f"個人番号 {made.MY_NUMBER}")])[0].fingerprint not in prints


def test_mask_shows_four_at_most_and_fewer_where_told():
    assert _my_numbers(f"個人番号 {made.MY_NUMBER}")[0].masked == "1234********"
    strict = Engine(KEY, show=0)
    assert strict.scan([Segment("x", f"個人番号 {made.MY_NUMBER}")])[0].masked == "*" * 12


def test_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        FingerprintKey("short", b"abc")


def test_subject_speaks_for_the_whole_item():
    body = Segment("本文", "確認をお願いします。\n1234-5678-9018\n")
    alone = FAST.scan([body])
    assert all(f.level < Level.HIGH for f in alone)
    (finding,) = FAST.scan([Segment("件名", "個人番号の件"), body])
    assert finding.level >= Level.MEDIUM
    assert "subject" in {e.code for e in finding.evidence}


def test_addresses_of_the_envelope_are_not_findings():
    assert FAST.scan([Segment("差出人", "山田 <taro@example.jp>")]) == ()


def test_findings_over_the_cap_are_counted_not_dropped():
    rng = random.Random(3)
    rows = "\n".join(made.my_number(rng) for _ in range(30))
    findings = Engine(KEY, most=10).scan([Segment("表", f"個人番号\n{rows}\n", table=True)])
    assert len(findings) == 11
    assert findings[-1].masked == "+20"
    assert findings[-1].evidence[0].code == "more"
    assert findings[-1].level == Level.HIGH


def test_engine_serves_many_threads():
    engine = Engine(KEY)
    text = f"個人番号 {made.MY_NUMBER} 電話 03-3210-1234\n" * 20
    expected = FAST.scan([Segment("x", text)])
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(engine.scan([Segment("x", text)])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8


def test_engine_without_vectorscan_falls_back(monkeypatch):
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    engine = Engine(KEY)
    assert not engine.accelerated
    segment = Segment("x", f"個人番号 {made.MY_NUMBER}")
    assert engine.scan([segment]) == FAST.scan([segment])


def test_import_loads_neither_numpy_nor_vectorscan():
    code = (
        "import sys, shared.detect; sys.exit('numpy' in sys.modules or 'hyperscan' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_explain_shows_a_wrong_check_digit():
    (row,) = (e for e in explain("個人番号 123456789017") if e.entity == "my_number")
    assert row.level is None
    assert row.evidence[0].code == "check_fails"


def test_site_rule_changes_a_weight_and_a_wrong_one_is_named():
    strict = Engine(KEY, site_rules=["entity: my_number\nlevels: {high: 99}\n"])
    (finding,) = strict.scan([Segment("x", f"個人番号 {made.MY_NUMBER}")])
    assert finding.level == Level.MEDIUM
    with pytest.raises(PolicyError, match="site rule 1"):
        Engine(KEY, site_rules=["a: [", ""]).scan([])


SITE_ENTITY = """
entity: water_contract
ja: 水道の契約番号
en: Water contract number
source: 市の水道料金システム
labels: [水栓番号, 水道契約番号]
needs_label: true
pattern: {after_label: '(?<![0-9])[0-9]{3}-[0-9]{5}(?![0-9])'}
"""


def test_site_rule_adds_an_entity():
    for plain in (False, True):
        engine = Engine(KEY, site_rules=[SITE_ENTITY], plain=plain)
        (finding,) = engine.scan([Segment("x", "水栓番号は 123-45678 です")])
        assert finding.entity == "water_contract"
        assert finding.masked.startswith("12")
        assert engine.scan([Segment("x", "整理番号 123-45678")]) == ()


def test_site_pattern_without_a_bound_is_refused():
    endless = SITE_ENTITY.replace("[0-9]{5}", "[0-9]+")
    with pytest.raises(PolicyError, match="bounded"):
        Engine(KEY, site_rules=[endless]).scan([])


def test_finding_over_the_cap_stands_where_the_best_of_the_rest_is():
    weak = Segment("弱い", "\n".join(["1234-5678-9018 氏名 生年月日 住所"] * 3))
    strong = Segment("強い", f"個人番号 {made.MY_NUMBER}")
    findings = Engine(KEY, most=1).scan([weak, strong])
    more = next(f for f in findings if f.evidence[0].code == "more" and f.entity == "my_number")
    assert more.location == "強い"
    assert more.level == Level.HIGH


def test_names_near_evidence_are_found_where_asked_for():
    text = f"窓口に来た佐藤太郎さんの個人番号は {made.MY_NUMBER} です。"
    assert "person_name" not in {f.entity for f in FAST.scan([Segment("x", text)])}
    engine = Engine(KEY, names=True)
    (name,) = (f for f in engine.scan([Segment("x", text)]) if f.entity == "person_name")
    assert text[name.start : name.end] == "佐藤太郎"
    assert "佐藤" not in name.masked
    alone = engine.scan([Segment("x", "窓口に来た佐藤太郎さんは帰りました。")])
    assert alone == ()
