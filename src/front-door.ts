/**
 * The Lab as readers meet it: one-line methods over the layers below, which know only the namespace.
 */
import net from "node:net";
import { ArgumentError, LabError, requireInteger, requireKnown } from "./errors";
import { CounterFiles, type Counters } from "./lab/counters";
import { type GuestRights, LabHost } from "./lab/host";
import type { Closable } from "./lab/owned";
import { Program, type SpawnOptions } from "./lab/program";
import { Sysctls, type SysctlValues } from "./lab/sysctls";
import { Clients } from "./listener/clients";
import type { ConnectOptions, Target } from "./listener/client-options";
import type { Connection } from "./listener/connection";
import { dial } from "./listener/dial";
import { Listener } from "./listener/listener";
import type { ListenOptions } from "./listener/listening";
import { overLoopback, requireOnWire } from "./listener/reach";
import { readTable, type SocketRow, type TableOptions } from "./listener/sockets-table";
import { checklist, type ChecklistOptions, type CheckRow } from "./server/checklist";
import { AcceptWorkers } from "./server/accept-workers";
import { InstalledServer, type ServerName } from "./server/installed";
import { live, liveLadder } from "./plot/live";
import { Ladder } from "./ladder/ladder";
import { formatNumber } from "./wording/number";
import { record, type RecordOptions } from "./trace/record";
import type { Recording } from "./trace/recording";
import { Ghosts } from "./wire/ghosts";
import type { GhostOptions } from "./wire/ghost-options";
import { Mirror } from "./wire/mirror";
import type { Peer } from "./wire/peer";
import { Wire } from "./wire/wire";

/** What a Lab is made of. */
export interface LabOptions {
  /** a link to a far end, for mirror clients and the Wire; default true */
  wire?: boolean;
  /** set before anything else happens in the Lab */
  sysctls?: SysctlValues;
  /** buckets of the Lab's own established-hash; default 1024, more for very many connections */
  hashBuckets?: number;
}

/** Which clients connect, and how. */
export interface LabConnectOptions extends ConnectOptions {
  /**
   * "loopback": over lo, where a handshake ends inside connect(). "mirror": over the wire, with a round-trip time.
   * Default "loopback"
   */
  kind?: "loopback" | "mirror";
  /** round-trip time of mirror clients, ms; default 20 */
  rtt?: number;
  /** share of packets lost on the way to the mirror and back, 0 to 1; default 0 */
  loss?: number;
}

/** What is recorded, how often, and where it is shown. */
export interface LabRecordOptions extends RecordOptions {
  /** a live plot under the running cell; default true */
  live?: boolean;
}

/**
 * A private TCP stack: one network namespace with its own interfaces, sysctls, counters and sockets. Made in
 * milliseconds, without root; gone with its owner.
 */
export class Lab implements Closable {
  private theWire?: Promise<Wire>;

  private constructor(
    /** the helper inside the Lab's namespaces */
    readonly host: LabHost,
    /** the Lab's own sysctls; the machine's stay as they are */
    readonly sysctl: Sysctls,
    private readonly files: CounterFiles | undefined,
  ) {}

