"""format=flowed (RFC 3676): lines that a program cut are joined, or numbers are cut with them."""

from __future__ import annotations


def unflow(text: str, *, delsp: bool) -> str:
    """Join soft-broken lines of the same quote depth; ``delsp`` drops the space at the break."""
    out: list[list[str]] = []  # a line's pieces
    depth, open_line = -1, False
    for line in text.split("\n"):
        content = line.rstrip("\r")
        body = content.lstrip(">")
        level = len(content) - len(body)
        body = body.removeprefix(" ")
        soft = body.endswith(" ") and body != "-- "
        piece = body[:-1] if soft and delsp else body
        if open_line and level == depth:
            out[-1].append(piece)
        else:
            out.append([">" * level, " " if level else "", piece])
        depth, open_line = level, soft
    return "\n".join(map("".join, out))
