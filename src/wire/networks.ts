/** Who lives where beyond the Lab's link. */
import { ArgumentError } from "../errors";
import { dotted, Network, parseAddress } from "../lab/address";

/** all that the Lab has a route to, by its link */
export const wireNetwork = new Network("10.0.0.0/8");
/** each mirror has an address here */
export const mirrorNetwork = new Network("10.1.0.0/16");
/** ghosts: eight million addresses */
export const ghostNetwork = new Network("10.128.0.0/9");
/** peers that name no address get one here */
const peerNetwork = new Network("10.2.0.0/16");

/** The nth default address of a peer. */
export function peerAddress(n: number): string {
  return dotted(peerNetwork.base + 1 + (n % (peerNetwork.size - 2)));
}

/** An address that a peer can have. @throws ArgumentError that says why not */
export function requirePeerAddress(address: unknown, ofLab: string): string {
  const number = parseAddress(address);
  const text = dotted(number);
  if (!wireNetwork.has(number))
    throw new ArgumentError(
      `${text} is outside the wire's network ${wireNetwork}: the Lab has no route to it.`,
      `Take an address like ${peerAddress(0)}.`,
    );
  if (text === ofLab)
    throw new ArgumentError(`${text} is the Lab's own address.`, `Take another one, like ${peerAddress(0)}.`);
  for (const [network, who] of [
    [mirrorNetwork, "mirrors"],
    [ghostNetwork, "ghosts"],
  ] as const) {
    if (network.has(number))
      throw new ArgumentError(`${text} belongs to the ${who} (${network}).`, `Take an address like ${peerAddress(0)}.`);
  }
  return text;
}
