import type { Lab } from "one-listener";

export async function fastAccept(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  throw new Error("no client is accepted yet");
}
