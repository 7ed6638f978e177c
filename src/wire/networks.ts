/** Which addresses beyond the Lab's link belong to peers, to mirrors and to ghosts. */
import { ArgumentError } from "../errors";
import { dotted, Network, parseAddress } from "../lab/address";

/** every address to which the Lab has a route by its link */
export const wireNetwork = new Network("10.0.0.0/8");
/** each mirror has one address of these */
export const mirrorNetwork = new Network("10.1.0.0/16");
/** the addresses of ghosts: eight million */
export const ghostNetwork = new Network("10.128.0.0/9");
/** the default addresses of peers */
const peerNetwork = new Network("10.2.0.0/16");

/** The nth default address of a peer. */
export function peerAddress(n: number): string {
  return dotted(peerNetwork.base + 1 + (n % (peerNetwork.size - 2)));
}

/** An address that a peer can have. @throws ArgumentError it is not an IPv4 address, not of the wire's network, or the Lab, mirrors or ghosts have it */
export function requirePeerAddress(address: unknown, ofLab: string): string {
  const number = parseAddress(address);
  const text = dotted(number);
  if (!wireNetwork.has(number))
    throw new ArgumentError(
      `${text} is outside the wire's network ${wireNetwork.toString()}: the Lab has no route to it.`,
      `Choose an address like ${peerAddress(0)}.`,
    );
  if (text === ofLab)
    throw new ArgumentError(`${text} is the Lab's own address.`, `Choose another one, like ${peerAddress(0)}.`);
  for (const [network, owner] of [
    [mirrorNetwork, "mirrors"],
    [ghostNetwork, "ghosts"],
  ] as const) {
    if (network.has(number))
      throw new ArgumentError(
        `${text} belongs to the ${owner} (${network.toString()}).`,
        `Choose an address like ${peerAddress(0)}.`,
      );
  }
  return text;
}
