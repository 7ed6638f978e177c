// looks at the MSS, which a cookie can carry
// fails: a listener that always sends cookies
import { optionOf, type Lab } from "one-listener";

export async function cookieDetective(
  lab: Lab,
  { port }: { port: number },
): Promise<"cookie" | "remembered"> {
  const peer = (await lab.wire()).peer(port);
  peer.syn({ windowScale: 7 });
  return optionOf(await peer.receive(), "mss") ? "remembered" : "cookie";
}
