/** Programs at the far end of a Lab's link, for peers that bring sockets of their own. */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Lab } from "../dist/index";

/** The command that runs a program in the network namespace of the far end (nsenter(1)), or a sentence that says why there is none. */
export function farEnd(lab: Lab): { command: string; args: string[] } | { missing: string } {
  const near = readlinkSync(`/proc/${processes(lab)[0]}/ns/net`);
  for (const pid of processes(lab)) {
    for (const fd of safely(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const target = safely(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (!target?.startsWith("net:[") || target === near) continue;
      const args = ["--target", String(pid), "--user", "--preserve-credentials", `--net=/proc/${pid}/fd/${fd}`];
      const found = spawnSync("nsenter", [...args, "ip", "link", "show", "far0"], { encoding: "utf8" });
      if (found.error) return { missing: "nsenter (util-linux) is not installed" };
      if (found.status === 0) return { command: "nsenter", args };
    }
  }
  return { missing: "the far end's namespace cannot be entered" };
}

/** The lab host's processes: the helper and the first process of its namespace. */
function processes(lab: Lab): number[] {
  const children = readdirSync("/proc").filter(
    (name) =>
      /^\d+$/.test(name) &&
      safely(() => new RegExp(`^PPid:\\s+${lab.host.pid}$`, "m").test(readFileSync(`/proc/${name}/status`, "utf8"))),
  );
  return [lab.host.pid, ...children.map(Number)];
}

function safely<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/**
 * Runs a program at the far end for `ms`, then ends it with SIGKILL.
 * @param place what farEnd() gave
 * @returns ms that it ran
 * @throws Error the program cannot be started, or ends with a status other than 0
 */
export function runAtFarEnd(
  place: { command: string; args: string[] },
  program: string[],
  ms: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(place.command, [...place.args, ...program], { stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), ms);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      if (code !== null && code !== 0) reject(new Error(`${program[0]} ended with ${code}`));
      else resolve(performance.now() - start);
    });
  });
}
