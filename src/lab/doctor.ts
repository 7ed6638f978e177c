/**
 * Tries one by one what a Lab needs from this machine. `npx one-listener doctor` and notebook 00 show the report.
 */
import os from "node:os";
import { errnoName, ForbiddenError, type LabError } from "../errors";
import { native } from "../native";
import { valueAt } from "../native/column";
import { CounterFiles } from "./counters";
import { machineFacts, ruleBehind } from "./forbidden";
import { LabHost, type Step } from "./host";
import { Program } from "./program";
import { findProgram } from "./search-path";
import { Sysctls } from "./sysctls";
import { formatNumber } from "../wording/number";

/** The result of one check of doctor(). */
export interface Finding {
  /** what was tried */
  check: string;
  /** "missing": a notebook can use this program, and it is not installed. "not tried": an earlier step failed */
  outcome: "works" | "forbidden" | "missing" | "not tried";
  /** the result, or the system call that failed and its errno: "unshare: EPERM" */
  found: string;
  /** the rule of the machine that forbids it */
  rule?: string;
  /** the command or the setting that allows it */
  remedy?: string;
  /** which notebooks run without it */
  without?: string;
}

/** What doctor() found out about this machine. */
export interface Report {
  /** "Linux 6.18.5" */
  kernel: string;
  /** "v20.19.2" */
  node: string;
  /** name and effective user id: "root (uid 0)" */
  user: string;
  /** true if every Lab of the workbook can be opened here */
  healthy: boolean;
  /** one for each check, in the order of the report */
  findings: Finding[];
}

/** The check of each step of making a Lab, and which notebooks run without it. */
const stepTexts: Record<string, { check: string; without: string }> = {
  "user-namespace": {
    check: "a user namespace (no root needed)",
    without: "root opens Labs without it; for any other user, no notebook runs",
  },
  "root-namespace": {
    check: "no user namespace: on this kernel root can then set net.core.*",
    without: "as root, a Lab opens without it",
  },
  "id-maps": { check: "user and group id maps", without: "no notebook runs" },
  "pid-namespace": { check: "a PID namespace (programs end with their Lab)", without: "no notebook runs" },
  "network-namespace": { check: "a network namespace", without: "no notebook runs" },
  "established-hash": {
    check: "a separate connection hash for the Lab (Linux 6.1)",
    without: "all notebooks run; reading the SYN queue is slower",
  },
  "lab-namespace": { check: "a second network namespace, for the far end of the wire", without: "no notebook runs" },
  "loopback-up": { check: "bringing the loopback interface up", without: "no notebook runs" },
  veth: {
    check: "a veth pair: the Lab's wire",
    without: "notebooks 00 and 01 run, with Lab.open({ wire: false }); 03 and 04 need it for their round-trip times",
  },
  "wire-up": { check: "bringing the wire up", without: "notebooks 00 and 01 run, with Lab.open({ wire: false })" },
};
const wireSteps = ["veth", "wire-up"];

const programs: [name: string, use: string][] = [
  ["ss", "notebook 01 shows its table"],
  ["python3", "JupyterLab runs on it"],
];

/** A container's user, or a guest's on another kernel, may have no line in /etc/passwd. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return "a user without a name";
  }
}

/**
 * Tries everything that a Lab needs. It opens one Lab or two and closes them again. What the machine forbids stands in
 * the report and is not thrown.
 * @throws LabError the lab host could not be started, or gave no answer
 */
export async function doctor(): Promise<Report> {
  const findings: Finding[] = [];
  const works = (check: string, found: string) => void findings.push({ check, outcome: "works", found });

  const { host, steps } = await openAnyhow();
  findings.push(...steps.map(stepFinding));
  for (const [name, { check, without }] of Object.entries(stepTexts)) {
    if (steps.some((step) => step.name === name) || otherWay(name, steps)) continue;
    findings.push({ check, outcome: "not tried", found: "an earlier step failed", without });
  }
  if (host) {
    try {
      for (const [check, attempt] of inside) await tryInside(findings, check, () => attempt(host));
    } finally {
      await host.close();
    }
  }
  const { soft, hard } = native.descriptors();
  works(
    "descriptors of this process (ulimit -n)",
    `${formatNumber(soft)} (hard limit ${formatNumber(hard)}); Node.js raised the soft limit when it started`,
  );
  works(
    "CPUs, memory",
    `${os.cpus().length} CPU${os.cpus().length === 1 ? "" : "s"}, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`,
  );
  for (const [name, use] of programs) findings.push(programFinding(name, use));

  const needed = findings.filter(({ outcome }) => outcome === "forbidden" || outcome === "not tried");
  const harmless = new Set([stepTexts["established-hash"]?.check]);
  if (host) harmless.add(stepTexts["user-namespace"]?.check);
  return {
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    user: `${userName()} (uid ${process.geteuid?.()})`,
    healthy: host !== undefined && needed.every(({ check }) => harmless.has(check)),
    findings,
  };
}

/** A Lab enters a user namespace or, as root on older kernels, does not. @returns whether this Lab went the other way */
function otherWay(name: string, steps: readonly Step[]): boolean {
  const asRoot = steps.some((step) => step.name === "root-namespace");
  return asRoot ? name === "user-namespace" || name === "id-maps" : name === "root-namespace";
}

