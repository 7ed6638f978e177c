/** One connection by hand. */
import { explain, LabError } from "../errors";
import type { LabHost } from "../lab/host";
import { type Endpoint, native } from "../native";
import { requireTimeout } from "../waiting/timeout";
import { Connection } from "./connection";

/** poll(2): POLLOUT, as libuv names it */
const writable = 2;

const nothingListens = "No socket listens on that port in this Lab.";

/**
 * Connects one non-blocking socket of the Lab over loopback, and waits until the handshake has ended.
 * @param timeout ms; Infinity: as long as the kernel retransmits the SYN
 * @throws LabError ECONNREFUSED: no socket listens at that address and port; ETIMEDOUT: no answer in time. Source:
 *   connect(2), EINPROGRESS
 */
export async function dial(host: LabHost, { address, port }: Endpoint, timeout: number): Promise<Connection> {
  requireTimeout(timeout);
  const fd = await host.socket("tcp");
  const what = `Connecting to port ${port}`;
  try {
    const connected = native.connect(fd, address, port);
    requireOther(fd, { address, port }, what);
    if (!connected) {
      const ready = await native.poll(fd, writable, timeout).promise;
      if (!ready) {
        throw new LabError(`${what}: no answer within ${timeout} ms.`, {
          code: "ETIMEDOUT",
          hint: "Is the accept queue full? Then the kernel drops the SYN, and the client retransmits it after 1 s.",
        });
      }
      native.connect(fd, address, port); // a second connect() reports how the first one ended
    }
  } catch (error) {
    if ((error as LabError).code !== "EISCONN") {
      native.close(fd);
      throw explain(error, what, { ECONNREFUSED: nothingListens });
    }
  }
  return new Connection(host, fd);
}

/**
 * Where no socket listens, the kernel may give a client the very port that it connects to. The client's SYN then meets
 * the client itself, and both ends of the connection are one socket (RFC 9293, 3.5, simultaneous open).
 * @throws LabError ECONNREFUSED
 */
function requireOther(fd: number, { address, port }: Endpoint, what: string): void {
  const local = native.getsockname(fd);
  if (local.port !== port || local.address !== address) return;
  native.setLinger(fd, 0); // no TIME_WAIT, which would keep the port
  throw new LabError(`${what}: ECONNREFUSED (connect).`, {
    code: "ECONNREFUSED",
    syscall: "connect",
    hint: `${nothingListens} The kernel chose port ${port} for the client, too, which met its own SYN and was connected to itself.`,
  });
}
