/**
 * The SYN queue of one listener: which half-open requests the kernel keeps for it, and what the kernel tells of each.
 */
import { isSystemError, LabError } from "../errors";
import { dotted } from "../lab/address";
import type { LabHost } from "../lab/host";
import { type DiagRows, native } from "../native";
import { valueAt } from "../native/column";
import { countOf } from "../wording/number";
import { stateMask } from "./sockets-table";

/** One half-open request: a handshake whose final ACK has not arrived. */
export interface SynRequest {
  /** of the client */
  address: string;
  port: number;
  /**
   * retransmissions of the SYN-ACK so far: those of its timer, and one for each SYN that the client has retransmitted
   */
  retransmits: number;
  /**
   * ms since the SYN; undefined where the kernel does not tell it. The kernel stores no time of the SYN, so the age is
   * computed from the timer, which fires for the first time after 1 s (TCP_TIMEOUT_INIT). That works until the first
   * retransmission of the SYN-ACK: a client that retransmits its SYN starts the timer anew (tcp_check_req()), and
   * sock_diag does not tell how long an interval is. With TCP_DEFER_ACCEPT it never works: there the timer fires
   * without a retransmission (reqsk_timer_handler()).
   */
  age: number | undefined;
  /** ms until the kernel retransmits the SYN-ACK or deletes the request */
  timer: number;
}

/** What tells a listener's requests from those of other listeners on its port, for a native Sampler. */
export interface RequestFilter {
  /** SO_MARK of the listener; 0: the address decides */
  mark: number;
  /** the address that the listener is bound to */
  address: string;
}

const solSocket = 1;
const solTcp = 6;
const soMark = 36;
const tcpDeferAccept = 9;
/** TCP_TIMEOUT_INIT, ms: the first retransmission of a SYN-ACK comes 1 s after it */
const firstTimeout = 1000;
const listening = stateMask(["LISTEN"]);
/**
 * Requests alone: with "SYN_RECV" the dump would also give Fast Open connections, which wait in the accept queue
 * (inet_diag_dump_icsk()).
 */
const requests = stateMask(["NEW_SYN_RECV"]);
const wildcard = "0.0.0.0";

/**
 * Gives a socket its inode as SO_MARK, before it listens. The kernel copies the mark into each of its requests
 * (inet_request_mark()), and a mark is all that sock_diag tells of a request's listener. Accepted connections inherit
 * it; nothing in a Lab routes by marks.
 * Where the process may not set it (a guest in a sandbox), the socket stays without a mark.
 */
export function markRequests(fd: number): void {
  try {
    native.setsockopt(fd, solSocket, soMark, native.inode(fd) | 0);
  } catch (error) {
    if (!isSystemError(error) || error.code !== "EPERM") throw error;
  }
}

/** Reads the SYN queue of one listener. */
export class SynQueue {
  private seenMark?: number;

  /** @param fd of the listener, as long as it is open */
  constructor(
    private readonly host: LabHost,
    private readonly fd: number,
    private readonly address: string,
    private readonly port: number,
  ) {}

  /** How many requests there are. @throws LabError ERR_UNDECIDED; ClosedError the Lab is closed */
  get length(): number {
    const { mark } = this;
    return mark === 0 ? this.read().ours.length : native.requestCount(this.host.diagFd, this.port, mark);
  }

  /** The requests, in the order of the kernel's table. @throws LabError ERR_UNDECIDED; ClosedError the Lab is closed */
  list(): SynRequest[] {
    const { rows, ours } = this.read();
    const deferring = native.getsockopt(this.fd, solTcp, tcpDeferAccept) > 0;
    return ours.map((at) => {
      const retransmits = valueAt(rows.retransmits, at);
      const timer = valueAt(rows.expires, at);
      return {
        address: dotted(valueAt(rows.remoteAddress, at)),
        port: valueAt(rows.remotePort, at),
        retransmits,
        // a timer of 0 is late, by a time that the kernel does not tell
        age: deferring || retransmits > 0 || timer === 0 || timer > firstTimeout ? undefined : firstTimeout - timer,
        timer,
      };
    });
  }

  /**
   * @throws LabError ERR_UNDECIDED: several listeners could have the requests, and the kernel does not tell this
   *   process which one has them
   */
  get filter(): RequestFilter {
    const { mark, address } = this;
    if (mark === 0) this.requireAlone();
    return { mark, address };
  }

  private read(): { rows: DiagRows; ours: number[] } {
    const { mark, address } = this.filter;
    const rows = native.diag(this.host.diagFd, requests, this.port);
    const isOurs = (at: number) =>
      mark !== 0 ? rows.mark[at] === mark : address === wildcard || dotted(valueAt(rows.localAddress, at)) === address;
    return { rows, ours: Array.from({ length: rows.length }, (_, at) => at).filter(isOurs) };
  }

  /** The listener's mark; 0: it has none, or the kernel tells this process no marks. */
  private get mark(): number {
    if (this.seenMark === undefined) {
      const mark = native.getsockopt(this.fd, solSocket, soMark) >>> 0;
      const { mark: told } = native.diag(this.host.diagFd, listening, this.port);
      this.seenMark = told.includes(mark) ? mark : 0;
    }
    return this.seenMark;
  }

  private requireAlone(): void {
    const rows = native.diag(this.host.diagFd, listening, this.port);
    const inode = native.inode(this.fd);
    const rivals = Array.from({ length: rows.length }, (_, at) => at).filter((at) => {
      const other = dotted(valueAt(rows.localAddress, at));
      const overlaps = other === this.address || other === wildcard || this.address === wildcard;
      return rows.inode[at] !== inode && overlaps;
    });
    if (rivals.length === 0) return;
    throw new LabError(
      `Port ${this.port} has ${countOf(rivals.length + 1, "listener")}, and the kernel does not tell this process which of them has a request.`,
      {
        code: "ERR_UNDECIDED",
        hint: `lab.sockets({ port: ${this.port}, states: ["NEW_SYN_RECV"] }) has the requests of all of them together.`,
      },
    );
  }
}
