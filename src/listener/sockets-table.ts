/**
 * The kernel's table of sockets in one Lab, read by sock_diag: what `ss -tan` prints, as data.
 */
import { type DiagRows, type Endpoint, native } from "../native";
import { valueAt } from "../native/column";
import { dotted } from "../lab/address";
import type { LabHost } from "../lab/host";
import { ArgumentError, requireInteger, requireKnown } from "../errors";

/** The kernel's TCP states at the index that is their number. Source: include/net/tcp_states.h */
export const tcpStates = [
  "",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "NEW_SYN_RECV",
] as const;
/**
 * A TCP state by its name in the kernel. NEW_SYN_RECV: a half-open request (request_sock), which sock_diag shows as
 * SYN_RECV.
 */
export type TcpState = Exclude<(typeof tcpStates)[number], "">;

/** One socket of the Lab, as the kernel's table has it at this moment. */
export interface SocketRow {
  state: TcpState;
  /**
   * version of IP that the socket was made for. An IPv6 socket also has IPv4 connections, at addresses like
   * ::ffff:127.0.0.1, as `ss` shows them
   */
  family: 4 | 6;
  /** address and port in the Lab */
  local: Endpoint;
  /** address and port of the other end; 0.0.0.0 (IPv6: ::) and 0 for a listening socket */
  remote: Endpoint;
  /**
   * LISTEN: length of the accept queue, connections; else bytes not yet read, and one more for a FIN. `ss` names it
   * Recv-Q
   */
  receiveQueue: number;
  /** LISTEN: limit of the accept queue, connections; else bytes not yet acknowledged. `ss` names it Send-Q */
  sendQueue: number;
  /**
   * 0: no descriptor refers to it (a half-open request, a connection in the accept queue, or one that its owner has
   * closed)
   */
  inode: number;
  /** retransmissions of the segment in flight so far */
  retransmits: number;
  /** ms until the timer fires; 0: no timer runs */
  timer: number;
  /** true: a half-open request (request_sock); absent for sockets. A Fast Open connection is a socket in SYN_RECV */
  request?: true;
  /** true: an IPv6 listener that takes no IPv4 clients (IPV6_V6ONLY); else absent */
  v6only?: true;
}

/** Which sockets readTable() gives. */
export interface TableOptions {
  /** only sockets with this local port; default: every port */
  port?: number;
  /**
   * only sockets in these states; default: all but TIME_WAIT. SYN_RECV: half-open requests, and Fast Open connections;
   * NEW_SYN_RECV: half-open requests alone
   */
  states?: TcpState[];
}

/**
 * The states as sock_diag asks for them: bit n for state number n (idiag_states in struct inet_diag_req_v2).
 * @throws ArgumentError there is no such state
 */
export function stateMask(states: readonly TcpState[]): number {
  return states.reduce((mask, state) => {
    const number = tcpStates.indexOf(state);
    if (number < 1)
      throw new ArgumentError(`There is no TCP state "${state}".`, `There are: ${tcpStates.slice(1).join(", ")}.`);
    return mask | (1 << number);
  }, 0);
}

/**
 * The Lab's sockets now, IPv4 and IPv6. Source: a NETLINK_SOCK_DIAG dump, which `ss` prints.
 * @throws ArgumentError an unknown option or state, a port that cannot be; ClosedError
 */
export function readTable(host: LabHost, options: TableOptions = {}): SocketRow[] {
  requireKnown(options, ["port", "states"], "sockets()");
  const port = requireInteger(options.port ?? 0, "port", 0, 65535);
  const states =
    options.states ?? tcpStates.filter((state): state is TcpState => state !== "" && state !== "TIME_WAIT");
  // A program that listens on :: also accepts IPv4 clients, and their connections are IPv6 sockets.
  return ([4, 6] as const).flatMap((version) => {
    const rows = native.diag(host.diagFd, stateMask(states), port, version);
    return Array.from({ length: rows.length }, (_, at) => row(rows, at, version));
  });
}

/** "127.0.0.1:80", "[::1]:80" (RFC 3986) */
export function bracketed({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function row(rows: DiagRows, at: number, family: 4 | 6): SocketRow {
  return {
    state: stateOf(valueAt(rows.state, at)),
    family,
    local: {
      address: rows.localAddress6[at] ?? dotted(valueAt(rows.localAddress, at)),
      port: valueAt(rows.localPort, at),
    },
    remote: {
      address: rows.remoteAddress6[at] ?? dotted(valueAt(rows.remoteAddress, at)),
      port: valueAt(rows.remotePort, at),
    },
    receiveQueue: valueAt(rows.receiveQueue, at),
    sendQueue: valueAt(rows.sendQueue, at),
    inode: valueAt(rows.inode, at),
    retransmits: valueAt(rows.retransmits, at),
    timer: valueAt(rows.timer, at) === 0 ? 0 : valueAt(rows.expires, at),
    ...(rows.request[at] && { request: true }),
    ...(rows.v6only[at] && { v6only: true }),
  };
}

/** @throws RangeError a number that no state of this table has: the kernel is newer than the table */
function stateOf(number: number): TcpState {
  const name = tcpStates[number];
  if (name === undefined || name === "") throw new RangeError(`There is no TCP state with the number ${number}.`);
  return name;
}
