"""Every Graph call that Sekisho makes, with the least application permission that it needs.

One line a call, so that a deployment's grants, the documentation and a 403's message all come from
here. Paths and permissions: Microsoft Graph v1.0 reference; ``{name}`` is filled from the caller's
parameters. ``sdk=False`` marks the few paths that msgraph-sdk's request builders do not have.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """A method, a path template and the permission it needs; its ``str`` names no id.

    ``also`` is what the same call needs beside it for some resources.
    """

    method: str
    path: str
    permission: str
    sdk: bool = True
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


USER_DRIVE = Call("GET", "/users/{user}/drive", "Files.Read.All")
SITES = Call("GET", "/sites/getAllSites()", "Sites.Read.All")
SITE_DRIVES = Call("GET", "/sites/{site}/drives", "Files.Read.All")
DRIVE_GET = Call("GET", "/drives/{drive}", "Files.Read.All")

MESSAGE_GET = Call("GET", "/users/{user}/messages/{message}", "Mail.Read")
MESSAGE_MIME = Call("GET", "/users/{user}/messages/{message}/$value", "Mail.Read")
MESSAGE_UPDATE = Call("PATCH", "/users/{user}/messages/{message}", "Mail.ReadWrite")
MESSAGE_PURGE = Call("POST", "/users/{user}/messages/{message}/permanentDelete", "Mail.ReadWrite")
MESSAGES_FIND = Call("GET", "/users/{user}/messages", "Mail.Read")
FOLDER_MESSAGE_CREATE = Call(
    "POST", "/users/{user}/mailFolders/{folder}/messages", "Mail.ReadWrite"
)
FOLDERS = Call("GET", "/users/{user}/mailFolders", "Mail.Read")
FOLDER_CHILDREN = Call("GET", "/users/{user}/mailFolders/{folder}/childFolders", "Mail.Read")
FOLDER_DELTA = Call("GET", "/users/{user}/mailFolders/{folder}/messages/delta()", "Mail.Read")
CATEGORY_CREATE = Call(
    "POST", "/users/{user}/outlook/masterCategories", "MailboxSettings.ReadWrite"
)

# 202 says accepted, not delivered (learn.microsoft.com/graph/api/user-sendmail). Exchange limits
# the permission to the one mailbox that notices come from (docs/how-to/review.md).
SEND_MAIL = Call("POST", "/users/{user}/sendMail", "Mail.Send")
# User.ReadBasic.All would do for an account; its manager needs User.Read.All, enough for both.
USER_GET = Call("GET", "/users/{user}", "User.Read.All")
USER_MANAGER = Call("GET", "/users/{user}/manager", "User.Read.All")

EVENT_GET = Call("GET", "/users/{user}/events/{event}", "Calendars.Read")
EVENT_UPDATE = Call("PATCH", "/users/{user}/events/{event}", "Calendars.ReadWrite")
EVENT_DELTA = Call("GET", "/users/{user}/events/delta()", "Calendars.Read")
EVENT_ATTACHMENTS = Call("GET", "/users/{user}/events/{event}/attachments", "Calendars.Read")
EVENT_ATTACH = Call("POST", "/users/{user}/events/{event}/attachments", "Calendars.ReadWrite")
EVENT_DETACH = Call(
    "DELETE", "/users/{user}/events/{event}/attachments/{attachment}", "Calendars.ReadWrite"
)

TEAMS = Call("GET", "/teams", "Team.ReadBasic.All")
# Who is in a channel as counts (its ``summary``), which names nobody: less than ChannelMember.
CHANNEL_GET = Call("GET", "/teams/{team}/channels/{channel}", "Channel.ReadBasic.All")
# Chat.ReadBasic.All would do for the members; the messages need Chat.Read.All, enough for both.
CHAT_GET = Call("GET", "/chats/{chat}", "Chat.Read.All")
TEAM_MESSAGES = Call("GET", "/teams/{team}/channels/getAllMessages()", "ChannelMessage.Read.All")
CHANNEL_MESSAGE = Call(
    "GET", "/teams/{team}/channels/{channel}/messages/{message}", "ChannelMessage.Read.All"
)
CHANNEL_JUDGE = Call(
    "PATCH",
    "/teams/{team}/channels/{channel}/messages/{message}",
    "ChannelMessage.UpdatePolicyViolation.All",
)
CHANNEL_HOSTED = Call(
    "GET",
    "/teams/{team}/channels/{channel}/messages/{message}/hostedContents",
    "ChannelMessage.Read.All",
)
CHANNEL_HOSTED_VALUE = Call(
    "GET",
    "/teams/{team}/channels/{channel}/messages/{message}/hostedContents/{hosted}/$value",
    "ChannelMessage.Read.All",
)
REPLY = Call(
    "GET",
    "/teams/{team}/channels/{channel}/messages/{root}/replies/{message}",
    "ChannelMessage.Read.All",
)
REPLY_JUDGE = Call(
    "PATCH",
    "/teams/{team}/channels/{channel}/messages/{root}/replies/{message}",
    "ChannelMessage.UpdatePolicyViolation.All",
)
REPLY_HOSTED = Call(
    "GET",
    "/teams/{team}/channels/{channel}/messages/{root}/replies/{message}/hostedContents",
    "ChannelMessage.Read.All",
)
REPLY_HOSTED_VALUE = Call(
    "GET",
    "/teams/{team}/channels/{channel}/messages/{root}/replies/{message}/hostedContents/{hosted}/$value",
    "ChannelMessage.Read.All",
)
CHAT_MESSAGES = Call("GET", "/users/{user}/chats/getAllMessages()", "Chat.Read.All")
CHAT_MESSAGE = Call("GET", "/chats/{chat}/messages/{message}", "Chat.Read.All")
CHAT_JUDGE = Call("PATCH", "/chats/{chat}/messages/{message}", "Chat.UpdatePolicyViolation.All")
CHAT_HOSTED = Call("GET", "/chats/{chat}/messages/{message}/hostedContents", "Chat.Read.All")
CHAT_HOSTED_VALUE = Call(
    "GET", "/chats/{chat}/messages/{message}/hostedContents/{hosted}/$value", "Chat.Read.All"
)

GROUP_MEMBERS = Call("GET", "/groups/{group}/transitiveMembers/graph.user", "GroupMember.Read.All")

ITEM_GET = Call("GET", "/drives/{drive}/items/{item}", "Files.Read.All")
ITEM_UPDATE = Call("PATCH", "/drives/{drive}/items/{item}", "Files.ReadWrite.All")
ITEM_CONTENT = Call("GET", "/drives/{drive}/items/{item}/content", "Files.Read.All")
ITEM_REPLACE = Call("PUT", "/drives/{drive}/items/{item}/content", "Files.ReadWrite.All")
ITEM_CHILDREN = Call("GET", "/drives/{drive}/items/{item}/children", "Files.Read.All")
ITEM_DELTA = Call("GET", "/drives/{drive}/items/{item}/delta()", "Files.Read.All")
ITEM_PERMISSIONS = Call("GET", "/drives/{drive}/items/{item}/permissions", "Files.Read.All")
ITEM_REVOKE = Call(
    "DELETE", "/drives/{drive}/items/{item}/permissions/{permission}", "Files.ReadWrite.All"
)
ITEM_VERSIONS = Call("GET", "/drives/{drive}/items/{item}/versions", "Files.Read.All")
ITEM_VERSION_DELETE = Call(
    "DELETE", "/drives/{drive}/items/{item}/versions/{version}", "Files.ReadWrite.All"
)
ITEM_FIELDS = Call(
    "PATCH", "/drives/{drive}/items/{item}/listItem/fields", "Sites.ReadWrite.All", sdk=False
)
ITEM_LABEL = Call(
    "POST", "/drives/{drive}/items/{item}/assignSensitivityLabel", "Files.ReadWrite.All"
)
ITEM_LABELS = Call(
    "POST", "/drives/{drive}/items/{item}/extractSensitivityLabels", "Files.Read.All"
)
LIST_ITEM = Call("GET", "/drives/{drive}/items/{item}/listItem", "Sites.Read.All")
PATH_GET = Call("GET", "/drives/{drive}/items/root:/{+path}", "Files.Read.All", sdk=False)
PATH_CHILDREN = Call(
    "GET", "/drives/{drive}/items/root:/{+path}:/children", "Files.Read.All", sdk=False
)
PATH_PUT = Call(
    "PUT", "/drives/{drive}/items/root:/{+path}:/content", "Files.ReadWrite.All", sdk=False
)
PATH_SESSION = Call(
    "POST",
    "/drives/{drive}/items/root:/{+path}:/createUploadSession",
    "Files.ReadWrite.All",
    sdk=False,
)
ITEM_SESSION = Call(
    "POST", "/drives/{drive}/items/{item}/createUploadSession", "Files.ReadWrite.All"
)
CHILD_SESSION = Call(
    "POST",
    "/drives/{drive}/items/{item}:/{+path}:/createUploadSession",
    "Files.ReadWrite.All",
    sdk=False,
)

# A subscription needs the permission to read its resource; a drive's, to write it;
# the calls on one are those of whatever it watches
# (learn.microsoft.com/graph/api/subscription-post-subscriptions#permissions).
_WATCHED = ("Files.ReadWrite.All", "Calendars.Read", "ChannelMessage.Read.All", "Chat.Read.All")
SUBSCRIPTIONS_LIST = Call("GET", "/subscriptions", "Mail.Read", also=_WATCHED)
SUBSCRIPTION_CREATE = Call("POST", "/subscriptions", "Mail.Read", also=_WATCHED)
SUBSCRIPTION_RENEW = Call("PATCH", "/subscriptions/{subscription}", "Mail.Read", also=_WATCHED)
SUBSCRIPTION_DELETE = Call("DELETE", "/subscriptions/{subscription}", "Mail.Read", also=_WATCHED)

LINK = Call("GET", "(a next or delta link)", "that of the first page", sdk=False)
"""Following ``@odata.nextLink`` or ``@odata.deltaLink``: the permission is the first page's."""
BATCH = Call("POST", "/$batch", "those of its calls", sdk=False)
"""Up to twenty calls in one request; each of them stands in this table."""

ALL: tuple[Call, ...] = tuple(
    value
    for value in list(globals().values())
    if isinstance(value, Call) and value not in (LINK, BATCH)
)
"""Every call in the table."""

GRANTS: frozenset[str] = frozenset(name for call in ALL for name in (call.permission, *call.also))
"""The application permissions that all the calls together need."""
