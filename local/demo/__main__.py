"""``python -m local.demo``."""

from __future__ import annotations

import signal
import sys

from local.demo.runner import main

# A terminated demo stops what it started, as an interrupted one does.
signal.signal(signal.SIGTERM, signal.default_int_handler)
sys.exit(main())
