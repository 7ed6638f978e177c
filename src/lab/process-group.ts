/** Programs of the machine that are started as a process group of their own, so that their children end with them. */

/** Ends all processes of a group that are left. @param pid of the program that was started with `detached`; undefined: it did not start */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // they have just ended
  }
}
