"""Views for people: server-rendered pages, Japanese first; nothing in them runs in the browser.

``web`` request and response · ``session`` signed cookies and CSRF · ``oidc`` who it is · ``login``
how one gets in · ``app`` which roles may call what · ``desk`` what the views read · ``views_…`` the
pages · ``trail`` every view and action on the record.
"""
