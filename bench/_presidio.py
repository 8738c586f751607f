"""Presidio's side of bench/detect.py, in its own environment: a JSON list of texts a line."""

from __future__ import annotations

import json
import sys
import time

from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider

D, H, A = "[0-9０-９]", "[-‐‑‒–—―−－ーｰ]", "[A-ZＡ-Ｚ]"
S = "[-‐‑‒–—―−－ーｰ \u3000\t.]"
PREFECTURES = "(?:東京都|北海道|大阪府|京都府|[一-龠]{2,3}県)"
PATTERNS = {
    "my_number": rf"{D}{{4}}{S}?{D}{{4}}{S}?{D}{{4}}",
    "my_number_cells": rf"{D}(?:[ \u3000\t\n|,]{{1,3}}{D}){{11}}",
    "corporate_number": rf"{D}{H}?{D}{{4}}{H}?{D}{{4}}{H}?{D}{{4}}",
    "invoice_number": rf"[TＴ]{H}?{D}{{13}}",
    "pension": rf"{D}{{4}}{H}?{D}{{6}}",
    "residence_card": rf"{A}{{2}}{D}{{8}}{A}{{2}}",
    "passport": rf"{A}{{2}}{D}{{7}}",
    "resident_record": rf"{D}{{11}}",
    "card": rf"{D}{{4}}{S}?{D}{{4}}{S}?{D}{{4}}{S}?{D}{{4}}",
    "amex": rf"3[47]{D}{{2}}{S}?{D}{{6}}{S}?{D}{{5}}",
    "bank": rf"(?:普通|当座|貯蓄|口座番号)[^0-9０-９]{{0,8}}{D}{{7}}",
    "yucho": rf"{D}{{5}}{H}{D}{{6,8}}",
    "insurance": rf"(?:保険者番号|被保険者番号|記号)[^0-9０-９]{{0,8}}{D}{{4,10}}",
    "phone": rf"[0０]{D}{{1,4}}{H}{D}{{1,4}}{H}{D}{{4}}",
    "mobile": rf"[0０][5-9５-９][0０]{S}?{D}{{4}}{S}?{D}{{4}}",
    "phone_abroad": rf"[+＋]81{S}?{D}{{1,4}}{S}{D}{{1,4}}{S}{D}{{4}}",
    "postal_code": rf"{D}{{3}}{H}{D}{{4}}",
    "address": rf"{PREFECTURES}[一-龠ぁ-んァ-ヶー]{{1,8}}[市区町村郡]",
    "date": rf"(?:19|20|１９|２０){D}{{2}}[年/／.．-]{D}{{1,2}}[月/／.．-]{D}{{1,2}}",
    "date_era": (
        rf"(?:明治|大正|昭和|平成|令和|[MTSHR]){D}{{1,2}}[年.．/]{D}{{1,2}}[月.．/]{D}{{1,2}}"
    ),
    "email": r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,10}",
    "plate": rf"[一-龠]{{2,3}}[ \u3000]?{D}{{2,3}}[ \u3000]?[ぁ-ん][ \u3000]?{D}{{2}}{H}{D}{{2}}",
    "aws": r"AKIA[0-9A-Z]{16}",
    "github": r"gh[pousr]_[A-Za-z0-9]{36}",
    "jwt": r"eyJ[A-Za-z0-9_-]{10,400}\.[A-Za-z0-9_-]{10,400}\.[A-Za-z0-9_-]{10,400}",
    "pem": r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
    "azure": r"AccountKey=[A-Za-z0-9+/]{40,88}==",
    "slack": r"xox[baprs]-[0-9A-Za-z-]{10,60}",
}
SENSITIVE = [
    "病歴",
    "犯罪歴",
    "前科",
    "身体障害",
    "知的障害",
    "精神障害",
    "診断書",
    "既往症",
    "うつ病",
    "糖尿病",
]


def analyzer() -> AnalyzerEngine:
    models = [{"lang_code": "ja", "model_name": "no_op"}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "no_op", "models": models})
    registry = RecognizerRegistry(supported_languages=["ja"])
    for name, regex in PATTERNS.items():
        registry.add_recognizer(
            PatternRecognizer(
                supported_entity=name.upper(),
                supported_language="ja",
                patterns=[Pattern(name, regex, 0.5)],
            )
        )
    registry.add_recognizer(
        PatternRecognizer(
            supported_entity="SENSITIVE", supported_language="ja", deny_list=SENSITIVE
        )
    )
    return AnalyzerEngine(
        nlp_engine=provider.create_engine(), registry=registry, supported_languages=["ja"]
    )


def main() -> None:
    engine = analyzer()
    for line in sys.stdin:
        taken = []
        for text in json.loads(line):
            start = time.process_time()
            engine.analyze(text, "ja")
            taken.append(time.process_time() - start)
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main()
