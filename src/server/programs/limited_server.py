"""An accept loop that runs out of descriptors. Usage: limited_server.py PORT BACKLOG PAUSE SECONDS

PAUSE: seconds that it sleeps after each EMFILE; 0: it tries again at once. It prints "listening", then ten times per
second a line of JSON, and ends SECONDS after the first EMFILE.
"""

import errno
import json
import select
import socket
import sys
import time

port, backlog = int(sys.argv[1]), int(sys.argv[2])
pause, seconds = float(sys.argv[3]), float(sys.argv[4])

listener = socket.create_server(("127.0.0.1", port), backlog=backlog)
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN)  # level-triggered, the default

held = []
failures = 0
began = cpu = None  # at the first EMFILE


def report():
    """What it has done since the first EMFILE; `cpu` is a share of one core."""
    elapsed = max(time.monotonic() - began, 1e-3)
    used = time.process_time() - cpu
    line = {"accepted": len(held), "failures": failures, "seconds": elapsed, "cpu": used / elapsed}
    print(json.dumps(line), flush=True)


print("listening", flush=True)
reported = 0
while began is None or time.monotonic() - began < seconds:
    epoll.poll(0.1)
    try:
        held.append(listener.accept()[0])
    except BlockingIOError:
        pass
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
        failures += 1
        if began is None:
            began, cpu = time.monotonic(), time.process_time()
        if pause > 0:
            time.sleep(pause)
    if began is not None and time.monotonic() - reported > 0.1:
        reported = time.monotonic()
        report()
report()
