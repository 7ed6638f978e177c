/**
 * Why this machine does not allow a Lab, and the command that allows it.
 */
import { readFileSync } from "node:fs";
import { errnoName, ForbiddenError } from "../errors";

/**
 * The settings of this machine that decide whether it allows a Lab. A setting that cannot be read is undefined.
 * Sources: proc(5), user_namespaces(7), apparmor(7).
 */
export interface MachineFacts {
  /** the effective user is root (uid 0) */
  root: boolean;
  /** /proc/self/status Seccomp: 0 none, 1 strict, 2 filter */
  seccomp?: number;
  /** kernel.apparmor_restrict_unprivileged_userns (Ubuntu 24.04) */
  appArmorRestricts?: number;
  /** kernel.unprivileged_userns_clone (Debian's older switch) */
  unprivilegedClone?: number;
  /** user.max_user_namespaces: user namespaces that each user may have */
  maxUserNamespaces?: number;
  /** user.max_net_namespaces: network namespaces that each user may have */
  maxNetNamespaces?: number;
  /** user.max_pid_namespaces: PID namespaces that each user may have */
  maxPidNamespaces?: number;
  /** this process runs in a container: its cgroup or mounts name Docker, containerd, Kubernetes, LXC or Podman */
  container: boolean;
}

/** A rule of a machine that forbids a step of making a Lab. */
export interface Rule {
  /** the setting or the profile that forbids it */
  rule: string;
  /** the command or the setting that allows it */
  remedy: string;
}

function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Reads the settings of this machine. Never throws: a setting that cannot be read is undefined. */
export function machineFacts(): MachineFacts {
  let status = "";
  let container = false;
  try {
    status = readFileSync("/proc/self/status", "utf8");
    container = /docker|containerd|kubepods|lxc|podman/.test(
      readFileSync("/proc/1/cgroup", "utf8") + readFileSync("/proc/self/mountinfo", "utf8").slice(0, 4000),
    );
  } catch {
    // without /proc these two facts stay unknown
  }
  const seccomp = /^Seccomp:\s*(\d)/m.exec(status);
  return {
    root: process.geteuid?.() === 0,
    seccomp: seccomp ? Number(seccomp[1]) : undefined,
    appArmorRestricts: readNumber("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    unprivilegedClone: readNumber("/proc/sys/kernel/unprivileged_userns_clone"),
    maxUserNamespaces: readNumber("/proc/sys/user/max_user_namespaces"),
    maxNetNamespaces: readNumber("/proc/sys/user/max_net_namespaces"),
    maxPidNamespaces: readNumber("/proc/sys/user/max_pid_namespaces"),
    container,
  };
}

/**
 * Names the rule behind a failed step of making a Lab.
 * @param step name of the step: "user-namespace", "veth", …
 * @param errno of the system call that failed, as a positive number
 * @param facts the settings of the machine, as machineFacts() reads them
 */
export function ruleBehind(step: string, errno: number, facts: MachineFacts): Rule {
  const code = errnoName(errno);
  if (code === "ENOSPC" || code === "EUSERS") return limitReached(step, facts);
  if (code === "EPERM" || code === "EACCES") return permissionRule(facts);
  return (
    kernelLacks(step, code) ?? {
      rule: `no common rule explains ${code}`,
      remedy: "read the output of `dmesg`: the kernel may give the reason there",
    }
  );
}

/** Each user may have user.max_*_namespaces namespaces of a kind. Source: namespaces(7), user_namespaces(7). */
function limitReached(step: string, facts: MachineFacts): Rule {
  const kind = step === "pid-namespace" ? "pid" : step.includes("network") || step.includes("lab") ? "net" : "user";
  const now = { user: facts.maxUserNamespaces, net: facts.maxNetNamespaces, pid: facts.maxPidNamespaces }[kind];
  return {
    rule: `the limit user.max_${kind}_namespaces${now === undefined ? "" : ` (${now})`} is reached`,
    remedy: `sudo sysctl -w user.max_${kind}_namespaces=15000`,
  };
}

/** What this kernel was built without, or is too old to have. */
function kernelLacks(step: string, code: string): Rule | undefined {
  if (step === "veth" && (code === "EOPNOTSUPP" || code === "ENOTSUP"))
    return {
      rule: "this kernel has no veth driver",
      remedy: "sudo modprobe veth    (or open Labs with { wire: false })",
    };
  if (step === "user-namespace" && code === "EINVAL")
    return {
      rule: "this kernel is built without user namespaces (CONFIG_USER_NS)",
      remedy: "run as root, or use another kernel",
    };
  if (step === "established-hash" && code === "ENOENT")
    return {
      rule: "the kernel is older than 6.1",
      remedy: "nothing must be done: everything works, only reading the SYN queue is slower",
    };
  return undefined;
}

/** The first rule that explains why this process may not make namespaces. */
function permissionRule(facts: MachineFacts): Rule {
  if (facts.unprivilegedClone === 0 && !facts.root)
    return {
      rule: "kernel.unprivileged_userns_clone is 0",
      remedy: "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    };
  if (facts.appArmorRestricts === 1 && !facts.root)
    return {
      rule: "AppArmor restricts unprivileged user namespaces (Ubuntu 23.10 and later)",
      remedy:
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0    (or an AppArmor profile with `userns,` for native/build/Release/lab-host)",
    };
  if (facts.seccomp === 2)
    return {
      rule: facts.container
        ? "the container's seccomp profile (Docker's default forbids unshare)"
        : "a seccomp filter on this process forbids unshare",
      remedy:
        "docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined …    (or a profile that allows unshare and setns)",
    };
  return {
    rule: "this user may not make namespaces on this machine",
    remedy: "run as root with CAP_SYS_ADMIN, or allow unprivileged user namespaces",
  };
}

/**
 * The error of a Lab that this machine does not allow. The message names the step, the errno and the rule; the hint
 * gives the command that allows it.
 * @param steps all steps of making the Lab so far, with the one that failed
 * @param step the name of the step that failed: "veth"
 * @param syscall the system call that failed in it
 * @param errno its errno, as a positive number
 */
export function forbidden(
  steps: ForbiddenError["steps"],
  step: string,
  syscall: string,
  errno: number,
): ForbiddenError {
  const code = errnoName(errno);
  const { rule, remedy } = ruleBehind(step, errno, machineFacts());
  return new ForbiddenError(
    `This machine does not allow a Lab: step "${step}" failed with ${code} (${syscall}): ${rule}.`,
    {
      code,
      errno: -errno,
      syscall,
      steps,
      hint: `To allow it: ${remedy}. \`npx one-listener doctor\` checks everything that a Lab needs.`,
    },
  );
}
