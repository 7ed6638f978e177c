"""A server that listens on a port and then sleeps until its input ends. Usage: sleeping_server.py PORT BACKLOG"""

import socket
import sys

listener = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=int(sys.argv[2]))
print("listening", flush=True)
sys.stdin.read()
