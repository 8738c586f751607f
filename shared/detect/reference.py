"""``docs/reference/recognizers.md``, made from the rules."""

from __future__ import annotations

from shared.detect.rulebook import Rule, load

_HEAD = """# 検出するもの Recognizers

<!-- Made from shared/detect/rules by:
python -c "from shared.detect.reference import page; print(page(), end='')" -->

各行は `shared/detect/rules/` の1ファイルです。点数（対数オッズ）の合計で、高・中・低が決まります。
重みも語も線もデータで、庁内の規則で1行ずつ変えられます。

Each row is a file of `shared/detect/rules/`. Evidence adds up as log-odds; the sum against three
lines gives high, medium or low. Weights, words and lines are data; a site overrides single lines.

| id | 名称 | name | found by | check digit | low / medium / high | source |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page, ending in a line end."""
    rules = sorted(load().rules.values(), key=lambda rule: rule.entity)
    return _HEAD + "\n".join(map(_row, rules)) + "\n" + _examples(rules)


def _row(rule: Rule) -> str:
    levels = " / ".join(f"{level:g}" for level in rule.levels)
    check = f"`{rule.check}`" if rule.check else "–"
    return (
        f"| `{rule.entity}` | {rule.ja} | {rule.en} | {_found_by(rule)} | {check} | {levels}"
        f" | {rule.source} |"
    )


def _found_by(rule: Rule) -> str:
    if rule.entity == "sensitive_information":
        return "near a person"
    if rule.entity.startswith("registered_"):
        return "register"
    ways = []
    if not rule.pattern or rule.pattern.get("shape"):
        ways.append("form")
    if rule.pattern.get("after_label"):
        ways.append("label")
    if rule.needs_label and "label" not in ways:
        ways.append("label near")
    return " and ".join(ways)


def _examples(rules: list[Rule]) -> str:
    parts = ["\n## 例 Examples\n\nThe test suite holds every rule to these.\n"]
    for rule in rules:
        parts.append(f"\n### {rule.ja} `{rule.entity}`\n\n")
        parts += [f"- found: `{_line(text)}`\n" for text in rule.hits]
        parts += [f"- passed over: `{_line(text)}`\n" for text in rule.misses]
    return "".join(parts)


def _line(text: str) -> str:
    return text.replace("\n", "⏎").replace("\t", "⇥").replace("\u200b", "·").replace("|", "\\|")
