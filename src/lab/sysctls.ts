/**
 * The Lab's own sysctls: read them, set them, or set them while an experiment runs. They belong to the Lab's network
 * namespace. The machine's sysctls do not change, and the Lab's values are gone when the Lab closes. Source:
 * Documentation/networking/ip-sysctl.rst.
 */
import { ArgumentError, explain, LabError } from "../errors";
import { native } from "../native";
import type { LabHost } from "./host";

/**
 * The sysctls that the workbook uses, with their types. Every other sysctl of the namespace can be read and set by its
 * name, too.
 */
export interface KnownSysctls {
  /** the largest backlog of a listener in this namespace: the queue limit is min(backlog, somaxconn) */
  "net.core.somaxconn": number;
  /** SYN cookies: 0 off, 1 when the SYN queue is full, 2 always */
  "net.ipv4.tcp_syncookies": number;
  /** with SYN cookies off, 3/4 of it limits the SYN queue of every listener, in requests (tcp_conn_request()) */
  "net.ipv4.tcp_max_syn_backlog": number;
  /** 1: the kernel answers a final ACK with RST if the accept queue is full; 0: it drops the ACK */
  "net.ipv4.tcp_abort_on_overflow": number;
  /** retransmissions of a SYN before connect() fails with ETIMEDOUT */
  "net.ipv4.tcp_syn_retries": number;
  /** retransmissions of a SYN-ACK before the kernel deletes the request */
  "net.ipv4.tcp_synack_retries": number;
  /**
   * the first retransmissions of a SYN, which have a constant interval of 1 s (Linux 6.5); after them each interval is
   * twice the one before
   */
  "net.ipv4.tcp_syn_linear_timeouts": number;
  /** bits of TCP Fast Open (RFC 7413): 1 clients, 2 servers, 0x400 every listener without setsockopt() */
  "net.ipv4.tcp_fastopen": number;
  /** 1: connections of a closed listener move to another listener of its SO_REUSEPORT group (Linux 5.14) */
  "net.ipv4.tcp_migrate_req": number;
  /** timestamps option (RFC 7323): 0 off, 1 with a random offset, 2 without */
  "net.ipv4.tcp_timestamps": number;
  /** selective acknowledgments (RFC 2018): 0 off, 1 on */
  "net.ipv4.tcp_sack": number;
  /** window scale option (RFC 7323): 0 off, 1 on */
  "net.ipv4.tcp_window_scaling": number;
  /** seconds that a connection without a descriptor may stay in FIN_WAIT_2 */
  "net.ipv4.tcp_fin_timeout": number;
  /** the most TIME_WAIT connections of the namespace; the kernel deletes further ones at once */
  "net.ipv4.tcp_max_tw_buckets": number;
  /** whether connect() may reuse a TIME_WAIT connection: 0 never, 1 always, 2 on loopback only */
  "net.ipv4.tcp_tw_reuse": number;
  /** the first and the last local port that the kernel chooses for connect(): "32768\t60999" */
  "net.ipv4.ip_local_port_range": string;
  /** bytes of a socket's receive buffer: least, default, most: "4096\t131072\t6291456" */
  "net.ipv4.tcp_rmem": string;
  /** bytes of a socket's send buffer: least, default, most: "4096\t16384\t4194304" */
  "net.ipv4.tcp_wmem": string;
}

/** The name of a sysctl that the workbook uses: "net.core.somaxconn", … */
export type SysctlName = keyof KnownSysctls;
/**
 * Values of sysctls by name: { "net.ipv4.tcp_syncookies": 0 }. A number or, where the file holds more than one, a
 * string.
 */
export type SysctlValues = { [Name in SysctlName]?: KnownSysctls[Name] } & {
  [name: string]: number | string | undefined;
};

