/**
 * The lab host: the helper process inside the Lab's namespaces, seen from outside. It hands out sockets, open files and programs.
 */
import { ClosedError, errnoName, explain, ForbiddenError, LabError } from "../errors";
import { hostProgram, native } from "../native";
import { valueAt } from "../native/column";
import { forbidden } from "./forbidden";
import { Closable, forget, own, whileClosing } from "./owned";

/** One thing the helper did to make the Lab; `error` is an errno, 0 if it worked. */
export interface Step {
  name: string;
  syscall: string;
  error: number;
}

export interface HostOptions {
  /** a link to a far end where the Wire and mirror clients live; default true */
  wire?: boolean;
  /** buckets of the Lab's own established-hash (a power of two; the kernel rounds up); 0: the machine's own. Default 1024: reading the SYN queue walks this table. */
  hashBuckets?: number;
}

export type SocketKind = "tcp" | "diag" | "packet";

export interface GuestRights {
  look?: boolean;
  wire?: boolean;
}

const batch = 250;
const answerTimeout = 10_000;

export class LabHost implements Closable {
  private queue: Promise<unknown> = Promise.resolve();
  private readonly things = new Set<Closable>();
  private closing?: Promise<void>;
  private diag = -1;
  /** What was made while the Lab closed, and is being closed; see keep(). */
  private readonly late: Promise<void>[] = [];
  private readonly failures: unknown[] = [];
  /** The helper has left a request unanswered: what it says next would be taken for the answer to another one. */
  private silent = false;

  private constructor(
    private readonly link: number,
    /** the helper's pid; 0 for a guest, who did not start it */
    readonly pid: number,
    /** how the Lab was made, step by step */
    readonly steps: Step[],
    /** the Lab's address on its link ("" without wire) */
    readonly address: string,
    /** interface index of the link's far end, 0 without wire */
    readonly farIndex: number,
    /** hardware addresses of the link's ends, "" without wire */
    readonly hardware: { readonly near: string; readonly far: string },
    /** false on kernels without tcp_child_ehash_entries (before 6.1): reading the SYN queue is slower there */
    readonly ownHash: boolean,
  ) {}

  /**
   * Starts a helper and lets it make the namespaces.
   * @throws ForbiddenError if the machine does not allow it: names the step, the errno and what to do
   */
  static async open(options: HostOptions = {}): Promise<LabHost> {
    let started: { fd: number; pid: number };
    try {
      started = native.startHost(hostProgram, []);
    } catch (error) {
      throw explain(error, "The lab host could not be started", {
        ENOENT: "It is built with the addon: run `npm run build`.",
      });
    }
    try {
      const { fields } = await native.hostRequest(
        started.fd,
        ["open", String(options.hashBuckets ?? 1024), options.wire === false ? "0" : "1"],
        answerTimeout,
      );
      const ok = fields[0] === "OK";
      const steps = readSteps(fields.slice(ok ? 6 : 4));
      if (!ok) throw forbidden(steps, fields[1], fields[2], Number(fields[3]));
      const host = new LabHost(
        started.fd,
        started.pid,
        steps,
        fields[1],
        Number(fields[4]),
        { near: fields[2], far: fields[3] },
        fields[5] === "1",
      );
      host.diag = (await host.sockets("diag", 1))[0];
      return own(host);
    } catch (error) {
      native.close(started.fd);
      await native.reap(started.pid, 1000);
      throw error instanceof ForbiddenError ? error : explain(error, "The lab host did not come up");
    }
  }

  /**
   * Enters a Lab that somebody else owns, by a descriptor of guest().
   * @throws LabError ECONNRESET: that Lab is closed
   */
  static async join(link: number): Promise<LabHost> {
    try {
      const { fields } = await native.hostRequest(link, ["open"], answerTimeout);
      if (fields[0] !== "OK") throw hostError("Entering the Lab", fields[2], Number(fields[3]));
      const host = new LabHost(
        link,
        0,
        readSteps(fields.slice(6)),
        fields[1],
        Number(fields[4]),
        { near: fields[2], far: fields[3] },
        fields[5] === "1",
      );
      host.diag = await host.sockets("diag", 1).then(
        ([fd]) => fd,
        () => -1,
      );
      return own(host);
    } catch (error) {
      native.close(link);
      throw explain(error, "The Lab could not be entered", { ECONNRESET: "It is closed." });
    }
  }

