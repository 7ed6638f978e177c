/** Listening sockets for tests of the addon, made of bare calls so that no layer above it takes part. */
import type { LabHost } from "../../dist/lab/host";
import { native } from "../../dist/native";

export interface Listening {
  fd: number;
  port: number;
}

const sol = { socket: 1, tcp: 6 };
export const tcpDeferAccept = 9;

/** A listening socket of the Lab on 127.0.0.1 or `address`, on a port of the kernel's choice. The caller closes `fd`. */
export async function listening(
  host: LabHost,
  { backlog = 128, address = "127.0.0.1", deferAccept = 0 } = {},
): Promise<Listening> {
  const [fd] = await host.sockets("tcp", 1);
  if (deferAccept > 0) native.setsockopt(fd, sol.tcp, tcpDeferAccept, deferAccept);
  native.bind(fd, address, 0);
  native.listen(fd, backlog);
  return { fd, port: native.getsockname(fd).port };
}

/** Connected (or connecting) sockets; the caller closes them. */
export async function connecting(host: LabHost, port: number, count: number): Promise<Int32Array> {
  const fds = await host.sockets("tcp", count);
  for (const fd of fds) native.connect(fd, "127.0.0.1", port);
  return fds;
}
