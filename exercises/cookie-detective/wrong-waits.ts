// waits whether the SYN-ACK is sent again: a cookie's never is, but that is known after a second only
// fails: without waiting for a resend
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
