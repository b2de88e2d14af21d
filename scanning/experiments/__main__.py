"""``python -m scanning.experiments``."""

from scanning.experiments.command import main

raise SystemExit(main())
