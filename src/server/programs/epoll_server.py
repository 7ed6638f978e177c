"""An accept loop over epoll. As it stands it follows the text's advice: when accept() fails with EMFILE, it goes on.

src/server/epoll-server.ts puts another port, another policy and other events in. Notebook 06 prints what follows the
next empty line as it stands here, and so it is as short as one screen allows.
"""
# ruff: noqa: E401, E701, I001, PIE790, PLW0603, N, B
# fmt: off

import errno, json, select, signal, socket, time
listener = socket.create_server(("127.0.0.1", 8080), backlog=128)
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN)
held, ended, failed, wakeups, told = [], 0, 0, 0, 0
began, used = time.monotonic(), time.process_time()

def end(connection):
    global ended
    ended += 1
    connection.close()

def end_five(*_):
    for _ in range(min(5, len(held))): end(held.pop())
signal.signal(signal.SIGUSR1, end_five)

def tell():
    print(json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - used, "held": len(held),
                      "ended": ended, "failed": failed, "wakeups": wakeups}), flush=True)

print("listening", flush=True)
while True:
    if epoll.poll(0.05):
        wakeups += 1
        try:
            while True: held.append(listener.accept()[0])
        except BlockingIOError: pass                   # the accept queue is empty
        except OSError as error:
            if error.errno != errno.EMFILE: raise
            failed += 1
            pass
    if time.monotonic() - told > 0.1:
        told = time.monotonic()
        tell()
