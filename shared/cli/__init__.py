"""The ``sekisho`` command: the same core on files and folders of this machine.

Exit codes: 0 clean, 1 findings, 2 something unread (2 beats 1), 64 usage errors.
"""

from __future__ import annotations

import sys

import click

from shared.cli import audit_commands
from shared.cli.commands import EXIT_USAGE, policy, sekisho
from shared.cli.doctoring import doctor
from shared.cli.policy_commands import register
from shared.cli.pushing import push
from shared.cli.watching import watch

register(sekisho, policy)
audit_commands.register(sekisho)
sekisho.add_command(doctor)
sekisho.add_command(push)
sekisho.add_command(watch)


def main() -> None:
    """Run the command and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command; the exit code. Usage errors are said on stderr and give 64."""
    try:
        result = sekisho.main(arguments, prog_name="sekisho", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE if isinstance(error, click.UsageError) else error.exit_code
    except click.Abort:
        click.echo("中断しました / interrupted", err=True)
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough (head); Python must not complain at its exit.
        sys.stderr.close()
        return 141
    return result if isinstance(result, int) else 0