/** Opens a Lab with a wire, or without one where this machine does not allow the wire. */
async function openAnyhow(): Promise<{ host?: LabHost; steps: readonly Step[] }> {
  try {
    const host = await LabHost.open();
    return { host, steps: host.steps };
  } catch (error) {
    if (!(error instanceof ForbiddenError)) throw error;
    const steps = [...error.steps];
    if (!wireSteps.includes(steps.at(-1)?.name ?? "")) return { steps };
    return { host: await LabHost.open({ wire: false }), steps };
  }
}

function stepFinding(step: Step): Finding {
  const text = stepTexts[step.name] ?? { check: step.name, without: "" };
  if (step.error === 0) return { check: text.check, outcome: "works", found: "ok" };
  const { rule, remedy } = ruleBehind(step.name, step.error, machineFacts());
  return {
    check: text.check,
    outcome: "forbidden",
    found: `${step.syscall}: ${errnoName(step.error)}`,
    rule,
    remedy,
    without: text.without,
  };
}

const inside: [check: string, attempt: (host: LabHost) => Promise<string>][] = [
  [
    "listen and connect inside the Lab",
    async (host) => {
      const fds = await host.sockets("tcp", 2);
      const [listener, client] = [valueAt(fds, 0), valueAt(fds, 1)];
      try {
        native.bind(listener, "127.0.0.1", 0);
        native.listen(listener, 1);
        const start = native.now();
        native.connect(client, "127.0.0.1", native.getsockname(listener).port);
        const took = native.now() - start;
        return `accept queue ${native.tcpInfo(listener).unacked} after one connect of ${took.toFixed(2)} ms`;
      } finally {
        await native.closeLater(fds);
      }
    },
  ],
  [
    "reading the SYN queue (sock_diag)",
    async (host) => {
      const start = native.now();
      native.diag(host.diagFd, 1 << 3, 0);
      return `one read took ${((native.now() - start) * 1000).toFixed(0)} us`;
    },
  ],
  [
    "reading the Lab's counters",
    async (host) => {
      const files = await CounterFiles.open(host);
      try {
        return `${files.read().values.size} counters`;
      } finally {
        host.drop(files);
        await files.close();
      }
    },
  ],
  [
    "setting the Lab's sysctls",
    async (host) => {
      const sysctls = new Sysctls(host);
      await sysctls.with({ "net.ipv4.tcp_syncookies": 0 }, () => undefined);
      const somaxconn = await sysctls.get("net.core.somaxconn");
      const how = (await sysctls.access("net.core.somaxconn")) === "set" ? "" : " (measured: it cannot be set here)";
      return `tcp_syncookies ${await sysctls.get("net.ipv4.tcp_syncookies")}, somaxconn ${somaxconn}${how} in this Lab`;
    },
  ],
  [
    "starting a program inside the Lab",
    async (host) => {
      const { stdout } = await (
        await Program.start(host, "sh", ["-c", "ulimit -Hn"], { limits: { nofile: 64 } })
      ).output();
      return `with a hard limit of ${stdout.trim()} descriptors`;
    },
  ],
];

async function tryInside(findings: Finding[], check: string, attempt: () => Promise<string>): Promise<void> {
  try {
    findings.push({ check, outcome: "works", found: await attempt() });
  } catch (error) {
    const { code, syscall, message } = error as LabError;
    const { rule, remedy } = ruleBehind(check, Math.abs((error as LabError).errno ?? 0), machineFacts());
    findings.push({ check, outcome: "forbidden", found: syscall ? `${syscall}: ${code}` : message, rule, remedy });
  }
}

function programFinding(name: string, use: string): Finding {
  if (findProgram(name) !== undefined)
    return { check: `program ${name}`, outcome: "works", found: `installed: ${use}` };
  return {
    check: `program ${name}`,
    outcome: "missing",
    found: "not in the PATH, and not in /usr/sbin",
    remedy: `install it (${use})`,
    without: "all notebooks run; the part that uses it says that it is missing",
  };
}

const marks: Record<Finding["outcome"], string> = { works: "✓", forbidden: "✗", missing: "–", "not tried": "·" };

/**
 * The report as text for a terminal, one line per check; under a check that failed, why, how to allow it, and what runs
 * without it.
 */
export function reportText(report: Report): string {
  const lines = [`${report.kernel}, node ${report.node}, user ${report.user}`, ""];
  const width = Math.max(...report.findings.map(({ check }) => check.length));
  for (const { check, outcome, found, rule, remedy, without } of report.findings) {
    lines.push(`${marks[outcome]} ${check.padEnd(width)}  ${found}`);
    if (outcome === "works") continue;
    if (rule) lines.push(`    why:     ${rule}`);
    if (remedy) lines.push(`    allow:   ${remedy}`);
    if (without) lines.push(`    without: ${without}`);
  }
  lines.push(
    "",
    report.healthy
      ? "Every Lab of the workbook can be opened here."
      : "Some notebooks cannot run here: see the lines marked ✗.",
  );
  return lines.join("\n");
}
