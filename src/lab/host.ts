/**
 * The lab host, a helper process inside the Lab's namespaces, as the owner of the Lab uses it: it makes sockets, opens
 * files and starts programs inside the Lab, and sends their descriptors back.
 */
import { ClosedError, explain, LabError } from "../errors";
import { hostProgram, native } from "../native";
import { forbidden } from "./forbidden";
import { explainAnswer, explainRefusal, type HostAnswer, HostLink, RefusedError } from "./host-link";
import { type Closable, forget, own, whileClosing } from "./owned";
import { mostSockets, type ReplyValues, type RequestName, type RequestValues } from "./protocol";

/** One step of making the Lab. */
export interface Step {
  /** "user-namespace", "veth", …: the names of native/host/namespaces.cc */
  name: string;
  /** the system call that failed, "" if none did */
  syscall: string;
  /** its errno; 0: the step worked */
  error: number;
}

/** How a Lab's network is made. */
export interface HostOptions {
  /** a link to a far end where the Wire and mirror clients live; default true */
  wire?: boolean;
  /**
   * Buckets of the Lab's own established-hash: a power of two, which the kernel rounds up to. 0: the machine's own
   * table. Default 1024, because reading the SYN queue walks this table. Source: inet_pernet_hashinfo_alloc(), Linux
   * 6.1.
   */
  hashBuckets?: number;
}

/**
 * "tcp": a non-blocking IPv4 socket. "diag": a NETLINK_SOCK_DIAG socket, which reads the kernel's table of sockets.
 * "packet": an AF_PACKET socket, bound to the far end of the link.
 */
export type SocketKind = "tcp" | "diag" | "packet";

/**
 * What a guest may do besides making TCP sockets. A guest is a process that did not open the Lab and uses it by join().
 */
export interface GuestRights {
  /** read the kernel's table of sockets, the counters and the sysctls; default true */
  look?: boolean;
  /** use the far end of the link: the Wire, mirror clients and ghosts; default false */
  wire?: boolean;
}

const socketRequests = { tcp: "tcpSockets", diag: "diagSockets", packet: "packetSockets" } as const;

/** A Lab's helper process and everything that was opened through it. Closing it ends everything in the Lab. */
export class LabHost implements Closable {
  /** the steps of making the Lab, in order */
  readonly steps: readonly Step[];
  /** the Lab's IPv4 address on its link ("" without a wire) */
  readonly address: string;
  /** interface index of the link's far end; 0 without a wire */
  readonly farIndex: number;
  /** hardware addresses of the link's ends; "" without a wire */
  readonly hardware: {
    /** of the Lab's end */
    readonly near: string;
    /** of the far end */
    readonly far: string;
  };
  /** false on kernels without tcp_child_ehash_entries (before 6.1), where reading the SYN queue is slower */
  readonly ownHash: boolean;

  private readonly things = new Set<Closable>();
  private closing?: Promise<void>;
  private diag = -1;
  /** Things that were made while the Lab closed, and are being closed themselves; see keep(). */
  private readonly late: Promise<void>[] = [];
  private readonly failures: unknown[] = [];

  private constructor(
    private readonly link: HostLink,
    /** the helper's pid; 0 for a guest, which did not start it */
    readonly pid: number,
    lab: ReplyValues<"describe">,
  ) {
    this.steps = lab.steps;
    this.address = lab.address;
    this.farIndex = lab.farIndex;
    this.hardware = { near: lab.nearHardware, far: lab.farHardware };
    this.ownHash = lab.ownHash;
  }

  /**
   * Starts a helper, which makes the namespaces.
   * @throws ForbiddenError the machine does not allow it: names the step, the errno and the command that allows it
   * @throws LabError the helper cannot be started, or does not answer
   */
  static async open({ hashBuckets = 1024, wire = true }: HostOptions = {}): Promise<LabHost> {
    let started: { fd: number; pid: number };
    try {
      started = native.startHost(hostProgram);
    } catch (error) {
      throw explain(error, "The lab host could not be started", {
        ENOENT: "It is built with the addon: run `npm run build`.",
      });
    }
    const link = new HostLink(started.fd);
    try {
      const { reply } = await link.exchange("open", { hashBuckets, wire });
      const host = new LabHost(link, started.pid, reply);
      host.diag = await host.socket("diag");
      return own(host);
    } catch (error) {
      link.close();
      await native.reap(started.pid, 1000);
      if (error instanceof RefusedError) {
        const { steps, step, syscall, error: errno } = error.refusal;
        throw forbidden(steps, step, syscall, errno);
      }
      throw explain(error, "The lab host did not come up");
    }
  }

  /**
   * Enters a Lab of another owner, by a descriptor of guest().
   * @param fd the descriptor; closed with the guest's LabHost, or here if entering fails
   * @throws LabError ECONNRESET: that Lab is closed
   */
  static async join(fd: number): Promise<LabHost> {
    const link = new HostLink(fd);
    try {
      const { reply } = await link.exchange("describe", {});
      const host = new LabHost(link, 0, reply);
      host.diag = await host.socket("diag").catch(() => -1);
      return own(host);
    } catch (error) {
      link.close();
      if (error instanceof RefusedError) throw explainRefusal(error.refusal, "Entering the Lab");
      throw explain(error, "The Lab could not be entered", { ECONNRESET: "It is closed." });
    }
  }

