/**
 * The listening TCP sockets of this network namespace, read by sock_diag(7): where they are bound and how full they
 * are.
 */
import { native, type ListeningSocket } from "../native";

/** A TCP socket in the state LISTEN. */
export type Listening = ListeningSocket;

/**
 * All TCP listeners of the socket's network namespace, ascending by port, IP version and address.
 * @throws SystemError ENOENT: the kernel has no tcp_diag; ENOBUFS: rows were lost
 */
export function readListening(diagFd: number): Listening[] {
  const order = (a: Listening, b: Listening) =>
    a.port - b.port || a.version - b.version || a.address.localeCompare(b.address) || a.inode - b.inode;
  return native.listening(diagFd).sort(order);
}

/** The share of the accept queue's capacity that is used, 0 to 1: sk_acceptq_is_full() is true only above the limit. */
export function fullness({ acceptQueue, maximum }: Pick<Listening, "acceptQueue" | "maximum">): number {
  return acceptQueue / (maximum + 1);
}

/**
 * Address and port as `watch` takes them: "127.0.0.1:80", "[::1]:443", "[::%eth0]:80" for a listener that is bound to
 * an interface.
 */
export function whereOf({ version, address, device, deviceName, port }: Omit<Listening, "acceptQueue">): string {
  const host = device === 0 ? address : `${address}%${deviceName || device}`;
  return `${version === 6 ? `[${host}]` : host}:${port}`;
}

/**
 * The versions of IP whose connections a listener accepts: [::] without IPV6_V6ONLY accepts both, an IPv4-mapped
 * address IPv4 only.
 */
export function versionsOf({ version, address, v6only }: Listening): "v4" | "v6" | "v4+v6" {
  if (version === 4 || address.startsWith("::ffff:")) return "v4";
  return address === "::" && !v6only ? "v4+v6" : "v6";
}

/**
 * The sockets by address and port. Several at one place share it by SO_REUSEPORT: the kernel gives each new connection
 * to one of them, by a hash of its addresses and ports (reuseport_select_sock()).
 */
export function byPlace(listening: readonly Listening[]): Map<string, Listening[]> {
  const places = new Map<string, Listening[]>();
  for (const each of listening) {
    const where = whereOf(each);
    const there = places.get(where);
    if (there) there.push(each);
    else places.set(where, [each]);
  }
  return places;
}
