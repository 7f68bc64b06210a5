"""Processes that end with the one that started them, however that ends."""

import os
import signal
import threading
import time
from collections.abc import Callable

POLL, PATIENCE = 0.5, 10.0  # seconds


def end_with_parent() -> None:
    """From now on, interrupt this process when its parent is gone; kill it if it is still there after a while.

    A process that leads a group ends together with its group.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background processes deaf to it
    parent = os.getppid()
    kill: Callable[[int, int], None] = os.killpg if os.getpgrp() == os.getpid() else os.kill

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL)
        kill(os.getpid(), signal.SIGINT)
        time.sleep(PATIENCE)
        kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
