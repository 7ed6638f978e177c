/**
 * A ladder: the segments and the calls between a client on the wire, the kernel and the application, step by step, and
 * where the kernel keeps the connection after each step.
 */
import { inspect } from "node:util";
import { ArgumentError } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import type { Connection } from "../listener/connection";
import type { Listener } from "../listener/listener";
import { readTable, type TcpState } from "../listener/sockets-table";
import { native } from "../native";
import { connectionKey, connectionOf, type WireEntry } from "../wire/log";
import { flagWords, notation } from "../wire/notation";
import type { Peer } from "../wire/peer";
import type { Wire } from "../wire/wire";

/**
 * Where the kernel keeps a connection. "nowhere": it has no entry; "SYN queue": a half-open request; "accept queue": a
 * complete connection that waits for accept(); "descriptor": accept() has returned it; "orphan": its descriptor is
 * closed, and TCP still ends the connection.
 */
export type Place = "nowhere" | "SYN queue" | "accept queue" | "descriptor" | "orphan";

/** What the kernel has right after a step. */
export interface KernelView {
  /** of this connection; undefined: the kernel has no entry */
  state?: TcpState;
  /** where the kernel keeps the connection */
  place: Place;
  /** the descriptor that accept() has returned */
  fd?: number;
  /** length of the listener's SYN queue */
  synQueue: number;
  /** length of the listener's accept queue */
  acceptQueue: number;
}

/** One arrow of a ladder. */
export interface LadderStep {
  /** ms since the ladder's first step */
  time: number;
  /** client and kernel: a segment; application and kernel: a call; twice the kernel: an action of the kernel alone */
  from: "client" | "kernel" | "application";
  /** where the arrow ends; the same words as `from` */
  to: "client" | "kernel" | "application";
  /** the text at the arrow: "SYN", "accept() returns fd 23" */
  label: string;
  /** the numbers of a segment: "seq 0, ack 1"; "" for calls */
  detail: string;
  /** the segment in packetdrill's notation; undefined for calls */
  notation?: string;
  /** what the kernel has after this step */
  after: KernelView;
}

/** steps; a ladder ignores what comes after them */
const most = 200;

/** A ladder of one connection; see Lab.ladder(). */
export class Ladder implements Closable {
  private readonly list: LadderStep[] = [];
  private readonly watchers = new Set<() => void>();
  private origin?: number;
  private fd?: number;
  private open = true;

  /**
   * Follows one peer of one listener until one of the two, or this ladder, is closed.
   * @throws ArgumentError the peer sends to another port; ClosedError
   */
  constructor(
    private readonly host: LabHost,
    readonly listener: Listener,
    private readonly wire: Wire,
    readonly peer: Peer,
  ) {
    if (peer.remote.port !== listener.port)
      throw new ArgumentError(
        `The peer sends to port ${peer.remote.port}, and the listener has port ${listener.port}.`,
        "Make the peer with wire.peer(listener).",
      );
    // a ladder may begin in the middle of a connection
    if (this.look().place === "nowhere")
      this.call("application", "kernel", `listen(fd ${listener.fd}, ${listener.backlog})`);
    wire.on("segment", this.onSegment);
    listener.on("accept", this.onAccept).on("close", this.onEnd);
    host.keep(this);
  }

  /** the steps so far, oldest first, 200 at most */
  get steps(): readonly LadderStep[] {
    return this.list;
  }

  /** false when it is closed */
  get running(): boolean {
    return this.open;
  }

  /**
   * Adds a step that the ladder cannot see by itself: a call (`read() returns "hello"`), or what the kernel does
   * without a segment ("deletes the request").
   */
  note(label: string, direction: "to kernel" | "to application" | "in the kernel" = "to application"): void {
    if (direction === "in the kernel") this.call("kernel", "kernel", label);
    else if (direction === "to kernel") this.call("application", "kernel", label);
    else this.call("kernel", "application", label);
  }

