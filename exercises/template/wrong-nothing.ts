// another one
// fails: listens on the port
import type { Lab } from "one-listener";

export async function yourFunction(lab: Lab, { port }: { port: number }): Promise<void> {}
