"""``python -m udock_lab`` is ``mdock``."""

import sys

from udock_lab.cli import main

sys.exit(main())
