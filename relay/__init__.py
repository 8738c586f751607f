"""The gate's SMTP process inside the government's own network: command ``sekisho-relay``.

``reception`` takes mail by SMTP into the ``spool``; ``forward`` judges it on the spot and keeps
what is blocked, or puts it into the cloud's landing container; ``orders`` fetches what the cloud
lets go, and ``delivery`` sends it by SMTP, once. Nothing connects to the relay from the cloud.
"""
