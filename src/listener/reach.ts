/** Where a client must connect to, so that it reaches what listens on a port of the Lab. */
import { ArgumentError } from "../errors";
import type { LabHost } from "../lab/host";
import { type Endpoint } from "../native";
import { bracketed, readTable, type SocketRow } from "./sockets-table";

/** What is connected to: a Listener, or the port of a program. */
export type Listens = { readonly address: string; readonly port: number } | number;

const loopback = "127.0.0.1";
const mapped = "::ffff:";

/**
 * The address and port for a client over loopback: a listener's own address, and 127.0.0.1 for one that has all
 * addresses. Of a port with several sockets 127.0.0.1 if one of them can be reached there, else the first one's
 * address.
 * @throws ArgumentError only IPv6 sockets listen there: clients of a Lab are IPv4
 */
export function overLoopback(host: LabHost, to: Listens): Endpoint {
  const { port, addresses } = reachable(host, to);
  return {
    address: addresses === undefined || addresses.includes(loopback) ? loopback : (addresses[0] ?? loopback),
    port,
  };
}

/**
 * Checks that what listens can be reached over the Lab's wire, where clients come to the Lab's own address.
 * @param what who comes over the wire: "Mirror clients"
 * @throws ArgumentError it listens at other addresses only
 */
export function requireOnWire(host: LabHost, to: Listens, what: string): void {
  const { port, addresses } = reachable(host, to);
  if (addresses === undefined || host.address === "" || addresses.includes(host.address)) return;
  throw new ArgumentError(
    `${what} come over the wire to ${host.address}:${port}, and the listener is bound to ${addresses.join(" and ")}.`,
    `Listen on 0.0.0.0 or ${host.address}, or use clients over loopback.`,
  );
}

/**
 * IPv4 addresses at which the sockets can be reached; undefined: nothing is known to listen. @throws ArgumentError IPv6
 * alone
 */
function reachable(host: LabHost, to: Listens): { port: number; addresses: string[] | undefined } {
  const all = host.address === "" ? [loopback] : [loopback, host.address];
  if (typeof to !== "number") return { port: to.port, addresses: to.address === "0.0.0.0" ? all : [to.address] };
  const rows = host.looks ? readTable(host, { port: to, states: ["LISTEN"] }) : [];
  if (rows.length === 0) return { port: to, addresses: undefined };
  const addresses = rows.flatMap((row) => ipv4Of(row, all));
  if (addresses.length === 0)
    throw new ArgumentError(
      `Only IPv6 sockets listen on port ${to} (${rows.map(({ local }) => bracketed(local)).join(", ")}), and the clients of a Lab use IPv4.`,
      "Let the program listen on 0.0.0.0 or on :: without IPV6_V6ONLY, or start a client with lab.spawn().",
    );
  return { port: to, addresses };
}

/** At which of `all` addresses, or at which other one, an IPv4 client reaches the socket. */
function ipv4Of({ family, local, v6only }: SocketRow, all: string[]): string[] {
  if (family === 6 && local.address === "::") return v6only ? [] : all;
  const address = local.address.startsWith(mapped) ? local.address.slice(mapped.length) : local.address;
  if (address === "0.0.0.0") return all;
  return address.includes(":") ? [] : [address];
}
