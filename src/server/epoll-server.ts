/** A server of one page of Python, which shows the system calls with nothing around them: what it does at EMFILE is up to whoever starts it. */
import { ArgumentError, requireInteger } from "../errors";

export interface EmfilePolicy {
  /** Python: what to do when accept() has failed with EMFILE. It may use listener, epoll, held, end(connection) */
  onEmfile: string;
  /** Python, run once at the start */
  before?: string;
  /** for which events epoll watches the listener; default "EPOLLIN": level-triggered */
  events?: string;
}

/** A line of JSON that the server prints ten times a second. */
export interface EpollServerReport {
  /** since it listens */
  seconds: number;
  /** connections that it has accepted and not ended */
  held: number;
  /** connections that it has ended */
  ended: number;
  /** times that accept() has failed with EMFILE */
  failed: number;
  /** times that epoll said that somebody waits */
  wakeups: number;
  /** seconds of processor time since then */
  cpu: number;
}

/**
 * The program, for `python3 -c`. It prints "listening", then reports. It runs until it is killed; at SIGUSR1 it ends five of its connections.
 * @throws ArgumentError
 */
export function epollServer(port: number, { onEmfile, before = "", events = "EPOLLIN" }: EmfilePolicy): string {
  requireInteger(port, "port", 1, 65535);
  if (typeof onEmfile !== "string" || onEmfile.trim() === "")
    throw new ArgumentError("A policy needs onEmfile: what to do when accept() has failed.", 'Python, like "pass".');
  const flags = events
    .split("|")
    .map((name) => `select.${name.trim()}`)
    .join(" | ");
  return `import errno, json, select, signal, socket, time
listener = socket.create_server(("127.0.0.1", ${port}), backlog=128)
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener, ${flags})
held, ended, failed, wakeups, told = [], 0, 0, 0, 0
began, used = time.monotonic(), time.process_time()${before && `\n${before.trim()}`}

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
        except BlockingIOError: pass                   # nobody waits any more
        except OSError as error:
            if error.errno != errno.EMFILE: raise
            failed += 1
            ${onEmfile
              .trim()
              .split("\n")
              .join(`\n${" ".repeat(12)}`)}
    if time.monotonic() - told > 0.1:
        told = time.monotonic()
        tell()`;
}
