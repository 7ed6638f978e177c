/** The end of the process of a solution: how it is ended, and why it has ended. */
import type { Fate } from "../result";
import { descendants } from "./descendants";
import { heap } from "./start";

/**
 * Sends SIGKILL to a process, its group, and all that descend from it. A sandbox's first process takes its PID namespace with it
 * (zap_pid_ns_processes()); without a sandbox the descendants are killed one by one.
 */
export function killAll(pid: number): void {
  for (const each of [...descendants(pid).map((one) => one.pid), -pid, pid]) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // it has ended
    }
  }
}

/**
 * Why a process has ended that nothing here has ended, as a sentence for the student.
 * @param code its exit status; 128 + n if a shell or a sandbox reports signal n
 * @param lastWords the end of what it printed
 */
export function whyEnded(
  code: number | null,
  signal: NodeJS.Signals | null,
  lastWords: string,
): { fate: Fate; sentence: string } {
  if (/heap out of memory|Allocation failed|bad_alloc/i.test(lastWords))
    return { fate: "memory", sentence: `It used more than ${heap} MiB of heap.` };
  if (signal !== null) return { fate: "exit", sentence: `Its process was ended by ${signal}.` };
  if (code !== null && code > 128) return { fate: "exit", sentence: `Its process was ended by signal ${code - 128}.` };
  return { fate: "exit", sentence: `Its process ended with status ${code ?? "unknown"} before the function returned.` };
}
