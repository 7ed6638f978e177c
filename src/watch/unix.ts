/** The listening UNIX sockets of this network namespace, which have an accept queue, too. */
import { readFileSync } from "node:fs";
import { isSystemError } from "../errors";
import { native, type UnixListeningSocket } from "../native";

/** The UNIX listeners, or only how many there are. */
export interface UnixListening {
  count: number;
  /** the longest accept queue first; undefined where the kernel has no unix_diag */
  sockets?: UnixListeningSocket[];
}

/** Flag of a socket in LISTEN in /proc/net/unix (__SO_ACCEPTCON, include/uapi/linux/net.h). */
const acceptCon = 0x10000;

/**
 * Reads them by sock_diag(7); without unix_diag (a module of the kernel, as it may be) counts the lines of
 * /proc/net/unix.
 */
export function readUnixListening(diagFd: number): UnixListening {
  try {
    const sockets = native.unixListening(diagFd);
    sockets.sort((a, b) => b.acceptQueue - a.acceptQueue || a.name.localeCompare(b.name));
    return { count: sockets.length, sockets };
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
    const flags = readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[3] ?? "0");
    return { count: flags.filter((text) => (parseInt(text, 16) & acceptCon) !== 0).length };
  }
}
