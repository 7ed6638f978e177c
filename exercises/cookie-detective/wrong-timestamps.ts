// offers timestamps, in which the cookie hides the window scale
// fails: a listener that always sends cookies
import { optionOf, type Lab } from "one-listener";

export async function cookieDetective(
  lab: Lab,
  { port }: { port: number },
): Promise<"cookie" | "remembered"> {
  const peer = (await lab.wire()).peer(port);
  peer.syn({ windowScale: 7, sack: true, timestamps: true });
  return optionOf(await peer.receive(), "windowScale") ? "remembered" : "cookie";
}
