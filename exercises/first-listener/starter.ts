import type { Lab } from "one-listener";

export async function firstListener(
  lab: Lab,
  { port, backlog, signal }: { port: number; backlog: number; signal: AbortSignal },
): Promise<void> {
  throw new Error("nothing is written here yet");
}
