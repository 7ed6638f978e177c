/**
 * Why a Lab could not be made on this machine, and the line that allows it.
 */
import { readFileSync } from "node:fs";
import { errnoName, ForbiddenError } from "../errors";

/** What the machine says of itself; every field may be unreadable (undefined). Sources: proc(5), user_namespaces(7), apparmor. */
export interface MachineFacts {
  root: boolean;
  /** /proc/self/status Seccomp: 0 none, 1 strict, 2 filter */
  seccomp?: number;
  /** kernel.apparmor_restrict_unprivileged_userns (Ubuntu 24.04) */
  appArmorRestricts?: number;
  /** kernel.unprivileged_userns_clone (Debian's older switch) */
  unprivilegedClone?: number;
  maxUserNamespaces?: number;
  maxNetNamespaces?: number;
  maxPidNamespaces?: number;
  container: boolean;
}

export interface Rule {
  /** name of the rule that forbids it */
  rule: string;
  /** the exact line or setting that allows it */
  remedy: string;
}

function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

export function machineFacts(): MachineFacts {
  let status = "";
  let container = false;
  try {
    status = readFileSync("/proc/self/status", "utf8");
    container = /docker|containerd|kubepods|lxc|podman/.test(
      readFileSync("/proc/1/cgroup", "utf8") + readFileSync("/proc/self/mountinfo", "utf8").slice(0, 4000),
    );
  } catch {
    // no /proc: nothing to add
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
 * @param facts what the machine says of itself; see machineFacts()
 */
export function ruleBehind(step: string, errno: number, facts: MachineFacts): Rule {
  const code = errnoName(errno);
  if (code === "ENOSPC" || code === "EUSERS") return limitReached(step, facts);
  if (code === "EPERM" || code === "EACCES") return permissionRule(facts);
  return (
    kernelLacks(step, code) ?? {
      rule: `${code}, for which no common rule is known`,
      remedy: "please look at the step above; `dmesg` may say more",
    }
  );
}

/** user_namespaces(7), namespaces(7): each user may have user.max_*_namespaces of a kind. */
function limitReached(step: string, facts: MachineFacts): Rule {
  const kind = step === "pid-namespace" ? "pid" : step.includes("network") || step.includes("lab") ? "net" : "user";
  const now = { user: facts.maxUserNamespaces, net: facts.maxNetNamespaces, pid: facts.maxPidNamespaces }[kind];
  return {
    rule: `the limit user.max_${kind}_namespaces${now === undefined ? "" : ` (${now})`} is reached`,
    remedy: `sudo sysctl -w user.max_${kind}_namespaces=15000`,
  };
}

/** What this kernel was built without, or is too old for. */
function kernelLacks(step: string, code: string): Rule | undefined {
  if (step === "veth" && (code === "EOPNOTSUPP" || code === "ENOTSUP"))
    return {
      rule: "this kernel has no veth driver",
      remedy: "sudo modprobe veth    (or open Labs with { wire: false })",
    };
  if (step === "user-namespace" && code === "EINVAL")
    return {
      rule: "this kernel is built without user namespaces (CONFIG_USER_NS)",
      remedy: "run as root, or on another kernel",
    };
  if (step === "established-hash" && code === "ENOENT")
    return {
      rule: "the kernel is older than 6.1",
      remedy: "nothing is needed: reading the SYN queue is slower, all else works",
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
    rule: "this user may not make namespaces here",
    remedy: "run as root with CAP_SYS_ADMIN, or allow unprivileged user namespaces",
  };
}

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
      hint: `To allow it: ${remedy}. \`npx one-listener doctor\` looks at everything.`,
    },
  );
}