  /**
   * Lets somebody in: a descriptor for join(), here or in another process, of one who gets sockets of this Lab but cannot start programs
   * or set sysctls.
   * @param rights look: the kernel's table of sockets, and files to read; wire: the far end of the link
   */
  async guest({ look = true, wire = false }: GuestRights = {}): Promise<number> {
    return (await this.request(["guest", look ? "1" : "0", wire ? "1" : "0"], "a guest")).fds[0];
  }

  get closed(): boolean {
    return this.closing !== undefined;
  }

  /** @throws ClosedError */
  requireOpen(): void {
    if (this.closing) throw new ClosedError("Lab");
  }

  /** A netlink socket of the Lab for synchronous reading; recordings have one of their own. */
  get diagFd(): number {
    this.requireOpen();
    if (this.diag < 0)
      throw new LabError("The kernel's table of sockets is not shown to guests of this Lab.", {
        code: "ERR_FORBIDDEN",
        hint: "Find it out without.",
      });
    return this.diag;
  }

  /**
   * Closed together with the Lab, before its helper. What comes when the Lab has begun to close is closed at once: the caller must not do so, too.
   * @throws ClosedError
   */
  keep<T extends Closable>(thing: T): T {
    if (this.closing) this.late.push(this.closeOne(thing));
    this.requireOpen();
    this.things.add(thing);
    return own(thing);
  }

  drop(thing: Closable): void {
    this.things.delete(thing);
    forget(thing);
  }

  /** `count` sockets of the Lab; the caller owns the descriptors. "tcp": non-blocking IPv4; "diag": NETLINK_SOCK_DIAG; "packet": AF_PACKET on the far end. */
  async sockets(kind: SocketKind, count: number): Promise<Int32Array> {
    const all = new Int32Array(count);
    let filled = 0;
    try {
      while (filled < count) {
        const { fds } = await this.request(
          ["socket", kind, String(Math.min(batch, count - filled))],
          `${count} ${kind} socket${count === 1 ? "" : "s"}`,
        );
        all.set(fds, filled);
        filled += fds.length;
      }
      return all;
    } catch (error) {
      await native.closeLater(all.slice(0, filled));
      throw error;
    }
  }

  /** One socket of the Lab; see sockets(). */
  async socket(kind: SocketKind): Promise<number> {
    return valueAt(await this.sockets(kind, 1), 0);
  }

  /** Opens one of the Lab's files under /proc/net or /proc/sys/net; read and write it with native.preadText and pwriteText. */
  async file(path: string, mode: "r" | "rw"): Promise<number> {
    return (await this.request(["file", path, mode], path)).fds[0];
  }

  /** One request of the helper's protocol. @throws LabError with the errno of the helper's system call; ClosedError */
  async request(fields: string[], what: string): Promise<{ fields: string[]; fds: Int32Array }> {
    this.requireOpen();
    const turn = this.queue.then(() => {
      this.requireOpen();
      if (this.silent) throw new LabError("It has not answered an earlier request.", { code: "ETIMEDOUT" });
      return native.hostRequest(this.link, fields, answerTimeout);
    });
    this.queue = turn.catch(() => undefined);
    let reply;
    try {
      reply = await turn;
    } catch (error) {
      if ((error as LabError).code === "ETIMEDOUT") this.silent = true;
      throw explain(error, `The lab host gave no answer (${what})`, {
        ECONNRESET: "It has died: close this Lab and open another one.",
        ETIMEDOUT: "Close this Lab and open another one.",
        EMSGSIZE: "The request is too large: shorten the arguments or the environment.",
      });
    }
    if (reply.fields[0] === "OK") return { fields: reply.fields.slice(1), fds: reply.fds };
    const [, , syscall, errno] = reply.fields;
    throw hostError(what, syscall, Number(errno));
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
    await this.queue;
    await Promise.all(this.late);
    if (this.diag >= 0) native.close(this.diag);
    native.close(this.link);
    if (this.pid > 0) await native.reap(this.pid, 2000);
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Never rejects: the others must be closed, too. */
  private async closeOne(thing: Closable): Promise<void> {
    try {
      await thing.close();
    } catch (error) {
      this.failures.push(error);
    }
  }
}

function readSteps(fields: string[]): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3)
    steps.push({ name: fields[at], syscall: fields[at + 1], error: Number(fields[at + 2]) });
  return steps;
}

function hostError(what: string, syscall: string, errno: number): LabError {
  const code = errnoName(errno);
  if (code === "EPERM" && syscall === "request")
    return new LabError(`${what}: not for guests of this Lab.`, {
      code: "ERR_FORBIDDEN",
      hint: "The exercise is to be solved without.",
    });
  return new LabError(`${what}: ${code} (${syscall}).`, { code, errno: -errno, syscall });
}
