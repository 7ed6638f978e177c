// sends n SYNs from one address and port
// fails: n half-open requests
import type { Lab } from "one-listener";

export async function freezeNHandshakes(
  lab: Lab,
  { port, n }: { port: number; n: number },
): Promise<void> {
  const peer = (await lab.wire()).peer(port);
  for (let at = 0; at < n; at++) peer.syn();
  await peer.receive();
}