  /** Calls `watcher` after each step, and once more at the end. @returns ends these calls */
  onChange(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  /** Adds no more steps; those there are stay. Idempotent. */
  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    this.wire.off("segment", this.onSegment);
    this.listener.off("accept", this.onAccept).off("close", this.onEnd);
    this.host.drop(this);
    this.changed();
    this.watchers.clear();
  }

  /** One line for each step: time in s, segment or call, and where the kernel keeps the connection. */
  toString(): string {
    return this.list
      .map(({ time, label, notation: line, after }) => {
        const where =
          after.place === "nowhere"
            ? "no entry"
            : `${after.state ?? ""}, ${after.place}${after.fd === undefined ? "" : ` ${after.fd}`}`;
        return `${(time / 1000).toFixed(6)} ${(line ?? label).padEnd(58)} | ${where}`;
      })
      .join("\n");
  }

  /** What console.log() and the notebook print. */
  [inspect.custom](): string {
    return this.toString();
  }

  private readonly onSegment = (entry: WireEntry): void => {
    const { segment, direction } = entry;
    if (!segment) return;
    if (connectionOf(entry) !== connectionKey(this.peer.local, this.peer.remote.port)) return;
    const [own, other] = [this.peer.initialSequence, this.peer.initialOfKernel ?? 0];
    const base =
      direction === "in"
        ? { sequence: own, acknowledgment: other }
        : { sequence: segment.flags.syn ? segment.sequence : other, acknowledgment: own };
    const bytes = segment.payload.length;
    const numbers = [`seq ${(segment.sequence - base.sequence) >>> 0}`];
    if (segment.flags.ack) numbers.push(`ack ${(segment.acknowledgment - base.acknowledgment) >>> 0}`);
    if (bytes > 0) numbers.push(`${bytes} byte${bytes === 1 ? "" : "s"}`);
    this.add(entry.time, {
      from: direction === "in" ? "client" : "kernel",
      to: direction === "in" ? "kernel" : "client",
      label: flagWords(segment),
      detail: numbers.join(", "),
      notation: notation(segment, direction, { base }),
    });
  };

  private readonly onAccept = (connection: Connection): void => {
    if (!this.isOurs(connection)) return;
    this.fd = connection.fd;
    this.call("kernel", "application", `accept() returns fd ${connection.fd}`);
  };

  private readonly onEnd = (): void => void this.close();

  private isOurs(connection: Connection): boolean {
    try {
      return connection.remote.port === this.peer.port && connection.remote.address === this.peer.address;
    } catch {
      return false; // reset before getpeername() was called
    }
  }

  private call(from: LadderStep["from"], to: LadderStep["to"], label: string): void {
    this.add(native.now(), { from, to, label, detail: "" });
  }

  private add(at: number, step: Omit<LadderStep, "time" | "after">): void {
    if (!this.open || this.list.length >= most) return;
    this.origin ??= at;
    this.list.push({ time: at - this.origin, ...step, after: this.look() });
    this.changed();
  }

  private look(): KernelView {
    const { listener, peer } = this;
    const rows = readTable(this.host, { port: listener.port });
    const ours = rows.find(({ remote }) => remote.port === peer.port && remote.address === peer.address);
    const queues = {
      synQueue: listener.synQueue,
      acceptQueue: listener.acceptQueue,
    };
    if (!ours) return { place: "nowhere", ...queues };
    if (ours.request) return { state: "SYN_RECV", place: "SYN queue", ...queues };
    if (ours.inode !== 0) return { state: ours.state, place: "descriptor", fd: this.fd, ...queues };
    return { state: ours.state, place: this.fd === undefined ? "accept queue" : "orphan", ...queues };
  }

  private changed(): void {
    for (const watcher of this.watchers) {
      try {
        watcher();
      } catch (error) {
        this.watchers.delete(watcher); // an error of a picture must not end the experiment
        process.emitWarning(error as Error);
      }
    }
  }
}
