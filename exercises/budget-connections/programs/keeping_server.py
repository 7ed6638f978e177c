"""A server that accepts until accept() fails, and keeps all connections. Usage: keeping_server.py PORT BACKLOG

When it listens, it prints the number of the descriptor that it would get next: this many are open.
"""

import os
import socket
import sys
import time

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=int(sys.argv[2]))
probe = os.dup(0)
os.close(probe)
print(probe, flush=True)
held = []
while True:
    try:
        held.append(listener.accept()[0])
    except OSError:
        time.sleep(0.05)
