// completes the handshakes
// fails: n half-open requests
import type { Lab } from "one-listener";

export async function freezeNHandshakes(
  lab: Lab,
  { port, n }: { port: number; n: number },
): Promise<void> {
  const wire = await lab.wire();
  for (let at = 0; at < n; at++) await wire.peer(port, { port: 40_000 + at }).handshake();
}
