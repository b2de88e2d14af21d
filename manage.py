#!/usr/bin/env python
"""Run Musescan's commands, for example ``python manage.py demo``."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
    # torch's idle threads otherwise spin, and starve whatever else the machine is doing: with
    # two processes on two cores a training step took four to six times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    execute_from_command_line(sys.argv)
