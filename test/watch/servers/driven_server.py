"""Listeners and clients that a test opens, changes and closes.

One command per line on stdin, one answer per line on stdout:

open ADDRESS PORT BACKLOG [v6only] [reuseport] [mptcp] [device=NAME]   a TCP listener; answers its port; PORT 0: any
unix NAME BACKLOG                       a UNIX listener; NAME begins with @ in the abstract namespace
listen INDEX BACKLOG                    listen() again
close INDEX                             closes a listener; indexes count from 0 and stay
accept INDEX COUNT                      accepts COUNT connections and keeps them
connect ADDRESS PORT COUNT [mptcp]      COUNT clients, none of which waits for an answer
connectunix NAME COUNT                  the same for a UNIX listener
"""

import contextlib
import socket
import sys

IPPROTO_MPTCP = 262
listeners = []
kept = []


def tcp_socket(address, options):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM, IPPROTO_MPTCP if "mptcp" in options else 0)


def unix_name(name):
    return "\0" + name[1:] if name.startswith("@") else name


def open_listener(address, port, backlog, *options):
    made = tcp_socket(address, options)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if "v6only" in options:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if "reuseport" in options:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    for option in options:
        if option.startswith("device="):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, option[7:].encode() + b"\0")
    made.bind((address, int(port)))
    made.listen(int(backlog))
    listeners.append(made)
    return made.getsockname()[1]


def open_unix(name, backlog):
    made = socket.socket(socket.AF_UNIX)
    made.bind(unix_name(name))
    made.listen(int(backlog))
    listeners.append(made)
    return "ok"


def listen_again(index, backlog):
    listeners[int(index)].listen(int(backlog))
    return "ok"


def close_listener(index):
    listeners[int(index)].close()
    return "ok"


def accept(index, count):
    kept.extend(listeners[int(index)].accept() for _ in range(int(count)))
    return "ok"


def start(client, address):
    client.setblocking(False)
    # the handshake goes on, or the queue is full
    with contextlib.suppress(BlockingIOError):
        client.connect(address)
    kept.append(client)


def connect(address, port, count, *options):
    for _ in range(int(count)):
        start(tcp_socket(address, options), (address, int(port)))
    return "ok"


def connect_unix(name, count):
    for _ in range(int(count)):
        start(socket.socket(socket.AF_UNIX), unix_name(name))
    return "ok"


commands = {
    "open": open_listener,
    "unix": open_unix,
    "listen": listen_again,
    "close": close_listener,
    "accept": accept,
    "connect": connect,
    "connectunix": connect_unix,
}

for line in sys.stdin:
    name, *arguments = line.split()
    print(commands[name](*arguments), flush=True)
