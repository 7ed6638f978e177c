/**
 * The Lab's own sysctls: read, set, set for a while. They are the namespace's, so the machine's stay as they are and everything
 * is gone with the Lab. Source: Documentation/networking/ip-sysctl.rst.
 */
import { ArgumentError, explain, LabError } from "../errors";
import { native } from "../native";
import type { LabHost } from "./host";

/** The sysctls that the workbook works with, and their types. Any other one of the namespace is reached by its name, too. */
export interface KnownSysctls {
  /** upper bound of every backlog in this namespace */
  "net.core.somaxconn": number;
  /** 0 never, 1 when the SYN queue is full, 2 always */
  "net.ipv4.tcp_syncookies": number;
  /** with cookies off, 3/4 of it bounds the SYN queue of every listener */
  "net.ipv4.tcp_max_syn_backlog": number;
  /** 1: a final ACK that meets a full accept queue is answered with RST */
  "net.ipv4.tcp_abort_on_overflow": number;
  /** resends of a SYN before connect() fails with ETIMEDOUT */
  "net.ipv4.tcp_syn_retries": number;
  /** resends of a SYN-ACK before the request is dropped */
  "net.ipv4.tcp_synack_retries": number;
  /** how many of the SYN resends come at a constant interval (Linux 6.5) */
  "net.ipv4.tcp_syn_linear_timeouts": number;
  "net.ipv4.tcp_fastopen": number;
  "net.ipv4.tcp_migrate_req": number;
  "net.ipv4.tcp_timestamps": number;
  "net.ipv4.tcp_sack": number;
  "net.ipv4.tcp_window_scaling": number;
  "net.ipv4.tcp_fin_timeout": number;
  "net.ipv4.tcp_max_tw_buckets": number;
  "net.ipv4.tcp_tw_reuse": number;
  /** "32768\t60999" */
  "net.ipv4.ip_local_port_range": string;
  "net.ipv4.tcp_rmem": string;
  "net.ipv4.tcp_wmem": string;
}

export type SysctlName = keyof KnownSysctls;
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

export class Sysctls {
  private readonly files = new Map<string, Promise<number>>();

  constructor(private readonly host: LabHost) {
    host.keep(this);
  }

  /** A number where the file holds one, else its text. @throws LabError ENOENT: no such sysctl in this namespace */
  get<Name extends SysctlName>(name: Name): Promise<KnownSysctls[Name]>;
  get(name: string): Promise<number | string>;
  async get(name: string): Promise<number | string> {
    const text = native.preadText(await this.file(name)).trim();
    return /^-?\d+$/.test(text) ? Number(text) : text;
  }

  /** Sets them in the order given; if one fails, those before it get their old values back. @throws LabError ENOENT, EINVAL (out of range), EACCES (read-only) */
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
          // a value that is taken in part ("16 and more") is an error, and yet it has changed something
          if (native.preadText(file).trim() !== old) before[name] = old;
        }
      } catch (error) {
        if (Object.keys(before).length > 0) await this.set(before);
        throw explain(error, `${name} = ${value}`, {
          EINVAL: "The kernel does not take this value.",
          EACCES: "A Lab can read this sysctl, not set it.",
          EBADF: "A Lab can read this sysctl, not set it.",
        });
      }
    }
  }

  /** Sets them, runs `experiment`, and sets them back, however it ends. */
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

  /** Closes the open files; the Lab does it. */
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
          `"${name}" is no sysctl of a Lab.`,
          `A Lab has those that begin with "net.", such as ${names[1]}.`,
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

/** codes of a file that can be read and not written: by its mode, by its mount, by the kernel, by a guest */
const readOnly = new Set(["EACCES", "EROFS", "EPERM", "ERR_FORBIDDEN"]);

/** The known sysctl with the most letter pairs in common. */
function nearest(name: string): string {
  const pairs = (text: string) => new Set([...text].map((_, at) => text.slice(at, at + 2)));
  const wanted = pairs(name);
  const score = (candidate: string) =>
    [...pairs(candidate)].filter((pair) => wanted.has(pair)).length / candidate.length;
  return names.reduce((best, candidate) => (score(candidate) > score(best) ? candidate : best));
}
