/**
 * The line under a page of measurements: the machine on which they were made.
 */
import os from "node:os";
import type { Sysctls } from "./sysctls";

const settings = [
  "net.core.somaxconn",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_synack_retries",
  "net.ipv4.tcp_abort_on_overflow",
] as const;

/**
 * Describes the machine and the sysctls of this Lab that decide most: "Linux 6.18.5, 2 processors, node v20.19.2;
 * somaxconn 4096, …".
 * @throws ClosedError
 */
export async function machineLine({ sysctl }: { readonly sysctl: Sysctls }): Promise<string> {
  const values: string[] = [];
  for (const name of settings) values.push(`${name.split(".").pop()} ${await sysctl.get(name)}`);
  const processors = os.availableParallelism();
  return `Linux ${os.release()}, ${processors} processor${processors === 1 ? "" : "s"}, node ${process.version}; ${values.join(", ")}`;
}
