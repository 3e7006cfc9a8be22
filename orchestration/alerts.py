"""Telling somebody: the command in PHM_ALERT_COMMAND gets a short text on its standard input. No patient data is ever in it."""

from __future__ import annotations

import logging
import shlex
import subprocess

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 60


def send_alert(command: str | None, run_id: str, message: str) -> bool:
    """Run `command` with the run's id and `message` on its standard input; True when it succeeded.

    Does nothing without a command. An alert that cannot be sent is logged and never makes things worse than they are.
    """
    if not command:
        return False
    try:
        subprocess.run(
            shlex.split(command),
            input=f"phm run {run_id}\n{message}\n",
            text=True,
            check=True,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.warning("The alert command failed: %s", error)
        return False
    return True
