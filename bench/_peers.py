"""The peers' side of bench/extract.py: run in their own environment, one document a line.

Reads lines of JSON ``{"peer", "kind", "data" (base64), "seconds"}``, answers
``{"text", "ms"}``: the text of the first reading and the median milliseconds of
one; an error is an empty text.
"""

from __future__ import annotations

import base64
import io
import json
import signal
import statistics
import sys
import time

MIME = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "pdf": "application/pdf",
    "rtf": "application/rtf",
    "zip": "application/zip",
    "7z": "application/x-7z-compressed",
    "msg": "application/vnd.ms-outlook",
    "csv": "text/csv",
    "html": "text/html",
    "eml": "message/rfc822",
}
PATIENCE = 10  # seconds a reading may take


def kreuzberg(kind: str, data: bytes) -> str:
    from kreuzberg import ExtractionConfig, extract_bytes_sync  # noqa: PLC0415 - in its own environment

    mime = MIME.get(kind, "application/octet-stream")
    return extract_bytes_sync(data, mime, ExtractionConfig(use_cache=False)).content


def markitdown(kind: str, data: bytes) -> str:
    from markitdown import MarkItDown, StreamInfo  # noqa: PLC0415 - in its own environment

    if not hasattr(markitdown, "made"):
        markitdown.made = MarkItDown()
    info = StreamInfo(extension=f".{kind}", mimetype=MIME.get(kind))
    return markitdown.made.convert_stream(io.BytesIO(data), stream_info=info).markdown


PEERS = {"kreuzberg": kreuzberg, "markitdown": markitdown}


def _late(*_: object) -> None:
    raise TimeoutError


def answer(order: dict) -> dict:
    read, data = PEERS[order["peer"]], base64.b64decode(order["data"])
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(PATIENCE)
    try:
        text = read(order["kind"], data)
        times: list[float] = []
        end = time.perf_counter() + order["seconds"]
        while order["seconds"] and (not times or time.perf_counter() < end):
            start = time.perf_counter()
            read(order["kind"], data)
            times.append((time.perf_counter() - start) * 1000)
    except BaseException:  # noqa: BLE001 - a peer's failure of any kind is an empty text
        return {"text": "", "ms": None}
    finally:
        signal.alarm(0)
    return {"text": text, "ms": statistics.median(times) if times else None}


if __name__ == "__main__":
    out = sys.stdout
    sys.stdout = sys.stderr  # a library's print must not be taken for an answer
    for line in sys.stdin:
        out.write(json.dumps(answer(json.loads(line))) + "\n")
        out.flush()
