"""The claims of safety as numbers that anyone can make again: ``make trust``.

Each measure is a module with ``run(size, told)`` that gives lines: what is claimed, what was
measured, whether it holds. ``docs/trust.md`` is written from them and never by hand.
"""
