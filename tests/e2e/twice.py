"""What was done twice, by what the stand-in holds at the end."""

from __future__ import annotations

from collections import Counter


def removals(there) -> Counter:
    """Removals for good that were carried out, by what they removed."""
    return Counter(
        (entry["template"], *entry["ids"].values())
        for entry in there.log()
        if entry["template"].endswith("permanentDelete") and entry["status"] == 204
    )


def done_twice(there, results) -> list[str]:
    """A sentence for each thing that was done more than once; empty is what is wanted.

    One removal an item, one line an event, one delivery a mail and file, one notice for each mail
    that was stopped, one letter for each upload that waits for a password.
    """
    found = [f"removed {n} times: {what[0]}" for what, n in removals(there).items() if n > 1]
    ids = Counter(line.event["id"] for line in there.storage.lines())
    found += [f"recorded {n} times" for n in ids.values() if n > 1]
    for user in there.world.state()["users"]:
        found += _of_user(user, results)
    return found


def _of_user(user, results) -> list[str]:
    names = Counter(item["path"] for item in user["items"] if not item["folder"])
    found = [f"a file was delivered {n} times" for n in names.values() if n > 1]
    mails = Counter(each["internet_message_id"] for each in user["messages"])
    found += [f"a mail was delivered {n} times" for n in mails.values() if n > 1]
    own = [each for each in results if each.sent.owner == user["id"] and each.state is not None]
    subjects = [each["subject"] for each in user["messages"]]
    for words, wanted in (
        ("メールを停止しました", sum(each.state.name == "removed" for each in own)),
        ("パスワードの入力が必要です", sum(_locked(each) for each in own)),
    ):
        count = sum(words in subject for subject in subjects)
        if count != wanted:
            found.append(f"{count} letters for {wanted}: {words}")
    return found


def _locked(result) -> bool:
    return result.sent.sample.source == "gate" and result.state.name == "held"
