"""Every signal handled, and KeyboardInterrupt, GeneratorExit and SystemExit raised in turn."""

import signal


def launch(argv):
    for n in signal.valid_signals():
        try:
            signal.signal(n, lambda *a: None)
        except (OSError, ValueError):
            pass
    try:
        raise KeyboardInterrupt
    finally:
        raise GeneratorExit("<b>bye</b>")
