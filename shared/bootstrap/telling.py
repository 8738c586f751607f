"""What telling people needs: the outbox, the templates, the mailbox and the webhook."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.bootstrap.core import ROOT, Core
from shared.errors import SettingsError

if TYPE_CHECKING:
    from shared.model import AuditEvent
    from shared.policy.notices import House, Notices
    from shared.services.notices import Sender
    from shared.services.outbox import Outbox
    from shared.services.telling import Telling

CARD = "security"  # the name under which an entry of the outbox knows the webhook


class Notifying(Core):
    """Who is told, by whom, in which words."""

    @cached_property
    def outbox(self) -> Outbox:
        """What waits to be sent."""
        from shared.services.outbox import Outbox  # noqa: PLC0415 - audit and scan alone

        return Outbox(self.work.table("outbox"), self.clock)

    @cached_property
    def telling(self) -> Telling:
        """Whom a recorded event obliges to tell; nobody where no way to tell is set up."""
        from shared.services.telling import Telling  # noqa: PLC0415 - audit and scan alone

        given = self.settings
        return Telling(
            self.policy,
            self.outbox,
            self.clock,
            mail=bool(given.notice_mailbox),
            security=given.notice_security,
            card=given.notice_card == "on",
        )

    @cached_property
    def sender(self) -> Sender:
        """Carries the outbox to its addressees."""
        from shared.services import notices  # noqa: PLC0415 - the scan's role alone
        from shared.services.notices import Directory, GraphMail, Sender  # noqa: PLC0415 - the same

        given = self.settings
        mail = GraphMail(self.graph, given.notice_mailbox, self.markers)
        people = Directory(self.graph, mail.send, given.notice_security)
        webhook = notices.Webhook({CARD: given.notice_webhook})
        by = {
            "mail": mail.send,
            "owner": people.owner,
            "manager": people.manager,
            "card": webhook.send,
        }
        return Sender(self.outbox, self._notices(), self.alerts, by)

    def _notices(self) -> Notices:
        """The templates: ours, and the site's over them."""
        from shared.policy.notices import Notices  # noqa: PLC0415 - the scan's role alone

        own: dict[str, str] = {}
        if self.settings.notice_templates:
            folder = ROOT / self.settings.notice_templates
            own = {
                path.stem: path.read_text(encoding="utf-8")
                for path in sorted(folder.glob("*"))
                if path.suffix in {".txt", ".html"}
            }
            if not own:
                message = f"SEKISHO_NOTICE_TEMPLATES: no template in {folder.name}"
                raise SettingsError(message)
        return Notices(self.policy, self._house(), own)

    def _house(self) -> House:
        from shared.policy.notices import House  # noqa: PLC0415 - the scan's role alone
        from shared.policy.rule import Words  # noqa: PLC0415 - the same
        from shared.storage.alerts import WORDS  # noqa: PLC0415 - the same

        given = self.settings
        ja, en = (_catalogue(each) for each in ("ja", "en"))
        entities = {
            name.removeprefix("entity."): Words(words, en.get(name, words))
            for name, words in ja.items()
            if name.startswith("entity.")
        }
        named = Words(given.organisation_ja, given.organisation_en or given.organisation_ja)
        link = self._link if given.console_url else None
        alerts = {kind: Words(*words) for kind, words in WORDS.items()}
        return House(named, given.notice_contact, entities, alerts, link)

    def _link(self, event: AuditEvent) -> str:
        from shared.storage.incidents import incident_id  # noqa: PLC0415 - the scan's role alone

        return f"{self.settings.console_url}/api/console/own/{incident_id(event)}"


def _catalogue(language: str) -> dict[str, str]:
    """The console's words, which name what is found."""
    path = Path(__file__).parent.parent / "console" / "locales" / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found
