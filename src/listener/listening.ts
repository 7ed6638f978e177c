/** Making a socket that listens: socket(2), its options, bind(2), listen(2). */
import { ArgumentError, explain, LabError, requireInteger, requireKnown } from "../errors";
import { parseAddress } from "../lab/address";
import type { LabHost } from "../lab/host";
import { closingsSettled } from "../lab/owned";
import { native } from "../native";
import { markRequests } from "./syn-queue";

/** The address, the port and the queues of a listening socket. */
export interface ListenOptions {
  /** port; 0: the kernel chooses a free one, the default */
  port?: number;
  /**
   * the argument of listen(2), connections: any 32-bit integer, signed or unsigned, as the kernel takes it. -1 and
   * 4,294,967,295 are the same number there, and larger than every somaxconn. Default 128
   */
  backlog?: number;
  /** IPv4 address of the Lab; default "0.0.0.0": all of them */
  address?: string;
  /** true: several listeners may share the port (SO_REUSEPORT). Default false */
  reusePort?: boolean;
  /**
   * TCP_DEFER_ACCEPT, seconds, which the kernel rounds up to 1, 3, 7, 15, …: a connection enters the accept queue with
   * its first data, or without data when the client acknowledges the SYN-ACK that the kernel retransmits after this
   * time. Default 0: off
   */
  deferAccept?: number;
  /**
   * TCP_FASTOPEN, length of its queue, connections: a SYN may carry data. It needs bit 2 of net.ipv4.tcp_fastopen.
   * Default 0: off
   */
  fastOpen?: number;
}

/** A socket that listens. */
export interface Listening {
  /** belongs to the caller */
  fd: number;
  address: string;
  port: number;
  /** the argument of listen(2), as it was given */
  backlog: number;
}

const sol = { socket: 1, tcp: 6 };
const option = { reuseAddress: 2, reusePort: 15, deferAccept: 9, fastOpen: 23 };
/**
 * TFO_SERVER_ENABLE: without this bit of tcp_fastopen a listener answers as if it had no Fast Open (tcp_try_fastopen())
 */
const fastOpenServer = 2;
/** codes of a sysctl that this process may not read, or that the kernel does not have */
const unreadable = new Set(["ERR_FORBIDDEN", "EACCES", "EPERM", "ENOENT"]);

/** @throws ArgumentError no 32-bit integer, signed or unsigned */
export function requireBacklog(backlog: number): number {
  return requireInteger(backlog, "backlog", -(2 ** 31), 2 ** 32 - 1);
}

/** @throws ArgumentError no IPv4 address: `address` is another text, a host name, or an IPv6 address */
function requireListenAddress(address: string): string {
  if (typeof address === "string" && address.includes(":"))
    throw new ArgumentError(
      `The listeners of a Lab are IPv4 sockets: ${address} is an IPv6 address.`,
      'Give an IPv4 address such as "127.0.0.1", or start an IPv6 server as a program with lab.spawn().',
    );
  parseAddress(address);
  return address;
}

/** listen(2). @param backlog as requireBacklog() gives it */
export function listenOn(fd: number, backlog: number): void {
  native.listen(fd, backlog | 0);
}

/**
 * Makes a socket that listens in the Lab.
 * @throws LabError EADDRINUSE, EADDRNOTAVAIL, EACCES; ERR_SYSCTL: Fast Open is off for servers; ArgumentError;
 *   ClosedError
 */
export async function openListening(host: LabHost, options: ListenOptions): Promise<Listening> {
  requireKnown(options, ["port", "backlog", "address", "reusePort", "deferAccept", "fastOpen"], "listen()");
  const port = requireInteger(options.port ?? 0, "port", 0, 65535);
  const backlog = requireBacklog(options.backlog ?? 128);
  const address = requireListenAddress(options.address ?? "0.0.0.0");
  const deferAccept = requireInteger(options.deferAccept ?? 0, "deferAccept (seconds)", 0, 32767);
  const fastOpen = requireInteger(options.fastOpen ?? 0, "fastOpen (queue length)", 0, 65535);
  if (fastOpen > 0) await requireFastOpen(host);
  const fd = await host.socket("tcp");
  try {
    // As servers do: a port with old connections in TIME_WAIT can be bound again (socket(7), SO_REUSEADDR).
    native.setsockopt(fd, sol.socket, option.reuseAddress, 1);
    if (options.reusePort) native.setsockopt(fd, sol.socket, option.reusePort, 1);
    if (deferAccept > 0) native.setsockopt(fd, sol.tcp, option.deferAccept, deferAccept);
    if (fastOpen > 0) native.setsockopt(fd, sol.tcp, option.fastOpen, fastOpen);
    markRequests(fd);
    await bind(fd, address, port);
    listenOn(fd, backlog);
    return { fd, address, port: native.getsockname(fd).port, backlog };
  } catch (error) {
    native.close(fd);
    throw explain(error, `Cannot listen on ${address}:${port}`, {
      EADDRINUSE: `Another socket of this Lab listens on port ${port}. Close it, choose another port, or give both reusePort: true.`,
      EADDRNOTAVAIL: `The Lab does not have this address. It has 127.0.0.0/8${host.address ? ` and ${host.address}` : ""}.`,
      EACCES: "Ports below 1024 need CAP_NET_BIND_SERVICE. Choose a higher port.",
    });
  }
}

/**
 * A listener that is still closing holds its port a moment longer, so a busy port is tried again when all closings have
 * ended.
 */
async function bind(fd: number, address: string, port: number): Promise<void> {
  try {
    native.bind(fd, address, port);
  } catch (error) {
    if ((error as LabError).code !== "EADDRINUSE" || !(await closingsSettled())) throw error;
    native.bind(fd, address, port);
  }
}

/**
 * @throws LabError ERR_SYSCTL: the option would be without effect. A guest that may not read the sysctl is let pass.
 */
async function requireFastOpen(host: LabHost): Promise<void> {
  let setting: number;
  try {
    const file = await host.file("/proc/sys/net/ipv4/tcp_fastopen", "r");
    setting = Number(native.preadText(file));
    native.close(file);
  } catch (error) {
    if (error instanceof LabError && unreadable.has(error.code)) return;
    throw error;
  }
  if ((setting & fastOpenServer) !== 0) return;
  throw new LabError(
    `fastOpen would have no effect: net.ipv4.tcp_fastopen is ${setting} in this Lab, without bit 2, which allows it to servers.`,
    {
      code: "ERR_SYSCTL",
      hint: `Set it first: await lab.sysctl.set({ "net.ipv4.tcp_fastopen": ${setting | fastOpenServer} }).`,
    },
  );
}

/** Whether the descriptor is still the socket with this inode. */
export function isOpen(fd: number, inode: number): boolean {
  try {
    return native.inode(fd) === inode;
  } catch {
    return false;
  }
}
