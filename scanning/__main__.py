"""``python -m scanning``."""

from scanning.commands import main

raise SystemExit(main())
