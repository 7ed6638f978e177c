import { sleep, type Lab } from "one-listener";

export async function surviveEmfile(
  lab: Lab,
  { port, signal }: { port: number; signal: AbortSignal },
): Promise<void> {
  throw new Error("no client is served yet");
}
