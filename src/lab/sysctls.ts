/**
 * The Lab's own sysctls: read them, set them, or set them while an experiment runs. They belong to the Lab's network
 * namespace. The machine's sysctls do not change, and the Lab's values are gone when the Lab closes. Source:
 * Documentation/networking/ip-sysctl.rst.
 */
import os from "node:os";
import { ArgumentError, explain, KernelError, LabError } from "../errors";
import { native } from "../native";
import type { LabHost } from "./host";
import { type Absence, absences, type KnownSysctls, nearestSysctl, type SysctlName, sysctlNames } from "./sysctl-names";

export type { KnownSysctls, SysctlName } from "./sysctl-names";

/**
 * Values of sysctls by name: { "net.ipv4.tcp_syncookies": 0 }. A number or, where the file holds more than one, a
 * string. undefined leaves a sysctl as it is.
 */
export type SysctlValues = { [Name in SysctlName]?: KnownSysctls[Name] } & {
  [name: string]: number | string | undefined;
};

/** What a Lab can do with a sysctl: "absent" means that this kernel has no file for it here. */
export type SysctlAccess = "set" | "read" | "absent";

/** A sysctl that could not be set here. */
export interface SysctlRefusal {
  /** its name: "net.ipv4.tcp_migrate_req" */
  name: string;
  /** the value that was to be set */
  wanted: number | string;
  /** its value here, or the value that the kernel without it behaves by */
  is: number | string;
  /** one sentence: what this Lab cannot set, and what it is */
  why: string;
}

/** The largest backlog that listen(2) can be asked for: the kernel cuts it down to somaxconn. */
const largestBacklog = 0x7f_ff_ff_ff;

/** The sysctls of one Lab. A Lab makes it: see lab.sysctl. */
export class Sysctls {
  private readonly files = new Map<string, Promise<number>>();

  /** @param host the Lab whose sysctls these are; it closes them */
  constructor(private readonly host: LabHost) {
    host.keep(this);
  }

  /**
   * The value of a sysctl now: a number if the file holds a single one, otherwise its text. Where this kernel has no
   * file for it, the value that the kernel behaves by: somaxconn is measured (a listener asks for the largest backlog,
   * and the kernel tells what it gave), tcp_syn_linear_timeouts is 0 before Linux 6.5, tcp_migrate_req 0 before 5.14,
   * tcp_rto_max_ms 120,000 before 6.15. access() tells which case it is.
   * @throws LabError ENOENT: no such sysctl in this namespace; ClosedError
   */
  get<Name extends SysctlName>(name: Name): Promise<KnownSysctls[Name]>;
  get(name: string): Promise<number | string>;
  async get(name: string): Promise<number | string> {
    try {
      return valueOf(native.preadText(await this.file(name)));
    } catch (error) {
      return (await this.withoutFile(name, error)).is;
    }
  }

  /**
   * Whether a Lab of this process can set the sysctl, can read it, or has no file for it.
   * @throws ArgumentError: no sysctl of a namespace; ClosedError
   */
  async access(name: string): Promise<SysctlAccess> {
    try {
      const file = await this.file(name);
      native.pwriteText(file, native.preadText(file).trim());
      return "set";
    } catch (error) {
      if (isAbsent(error)) return "absent";
      if (error instanceof LabError && error.code !== "EACCES" && error.code !== "EBADF") throw error;
      return "read";
    }
  }

