// lets the kernel do it
// fails: no socket of the kernel's is the client
import type { Lab } from "one-listener";

export async function handshakeByHand(
  lab: Lab,
  { port, message }: { port: number; message: string },
): Promise<void> {
  const connection = await lab.dial(port);
  await connection.write(message);
}
