import type { Lab } from "one-listener";

export async function yourFunction(lab: Lab, { port }: { port: number }): Promise<void> {
  throw new Error("nothing is written here yet");
}
