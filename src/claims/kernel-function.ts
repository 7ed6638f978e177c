/** Kernel functions that have other names on other kernels: this kernel's own name is looked up, not reckoned from its version. */
import { readFileSync } from "node:fs";

/** What the functions are called, from the newest name to the oldest. */
const names = {
  /** cuts a backlog down to somaxconn; a function of its own since Linux 6.11 */
  listenCut: ["__sys_listen_socket", "__sys_listen"],
  /** makes the sequence number of a SYN-ACK; with the timestamp's offset since 6.12.117, 6.18 and 7.0 */
  sequence: ["secure_tcp_seq_and_ts_off", "secure_tcp_seq"],
  /** tells sock_diag about a request; in tcp_diag.c by 6.18 */
  requestDiag: ["tcp_req_diag_fill", "inet_req_diag_fill"],
} as const;

let known: Map<string, string> | undefined;

/**
 * The name that this kernel has for a function, as cards print it: "__sys_listen_socket()". Where the kernel tells no names, or has
 * compiled the function into another one, it is the newest. Source: /proc/kallsyms, read once.
 */
export function kernelFunction(which: keyof typeof names): string {
  known ??= lookUp(symbols());
  return `${known.get(which) ?? names[which][0]}()`;
}

/** The name of each function among the lines of /proc/kallsyms; those that are not there are left out. */
export function lookUp(kallsyms: string): Map<string, string> {
  return new Map(
    Object.entries(names).flatMap(([which, candidates]): [string, string][] => {
      const there = candidates.find((name) => new RegExp(`^\\S+ [tTwW] ${name}(\\t\\[\\w+\\])?$`, "m").test(kallsyms));
      return there === undefined ? [] : [[which, there]];
    }),
  );
}

function symbols(): string {
  try {
    return readFileSync("/proc/kallsyms", "latin1");
  } catch {
    return ""; // a kernel without names, or a sandbox without this file
  }
}
