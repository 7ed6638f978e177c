// resets the half-open requests a moment later
// fails: they stay half-open
import { sleep, type Lab } from "one-listener";

export async function freezeNHandshakes(
  lab: Lab,
  { port, n }: { port: number; n: number },
): Promise<void> {
  const wire = await lab.wire();
  const peers = Array.from({ length: n }, (_, at) => wire.peer(port, { port: 40_000 + at }));
  for (const peer of peers) {
    peer.syn();
    await peer.receive();
  }
  setTimeout(() => peers.forEach((peer) => peer.rst()), 200);
}
