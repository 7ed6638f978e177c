// lets the kernel connect, with a socket
// fails: the client is not a kernel socket
import type { Lab } from "one-listener";

export async function handshakeByHand(
  lab: Lab,
  { port, message }: { port: number; message: string },
): Promise<void> {
  const connection = await lab.dial(port);
  await connection.write(message);
}
