/** One connection by hand. */
import { explain, LabError } from "../errors";
import type { LabHost } from "../lab/host";
import { native } from "../native";
import { requireTimeout } from "../waiting/timeout";
import { Connection } from "./connection";

/** poll(2): POLLOUT, as libuv names it */
const writable = 2;

/**
 * Connects one non-blocking socket of the Lab over loopback, and waits until the handshake has ended.
 * @param timeout ms; Infinity: as long as the kernel retransmits the SYN
 * @throws LabError ECONNREFUSED: no socket listens on the port; ETIMEDOUT: no answer in time. Source: connect(2), EINPROGRESS
 */
export async function dial(host: LabHost, port: number, timeout: number): Promise<Connection> {
  requireTimeout(timeout);
  const fd = await host.socket("tcp");
  const what = `Connecting to port ${port}`;
  try {
    if (!native.connect(fd, "127.0.0.1", port)) {
      const ready = await native.poll(fd, writable, timeout).promise;
      if (!ready) {
        throw new LabError(`${what}: no answer within ${timeout} ms.`, {
          code: "ETIMEDOUT",
          hint: "Is the accept queue full? Then the kernel drops the SYN, and the client retransmits it after 1 s.",
        });
      }
      native.connect(fd, "127.0.0.1", port); // a second connect() reports how the first one ended
    }
  } catch (error) {
    if ((error as LabError).code !== "EISCONN") {
      native.close(fd);
      throw explain(error, what, { ECONNREFUSED: "No socket listens on that port in this Lab." });
    }
  }
  return new Connection(host, fd);
}
