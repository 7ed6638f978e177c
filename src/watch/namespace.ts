/**
 * What the kernel counts for all listeners of this network namespace together, and what follows from it for one of
 * them.
 */
import { readFileSync } from "node:fs";
import { type Listening, readListening, whereOf } from "./listeners";

/** Counters of the network namespace. */
export interface NamespaceCounts {
  /** connections that listeners have made: Tcp.PassiveOpens, counted by tcp_create_openreq_child() */
  handshakes: number;
  /** SYNs and final ACKs that met a full accept queue: TcpExt.ListenOverflows */
  overflows: number;
  /** SYNs and final ACKs that the kernel has dropped for any reason: TcpExt.ListenDrops */
  drops: number;
  /** TcpExt.SyncookiesSent */
  cookies: number;
}

/** The counters since the namespace was made. They belong to no one listener. */
export function readCounts(): NamespaceCounts {
  const extended = countersOf("netstat", "TcpExt:");
  const of = (name: string) => extended.get(name) ?? 0;
  return {
    handshakes: countersOf("snmp", "Tcp:").get("PassiveOpens") ?? 0,
    overflows: of("ListenOverflows"),
    drops: of("ListenDrops"),
    cookies: of("SyncookiesSent"),
  };
}

/** Two lines each: the names, the values. */
function countersOf(file: string, prefix: string): Map<string, number> {
  const [names = [], values = []] = readFileSync(`/proc/net/${file}`, "utf8")
    .split("\n")
    .filter((text) => text.startsWith(prefix))
    .map((text) => text.split(" ").slice(1));
  return new Map(names.map((name, at) => [name, Number(values[at])]));
}

/** The listeners and the counters at one look. */
export interface NamespaceLook {
  listening: Listening[];
  counts: NamespaceCounts;
}

/** How many connections per second were accepted, or why that is not known. */
export type AcceptRate = { rate: number } | { unknown: string };

/**
 * How many connections have been accepted. The kernel counts no accept(). But a connection that a listener has made is
 * in an accept queue until it is accepted: accepted = handshakes - growth of all accept queues. This holds for the
 * network namespace as a whole, because the handshakes are counted for the whole of it. For one listener it holds while
 * no other one listens; and if nothing was accepted in the namespace, nothing was accepted from any listener.
 */
export class AcceptedCount {
  /** since the beginning, never too many */
  private total = 0;
  /** handshakes - waiting connections, when `total` was 0 */
  private base: number;
  private inodes: ReadonlySet<number>;
  private interval: { start: number; places: Set<string>; closed: boolean };

  constructor(private readonly diagFd: number) {
    const { listening, counts } = this.readQuiet();
    this.base = counts.handshakes - waiting(listening);
    this.inodes = inodesOf(listening);
    this.interval = { start: 0, places: placesOf(listening), closed: false };
  }

  /** Reads the listeners and the counters, and takes them in. To be called several times per second. */
  look(): NamespaceLook {
    // The counters first: a handshake between the two readings makes the queue longer and the result smaller, never
    // greater.
    const first = this.read();
    const { listening, counts } = this.read();
    const inodes = inodesOf(listening);
    for (const where of placesOf(listening)) this.interval.places.add(where);
    if ([...this.inodes].some((inode) => !inodes.has(inode))) {
      // what waited at a listener that was closed is gone (inet_csk_listen_stop()), or has moved (tcp_migrate_req)
      this.interval.closed = true;
      this.base = counts.handshakes - waiting(listening) - this.total;
    } else {
      // of two readings the smaller: a connection is counted a moment before it is queued (tcp_v4_syn_recv_sock())
      const made = [first, { listening, counts }].map((each) => each.counts.handshakes - waiting(each.listening));
      this.total = Math.max(this.total, Math.min(...made) - this.base);
    }
    this.inodes = inodes;
    return { listening, counts };
  }

  /** Per second since startInterval(), of the whole namespace. @param seconds since then */
  ofNamespace(seconds: number): AcceptRate {
    if (this.interval.closed)
      return { unknown: "a listener was closed in this interval, and its waiting connections went with it" };
    return { rate: (this.total - this.interval.start) / seconds };
  }

  /** The same of the listeners at one place ("127.0.0.1:80"). */
  ofPlace(where: string, seconds: number): AcceptRate {
    const all = this.ofNamespace(seconds);
    if ("unknown" in all || all.rate === 0) return all;
    const others = [...this.interval.places].filter((place) => place !== where).length;
    return others === 0
      ? all
      : {
          unknown: `the kernel counts handshakes for all ${others + 1} listening addresses of this network namespace together`,
        };
  }

  /** Rates begin anew. */
  startInterval(): void {
    const { listening } = this.read();
    this.interval = { start: this.total, places: placesOf(listening), closed: false };
  }

  private read(): NamespaceLook {
    const counts = readCounts();
    return { counts, listening: readListening(this.diagFd) };
  }

  /** Where no handshake ended during the reading, as far as that can be had. */
  private readQuiet(): NamespaceLook {
    for (let tries = 0; ; tries++) {
      const look = this.read();
      if (tries === 10 || readCounts().handshakes === look.counts.handshakes) return look;
    }
  }
}

const waiting = (listening: readonly Listening[]) => listening.reduce((sum, { acceptQueue }) => sum + acceptQueue, 0);
const inodesOf = (listening: readonly Listening[]) => new Set(listening.map(({ inode }) => inode));
const placesOf = (listening: readonly Listening[]) => new Set(listening.map(whereOf));
