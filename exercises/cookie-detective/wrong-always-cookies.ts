// thinks that tcp_syncookies = 1 means a cookie for every SYN
// fails: a listener that always sends cookies
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
