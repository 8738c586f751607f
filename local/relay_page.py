"""docs/reference/relay.md, from the relay's own options and commands."""

from __future__ import annotations

from relay.cli import main
from relay.settings import OPTIONS, PREFIX

_STATES = """
## States of a mail

Folders of the spool; a mail is in exactly one of them, whenever the machine stops.

| folder | meaning | leaves by |
|---|---|---|
| `incoming` | accepted; not judged yet, or the cloud is away | `held`, or landed |
| `held` | stopped, waits for a person; or the original of a mail whose sanitised copy \
was released | `release` (delivered from here), `delete`; an original after `originals_days` |
| `outgoing` | let go by the cloud or by people; notices, reports | delivered, or `dead` |
| `dead` | refused for good, or damaged | the cloud's dead letter is put back |

`notes` holds what was decided on held mails, `requests` what people ask for, `tmp` what was never
accepted, `journal.db` what is to be delivered and was (`ready`, `sending`, `delivered`,
`failed`; no names in it), `metrics.prom` counts and ages.

## Answers

| answer | when |
|---|---|
| `250 2.0.0` | the mail is on the disk: file and folder are synced |
| `421 4.7.0`, `421 4.3.2` | too many connections; the relay stops |
| `451 4.3.0` | the spool could not be written |
| `452 4.3.1` | the spool or the disk is full, or too much mail at a time |
| `452 4.5.3` | too many recipients of one mail |
| `501`, `555` | a parameter is malformed, or is not offered |
| `530` | STARTTLS is required |
| `550 5.7.1` | no route to this domain; this sender's domain is not taken |
| `552 5.3.4` | larger than `max_message_bytes`, announced or counted |
| `553 5.1.3` | an address of a form that is not taken (with spaces or slashes) |
| `554 5.4.6` | more than 50 `Received` lines |
| `554 5.5.0` | bytes behind the end of the data (no pipelining); the connection ends |
| `554 5.6.0` | a bare CR or LF in the data, or a line longer than `max_line` |
| `554 5.7.1` | the address is not in `networks` |

## Metrics

`metrics.prom` in the spool's folder, every 15 seconds, and `sekisho-relay status --json`: mails by
state, `sekisho_relay_oldest_incoming_seconds` and `sekisho_relay_oldest_outgoing_seconds` (how long
the oldest mail has waited), bytes in the spool and free on its disk, `delivered`, `failed`, and
`uncertain`: how often a crash fell between the data and its answer (see the how-to).
"""


def relay_page() -> str:
    """The page."""
    lines = [
        "# The relay",
        "",
        "Generated from `relay/settings.py` and `relay/cli.py` by `python -m local.docs`. How it",
        "is installed: [docs/how-to/relay.md](../how-to/relay.md).",
        "",
        "## Commands",
        "",
        "`sekisho-relay [--config FILE] COMMAND`",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    for name, command in sorted(main.commands.items()):
        takes = " ".join(
            str(each.name).upper() for each in command.params if each.param_type_name == "argument"
        )
        words = " ".join((command.help or "").split())
        lines.append(f"| `{name}{f' {takes}' if takes else ''}` | {words} |")
    lines += [
        "",
        "## Options",
        "",
        f"A TOML file (`/etc/sekisho/relay.toml`); over it `{PREFIX}<NAME>` in the environment.",
        "",
        "| option | default | what it is |",
        "|---|---|---|",
    ]
    for option in OPTIONS:
        default = "**required**" if option.default is None else f"`{option.default or '(empty)'}`"
        lines.append(f"| `{option.name}` | {default} | {option.text} |")
    return "\n".join(lines) + "\n" + _STATES
