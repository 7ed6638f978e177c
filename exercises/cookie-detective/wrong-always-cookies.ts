// thinks that tcp_syncookies = 1 means cookies for everybody
// fails: a listener that sends cookies always
import type { Lab } from "one-listener";

export async function cookieDetective(
  lab: Lab,
  { port }: { port: number },
): Promise<"cookie" | "remembered"> {
  const peer = (await lab.wire()).peer(port);
  peer.syn();
  await peer.receive();
  return "cookie";
}
