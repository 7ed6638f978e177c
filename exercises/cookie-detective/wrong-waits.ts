// waits whether the kernel retransmits the SYN-ACK: it never retransmits a cookie, but that is known only after 1 s
// fails: without waiting for a retransmission
import type { Lab } from "one-listener";

export async function cookieDetective(
  lab: Lab,
  { port }: { port: number },
): Promise<"cookie" | "remembered"> {
  const peer = (await lab.wire()).peer(port);
  peer.syn();
  await peer.receive();
  const again = await peer.receive({ timeout: 1500 }).catch(() => undefined);
  peer.rst();
  return again ? "remembered" : "cookie";
}