  /**
   * Sets sysctls in the order given. If one fails, those set before it get their old values back. A sysctl that this
   * kernel does not have can be "set" to the value that the kernel behaves by.
   * @throws KernelError: this kernel has no such sysctl, and behaves otherwise; LabError ENOENT, EINVAL (out of range),
   * EACCES (read-only); ArgumentError; ClosedError
   */
  async set(values: SysctlValues): Promise<void> {
    const before: SysctlValues = {};
    const wanted = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
    for (const { name, value } of wanted) requireValue(name, value);
    for (const { name, value } of wanted) {
      try {
        await this.setOne(name, value, before);
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
   * Sets those that this kernel lets a Lab set, and tells the others: for experiments that do what is left of them. An
   * experiment says the refusals, with refusalLine(), before it starts.
   * @throws LabError EINVAL (out of range), EACCES; ArgumentError; ClosedError
   */
  async trySet(values: SysctlValues): Promise<SysctlRefusal[]> {
    const refusals: SysctlRefusal[] = [];
    for (const [name, wanted] of Object.entries(values)) {
      if (wanted === undefined) continue;
      try {
        await this.set({ [name]: wanted });
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        refusals.push({ name, wanted, is: await this.get(name), why: error.message });
      }
    }
    return refusals;
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

  /** Closes the open files; the Lab does it. */
  async close(): Promise<void> {
    for (const file of this.files.values()) {
      const fd = await file.catch(() => -1);
      if (fd >= 0) native.close(fd);
    }
    this.files.clear();
  }

  /** Notes the value before in `before`, if it has changed. @throws KernelError; LabError */
  private async setOne(name: string, value: number | string, before: SysctlValues): Promise<void> {
    let file: number;
    try {
      file = await this.file(name);
    } catch (error) {
      const { is, since, kernel } = await this.withoutFile(name, error);
      if (String(is) === String(value)) return;
      throw new KernelError(
        `Linux ${os.release()} does not let this Lab set ${name}: it is ${is}.`,
        hintOfAbsence(name, since, is),
        kernel,
      );
    }
    const old = native.preadText(file).trim();
    try {
      native.pwriteText(file, String(value));
    } finally {
      // if the kernel takes only a part of the text (the 16 of "16 and more"), that is an error, and yet the value has
      // changed
      if (native.preadText(file).trim() !== old) before[name] = old;
    }
  }

  /** What a kernel that has no file for the sysctl behaves by. @throws `error`, if that is not why it was thrown */
  private async withoutFile(name: string, error: unknown): Promise<Absence & { is: number }> {
    const absence = absences[name];
    if (!isAbsent(error) || !absence) throw error;
    return { ...absence, is: absence.like ?? (await this.measureSomaxconn()) };
  }

  /** somaxconn: what listen(2) leaves of the largest backlog. Source: __sys_listen(), tcp_get_info() of a listener */
  private async measureSomaxconn(): Promise<number> {
    const fd = await this.host.socket("tcp");
    try {
      native.bind(fd, "127.0.0.1", 0);
      native.listen(fd, largestBacklog);
      return native.tcpInfo(fd).sacked;
    } finally {
      native.close(fd);
    }
  }

  private file(name: string): Promise<number> {
    this.host.requireOpen();
    if (!/^net(\.[\w-]+)+$/.test(name)) {
      return Promise.reject(
        new ArgumentError(
          `"${name}" is no sysctl of a Lab.`,
          `A Lab has those that begin with "net.", such as ${sysctlNames[1]}.`,
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
        hint: `Did you mean ${nearestSysctl(name)}? Some sysctls exist only on newer kernels, or only for the whole machine.`,
      });
    }
  }
}

/** One line for readers: what this kernel cannot do, so what the experiment leaves out. "" if there is nothing. */
export function refusalLine(refusals: readonly SysctlRefusal[]): string {
  return refusals.map(({ why }) => why).join(" ");
}

/** codes of a file that can be read and not written: by its mode, by its mount, by the kernel, by a guest */
const readOnly = new Set(["EACCES", "EROFS", "EPERM", "ERR_FORBIDDEN"]);

function isAbsent(error: unknown): boolean {
  return error instanceof LabError && error.code === "ENOENT";
}

function valueOf(text: string): number | string {
  const value = text.trim();
  return /^-?\d+$/.test(value) ? Number(value) : value;
}

function requireValue(name: string, value: unknown): void {
  if (typeof value !== "number" && typeof value !== "string")
    throw new ArgumentError(`The value of ${name} must be a number or a string, not ${String(value)}.`);
}

function hintOfAbsence(name: string, since: string, is: number): string {
  if (name.startsWith("net.core."))
    return `Older kernels (5.10 and 6.1 are) show net.core.* to Labs of root only; Linux ${since} shows it to all. Run as root, or use values up to ${is}.`;
  return `The kernel has it since Linux ${since}; before, it behaves as if it were ${is}.`;
}