  /**
   * A descriptor for join(), in this process or another. The guest gets sockets of this Lab, but starts no programs and
   * sets no sysctls. The caller owns the descriptor.
   * @throws LabError ERR_FORBIDDEN: this is a guest itself; ClosedError
   */
  async guest({ look = true, wire = false }: GuestRights = {}): Promise<number> {
    return only(await this.request("guest", { look, wire }, "a guest"));
  }

  /** true from the first call of close() on */
  get closed(): boolean {
    return this.closing !== undefined;
  }

  /**
   * Does nothing while the Lab is open.
   * @throws ClosedError
   */
  requireOpen(): void {
    if (this.closing) throw new ClosedError("Lab");
  }

  /**
   * A netlink socket of the Lab for synchronous reading; recordings have one of their own. The Lab owns it.
   * @throws ClosedError; LabError ERR_FORBIDDEN: a guest without the right to look
   */
  get diagFd(): number {
    this.requireOpen();
    if (this.diag < 0)
      throw new LabError("Guests of this Lab do not see the kernel's table of sockets.", {
        code: "ERR_FORBIDDEN",
        hint: "Solve the exercise without it.",
      });
    return this.diag;
  }

  /** false: diagFd would throw, because this is a guest without the right to look */
  get looks(): boolean {
    return this.diag >= 0;
  }

  /**
   * Closes `thing` together with the Lab, before its helper. If the Lab has begun to close, `thing` is closed at once:
   * the caller must not close it, too.
   * @throws ClosedError
   */
  keep<T extends Closable>(thing: T): T {
    if (this.closing) this.late.push(this.closeOne(thing));
    this.requireOpen();
    this.things.add(thing);
    return own(thing);
  }

  /** Undoes keep(): `thing` is closed already, or its owner closes it. */
  drop(thing: Closable): void {
    this.things.delete(thing);
    forget(thing);
  }

  /**
   * Makes `count` sockets of the Lab, all or none. The caller owns the descriptors.
   * @returns descriptors; length: `count`
   * @throws LabError EMFILE, ENODEV ("packet" without a wire), ERR_FORBIDDEN (a guest without the right); ClosedError
   */
  async sockets(kind: SocketKind, count: number): Promise<Int32Array> {
    const all = new Int32Array(count);
    let filled = 0;
    try {
      while (filled < count) {
        const batch = { count: Math.min(mostSockets, count - filled) };
        const what = `${count} ${kind} socket${count === 1 ? "" : "s"}`;
        const { fds } = await this.request(socketRequests[kind], batch, what);
        all.set(fds, filled);
        filled += fds.length;
      }
      return all;
    } catch (error) {
      await native.closeLater(all.slice(0, filled));
      throw error;
    }
  }

  /**
   * Makes one socket of the Lab. The caller owns the descriptor.
   * @throws as sockets()
   */
  async socket(kind: SocketKind): Promise<number> {
    return only({ fds: await this.sockets(kind, 1) });
  }

  /**
   * Opens one of the Lab's files under /proc/net or /proc/sys/net; read and write it with native.preadText and
   * pwriteText. The caller owns the descriptor.
   * @throws LabError ENOENT, EACCES, EROFS, ERR_FORBIDDEN (a guest without the right); ClosedError
   */
  async file(path: string, mode: "r" | "rw"): Promise<number> {
    return only(await this.request(mode === "r" ? "readFile" : "editFile", { path }, path));
  }

  /**
   * One request of the helper's protocol.
   * @param what the thing that is requested, as the subject of an error's message
   * @throws LabError with the errno of the helper's system call, ERR_FORBIDDEN, ETIMEDOUT, ECONNRESET; ClosedError
   */
  async request<Name extends RequestName>(
    name: Name,
    values: RequestValues<Name>,
    what: string,
  ): Promise<HostAnswer<Name>> {
    this.requireOpen();
    try {
      return await this.link.exchange(name, values, () => this.requireOpen());
    } catch (error) {
      throw explainAnswer(error, what);
    }
  }

  /** Ends everything in the Lab. Idempotent; resolves when the helper is gone. */
  close(): Promise<void> {
    this.closing ??= whileClosing(this.end());
    return this.closing;
  }

  private async end(): Promise<void> {
    for (const thing of [...this.things].reverse()) {
      forget(thing);
      await this.closeOne(thing);
    }
    forget(this);
    await this.link.settled();
    await Promise.all(this.late);
    if (this.diag >= 0) native.close(this.diag);
    this.link.close();
    if (this.pid > 0) await native.reap(this.pid, 2000);
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Never rejects, so that the others are closed, too. */
  private async closeOne(thing: Closable): Promise<void> {
    try {
      await thing.close();
    } catch (error) {
      this.failures.push(error);
    }
  }
}

/** The only descriptor of an answer: the link has checked that there is one. */
function only({ fds }: { readonly fds: Int32Array }): number {
  const [fd] = fds;
  if (fd === undefined) throw new LabError("The lab host's reply has no descriptor.", { code: "ERR_PROTOCOL" });
  return fd;
}
