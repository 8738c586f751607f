"""Registers of people for tests, as a site builds them: columns, then rows of cells."""

from __future__ import annotations

import io

from shared.detect import Register, RegisterBuilder

KEY = bytes(range(32))


def register_bytes(columns, *rows):
    """The file."""
    builder = RegisterBuilder(KEY, columns)
    for row in rows:
        builder.add(row)
    stream = io.BytesIO()
    builder.write(stream)
    return stream.getvalue()


def register(columns, *rows):
    """The file, opened."""
    return Register(register_bytes(columns, *rows), KEY)
