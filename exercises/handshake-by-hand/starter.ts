import type { Lab } from "one-listener";

export async function handshakeByHand(
  lab: Lab,
  { port, message }: { port: number; message: string },
): Promise<void> {
  const wire = await lab.wire();
  throw new Error("nothing is sent yet");
}
