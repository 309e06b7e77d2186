"""What every test session needs."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it runs in the background so, and all children would inherit it: then
    # neither they nor this session could be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