const names: SysctlName[] = [
  "net.core.somaxconn",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_abort_on_overflow",
  "net.ipv4.tcp_syn_retries",
  "net.ipv4.tcp_synack_retries",
  "net.ipv4.tcp_syn_linear_timeouts",
  "net.ipv4.tcp_fastopen",
  "net.ipv4.tcp_migrate_req",
  "net.ipv4.tcp_timestamps",
  "net.ipv4.tcp_sack",
  "net.ipv4.tcp_window_scaling",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_max_tw_buckets",
  "net.ipv4.tcp_tw_reuse",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

/** The sysctls of one Lab. A Lab makes it: see lab.sysctl. */
export class Sysctls {
  private readonly files = new Map<string, Promise<number>>();

  /** @param host the Lab whose sysctls these are; it closes them */
  constructor(private readonly host: LabHost) {
    host.keep(this);
  }

  /**
   * The value of a sysctl now: a number if the file holds a single one, otherwise its text.
   * @throws LabError ENOENT: the Lab has no such sysctl; ERR_FORBIDDEN: a guest without the right to look
   * @throws ArgumentError the name does not begin with "net."; ClosedError
   */
  get<Name extends SysctlName>(name: Name): Promise<KnownSysctls[Name]>;
  get(name: string): Promise<number | string>;
  async get(name: string): Promise<number | string> {
    const text = native.preadText(await this.file(name)).trim();
    return /^-?\d+$/.test(text) ? Number(text) : text;
  }

  /**
   * Sets sysctls in the order given. If one fails, those set before it get their old values back.
   * @throws LabError ENOENT: the Lab has no such sysctl; EINVAL: the kernel does not take the value; EACCES: it can
   * only be read
   * @throws ArgumentError a name that does not begin with "net.", or a value that is no number and no string;
   * ClosedError
   */
  async set(values: SysctlValues): Promise<void> {
    const before: SysctlValues = {};
    for (const [name, value] of Object.entries(values)) {
      if (typeof value !== "number" && typeof value !== "string")
        throw new ArgumentError(`The value of ${name} must be a number or a string, not ${String(value)}.`);
    }
    for (const [name, value] of Object.entries(values)) {
      try {
        const file = await this.file(name);
        const old = native.preadText(file).trim();
        try {
          native.pwriteText(file, String(value));
        } finally {
          // if the kernel takes only a part of the text (the 16 of "16 and more"), that is an error, and yet the value
          // has changed
          if (native.preadText(file).trim() !== old) before[name] = old;
        }
      } catch (error) {
        if (Object.keys(before).length > 0) await this.set(before);
        throw explain(error, `${name} = ${value}`, {
          EINVAL: "The kernel does not take this value.",
          EACCES: "A Lab can read this sysctl, but not set it.",
          EBADF: "A Lab can read this sysctl, but not set it.",
        });
      }
    }
  }

  /**
   * Sets sysctls, runs `experiment`, and restores the old values, even if `experiment` fails.
   * @param values as set() takes them
   * @returns what `experiment` returns
   * @throws what set() and `experiment` throw
   */
  async with<T>(values: SysctlValues, experiment: () => Promise<T> | T): Promise<T> {
    const before: SysctlValues = {};
    for (const name of Object.keys(values)) before[name] = await this.get(name);
    await this.set(values);
    try {
      return await experiment();
    } finally {
      if (!this.host.closed) await this.set(before);
    }
  }

  /** Closes the open files. The Lab calls it when it closes. Idempotent. */
  async close(): Promise<void> {
    for (const file of this.files.values()) {
      const fd = await file.catch(() => -1);
      if (fd >= 0) native.close(fd);
    }
    this.files.clear();
  }

  private file(name: string): Promise<number> {
    this.host.requireOpen();
    if (!/^net(\.[\w-]+)+$/.test(name)) {
      return Promise.reject(
        new ArgumentError(
          `A Lab has no sysctl "${name}".`,
          `It has only those whose name begins with "net.", such as ${names[1]}.`,
        ),
      );
    }
    let file = this.files.get(name);
    if (!file) {
      file = this.open(name);
      this.files.set(name, file);
      file.catch(() => this.files.delete(name));
    }
    return file;
  }

  private async open(name: string): Promise<number> {
    const path = `/proc/sys/${name.replaceAll(".", "/")}`;
    try {
      return await this.host.file(path, "rw");
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      if (readOnly.has(error.code)) return this.host.file(path, "r");
      if (error.code !== "ENOENT") throw error;
      throw new LabError(`There is no sysctl ${name} in this Lab.`, {
        code: "ENOENT",
        syscall: "open",
        errno: error.errno,
        hint: `Did you mean ${nearest(name)}? Some sysctls exist only on newer kernels, or only for the whole machine.`,
      });
    }
  }
}

/**
 * error codes of a file that can be read but not written, because of its mode, its mount, the kernel's check, or a
 * guest's rights
 */
const readOnly = new Set(["EACCES", "EROFS", "EPERM", "ERR_FORBIDDEN"]);

/** The sysctl of KnownSysctls that has the largest share of its letter pairs in common with `name`. */
function nearest(name: string): string {
  const pairs = (text: string) => new Set([...text].map((_, at) => text.slice(at, at + 2)));
  const wanted = pairs(name);
  const score = (candidate: string) =>
    [...pairs(candidate)].filter((pair) => wanted.has(pair)).length / candidate.length;
  return names.reduce((best, candidate) => (score(candidate) > score(best) ? candidate : best));
}
