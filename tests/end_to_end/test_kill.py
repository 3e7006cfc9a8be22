"""A run may be killed at any moment: the last release goes on serving, and the next run finishes as if nothing had happened."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from killing_driver import MOMENTS

from tests.end_to_end.conftest import BULK, DELTA