  /**
   * @throws ForbiddenError if the machine does not allow namespaces: says which rule forbids it and the line that
   * allows it
   * @throws ArgumentError, LabError (a sysctl that does not exist)
   */
  static async open(options: LabOptions = {}): Promise<Lab> {
    requireKnown(options, ["wire", "sysctls", "hashBuckets"], "Lab.open()");
    requireInteger(options.hashBuckets ?? 1024, "hashBuckets", 0, 1 << 24);
    const host = await LabHost.open(options);
    try {
      const lab = new Lab(host, new Sysctls(host), await CounterFiles.open(host));
      if (options.sysctls) await lab.sysctl.set(options.sysctls);
      return lab;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Enters a Lab of another owner, who has let us in with `lab.guest()`. @throws LabError it is closed */
  static async join(link: number): Promise<Lab> {
    const host = await LabHost.join(link);
    return new Lab(host, new Sysctls(host), await CounterFiles.open(host).catch(() => undefined));
  }

  /** the Lab's address on its wire; "" without one */
  get address(): string {
    return this.host.address;
  }

  /** true from the first call of close() on */
  get closed(): boolean {
    return this.host.closed;
  }

  /**
   * A descriptor with which another process, or this one, can join() the Lab as a guest: sockets, but no programs and
   * no sysctls.
   */
  guest(rights?: GuestRights): Promise<number> {
    return this.host.guest(rights);
  }

  /** A listening socket. @throws LabError EADDRINUSE, …; ArgumentError; ClosedError */
  listen(options?: ListenOptions): Promise<Listener> {
    return Listener.open(this.host, options);
  }

  /**
   * Real kernel clients, in a thread of their own. `to` is a Listener, or the port of a program that listens in this
   * Lab. Over loopback they connect to the address that it is bound to, or to 127.0.0.1 if it is bound to all
   * addresses.
   * @throws LimitError before anything starts; ArgumentError; ClosedError
   */
  async connect(to: Listener | number, options: LabConnectOptions = {}): Promise<Clients> {
    this.portOf(to, "connect()");
    const target = await this.target(to, options);
    const { clients = 1, kind = "loopback" } = options;
    return Clients.start(this.host, target, options, (started) => {
      if (to instanceof Listener) to.addBurst(started, `${clients} ${kind} client${clients === 1 ? "" : "s"}`);
    });
  }

  /**
   * The far end of the Lab's link: peers whose every segment is written by hand. One for each Lab; opened when first
   * asked for.
   * @throws LabError ENODEV; ClosedError
   */
  async wire(): Promise<Wire> {
    for (;;) {
      const opening = (this.theWire ??= Wire.open(this.host));
      const wire = await opening.catch((error: unknown) => {
        if (this.theWire === opening) this.theWire = undefined; // the next caller may have more luck
        throw error;
      });
      if (!wire.closed) return wire;
      // of several who find it closed, the first opens another, and the rest wait for that
      if (this.theWire === opening) this.theWire = undefined;
    }
  }

  /**
   * Ghost clients: handshakes without client sockets, from millions of addresses. They run in a thread of their own;
   * see finished(). Their only possible target is a listener of this Lab.
   * @throws ArgumentError; LabError ENODEV; ClosedError
   */
  async ghosts(to: Listener | number, options: GhostOptions): Promise<Ghosts> {
    const port = this.portOf(to, "ghosts()");
    requireOnWire(this.host, to, "Ghosts");
    return Ghosts.start(this.host, port, options, (ghosts) => {
      if (!(to instanceof Listener)) return;
      const many = formatNumber(ghosts.length);
      // who sends a SYN and no more is no client: a picture of clients would show nothing else
      if (ghosts.kind === "handshake") to.addBurst(ghosts, `${many} ghosts`);
      else to.mark("flood", `${many} ${ghosts.kind === "syn" ? "SYNs" : "ACKs"}`);
    });
  }

  /**
   * Ghosts that send a SYN and nothing more. If they fill the SYN queue, the kernel writes a line into the machine's
   * kernel log, which all network namespaces share: "Possible SYN flooding on port 8080. Sending cookies." See
   * Ghosts.kernelLog.
   * @throws as ghosts()
   */
  async flood(to: Listener | number, options: Omit<GhostOptions, "segments">): Promise<Ghosts> {
    // a notebook's cell can pass undefined in spite of the type: ghosts() then names the options that it takes
    if ((options as object | undefined) && "segments" in options)
      throw new ArgumentError("A flood is of SYNs.", "ghosts() sends other segments.");
    return this.ghosts(to, { ...options, segments: "syn" });
  }

  /**
   * Follows one peer of a listener step by step: segments, calls, and where the kernel keeps the connection. In a
   * notebook, a picture that grows.
   */
  async ladder(listener: Listener, peer: Peer, { live: shown = true }: { live?: boolean } = {}): Promise<Ladder> {
    const ladder = new Ladder(this.host, listener, await this.wire(), peer);
    if (shown) liveLadder(ladder);
    return ladder;
  }

  /**
   * One connection to a listener (or a port), for a conversation by hand: over loopback, to the address that connect()
   * takes. @throws LabError ECONNREFUSED, ETIMEDOUT
   */
  async dial(to: Listener | number, { timeout = 10_000 }: { timeout?: number } = {}): Promise<Connection> {
    this.portOf(to, "dial()");
    return dial(this.host, overLoopback(this.host, to), timeout);
  }

  /** A node:net socket connected inside the Lab. */
  async netConnect(to: Listener | number, options?: { timeout?: number }): Promise<net.Socket> {
    return (await this.dial(to, options)).toSocket();
  }

  /**
   * Makes a plain node:net (or http) server listen inside the Lab, and gives a Listener that shows its queues. Closing
   * the server closes both.
   */
  async serve(server: net.Server, options: ListenOptions = {}): Promise<Listener> {
    if (!(server instanceof net.Server)) throw new ArgumentError("serve() takes a server of node:net or node:http.");
    const listener = await Listener.open(this.host, options);
    return listener.handTo(server);
  }

  /**
   * Records the queues of a listener, or of the program that listens on a port, the Lab's counters and clients' states;
   * in a notebook, a live plot appears under the cell.
   */
  async record(listener: Listener | number, options: LabRecordOptions = {}): Promise<Recording> {
    if (!(listener instanceof Listener) && typeof listener !== "number")
      throw new ArgumentError("record() takes a Listener or a port first.", "lab.listen() gives a Listener.");
    const recording = await record(
      { host: this.host, sysctls: this.sysctl, counters: this.counterFiles },
      listener,
      options,
    );
    if (options.live !== false) live(recording);
    return recording;
  }

  /** Every counter of the namespace now; `lab.counters().since(before)` gives what has happened between. */
  counters(): Counters {
    return this.counterFiles.read();
  }

  /** The kernel's table of sockets in this Lab. */
  sockets(options?: TableOptions): SocketRow[] {
    return readTable(this.host, options);
  }

  /**
   * Runs a program inside the Lab, with hard limits of its own.
   * @throws LabError ENOENT: not installed; EPERM: a limit above the hard one
   */
  spawn(command: string, args?: string[], options?: SpawnOptions): Promise<Program> {
    return Program.start(this.host, command, args, options);
  }

  /**
   * Processes that accept from a listener of this Lab and hold what they accept.
   * @throws LimitError before anything starts; ArgumentError
   */
  async hold(listener: Listener, options: { connections: number }): Promise<AcceptWorkers> {
    this.portOf(listener, "hold()");
    if (!(listener instanceof Listener)) throw new ArgumentError("hold() takes a Listener.", "lab.listen() gives one.");
    return AcceptWorkers.start(listener, options);
  }

  /**
   * Checks the server on this port before it goes into production. ChecklistOptions can name its process, and the size
   * of a burst to send.
   * @throws ArgumentError no socket listens on the port; LimitError
   */
  checklist(to: Listener | number, options: ChecklistOptions = {}): Promise<CheckRow[]> {
    this.portOf(to, "checklist()");
    return checklist({ host: this.host, sysctls: this.sysctl, counters: this.counterFiles }, to, options);
  }

  /** A real server, if it is installed, listening in this Lab. @throws LabError ENOENT: not installed; ArgumentError */
  startServer(name: ServerName, { port = 8080 }: { port?: number } = {}): Promise<InstalledServer> {
    return InstalledServer.start(this.host, name, port);
  }

  /** Ends everything in the Lab: sockets, threads, programs, namespaces. Idempotent. */
  close(): Promise<void> {
    return this.host.close();
  }

  /** close(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private get counterFiles(): CounterFiles {
    if (!this.files)
      throw new LabError("Guests of this Lab do not see the counters.", {
        code: "ERR_FORBIDDEN",
        hint: "Solve the exercise without them.",
      });
    return this.files;
  }

  private async target(to: Listener | number, options: LabConnectOptions): Promise<Target> {
    const { kind = "loopback" }: { kind?: string } = options;
    if (kind === "loopback") {
      if (options.rtt !== undefined || options.loss !== undefined)
        throw new ArgumentError("rtt and loss are for mirror clients.", 'Add kind: "mirror".');
      return { ...overLoopback(this.host, to), roundTrip: 0, spreadSources: true };
    }
    if (kind !== "mirror")
      throw new ArgumentError(`There is no kind of client "${kind}".`, 'There are: "loopback", "mirror".');
    requireOnWire(this.host, to, "Mirror clients");
    const mirror = await Mirror.open(this.host, options);
    const { port } = to instanceof Listener ? to : { port: to };
    return { address: mirror.address, port, roundTrip: mirror.rtt, spreadSources: false, carrier: mirror };
  }

  private portOf(to: Listener | number, call: string): number {
    if (to instanceof Listener) {
      if (to.host !== this.host)
        throw new ArgumentError(`${call}: that listener is in another Lab.`, "Labs cannot reach each other.");
      return to.port;
    }
    if (typeof to !== "number")
      throw new ArgumentError(`${call} takes a Listener or a port first.`, "lab.listen() gives a Listener.");
    return requireInteger(to, "port", 1, 65535);
  }
}
