/**
 * cookie_init_timestamp() hides window scale, SACK and ECN in the low bits of the timestamp; without timestamps there is nowhere to put
 * them, so a cookie's SYN-ACK offers none of them. A kernel that stores a request offers what it was offered. (Waiting for a
 * retransmission would work, too, because the kernel never retransmits a cookie. It takes 1 s.)
 */
import { optionOf, type Lab } from "one-listener";

export async function cookieDetective(
  lab: Lab,
  { port }: { port: number },
): Promise<"cookie" | "remembered"> {
  const peer = (await lab.wire()).peer(port);
  peer.syn({ windowScale: 7, sack: true, timestamps: false });
  const answer = await peer.receive();
  peer.rst();
  return optionOf(answer, "windowScale") ? "remembered" : "cookie";
}
