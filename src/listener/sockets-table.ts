/**
 * The kernel's table of sockets in one Lab, read by sock_diag: what `ss -tan` prints, as data.
 */
import { DiagRows, Endpoint, native } from "../native";
import { dotted } from "../lab/address";
import type { LabHost } from "../lab/host";
import { ArgumentError, requireInteger, requireKnown } from "../errors";

/** include/net/tcp_states.h */
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
export type TcpState = Exclude<(typeof tcpStates)[number], "">;

export interface SocketRow {
  state: TcpState;
  local: Endpoint;
  remote: Endpoint;
  /** LISTEN: length of the accept queue; else bytes not yet read */
  receiveQueue: number;
  /** LISTEN: its maximum; else bytes not yet acknowledged */
  sendQueue: number;
  /** 0: no descriptor refers to it (a request, or a connection that waits for accept) */
  inode: number;
  retransmits: number;
  /** ms until the timer fires, 0 without one */
  timer: number;
}

export interface TableOptions {
  /** only sockets whose local port this is */
  port?: number;
  /** default: all but TIME_WAIT */
  states?: TcpState[];
}

export function stateMask(states: readonly TcpState[]): number {
  return states.reduce((mask, state) => {
    const number = tcpStates.indexOf(state);
    if (number < 1)
      throw new ArgumentError(
        `There is no TCP state "${String(state)}".`,
        `There are: ${tcpStates.slice(1).join(", ")}.`,
      );
    return mask | (1 << number);
  }, 0);
}

export function readTable(host: LabHost, options: TableOptions = {}): SocketRow[] {
  requireKnown(options, ["port", "states"], "sockets()");
  const port = requireInteger(options.port ?? 0, "port", 0, 65535);
  const states =
    options.states ?? tcpStates.filter((state): state is TcpState => state !== "" && state !== "TIME_WAIT");
  // a program that listens on :: takes IPv4 clients, too, and its connections are IPv6 sockets
  return ([4, 6] as const).flatMap((version) => {
    const rows = native.diag(host.diagFd, stateMask(states), port, version);
    return Array.from({ length: rows.length }, (_, at) => row(rows, at));
  });
}

function row(rows: DiagRows, at: number): SocketRow {
  return {
    state: tcpStates[rows.state[at]] as TcpState,
    local: { address: dotted(rows.localAddress[at]), port: rows.localPort[at] },
    remote: { address: dotted(rows.remoteAddress[at]), port: rows.remotePort[at] },
    receiveQueue: rows.receiveQueue[at],
    sendQueue: rows.sendQueue[at],
    inode: rows.inode[at],
    retransmits: rows.retransmits[at],
    timer: rows.timer[at] === 0 ? 0 : rows.expires[at],
  };
}
