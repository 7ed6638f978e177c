/** What `watch` is asked to watch: a port, or an address and a port. */
import { type Listening, whereOf } from "./listeners";

/** Listeners by their place. */
export interface Target {
  /** as it was given, ":8080" or "127.0.0.2:8080" */
  text: string;
  port: number;
  /** any of these, as inet_ntop(3) writes them; default: every address */
  addresses?: readonly string[];
  /** name of the interface that the listener is bound to (SO_BINDTODEVICE); default: any, or none */
  device?: string;
}

/** Whether the listener is what the target names. */
export function matches({ port, addresses, device }: Target, listening: Listening): boolean {
  return (
    listening.port === port &&
    (addresses === undefined || addresses.includes(listening.address)) &&
    (device === undefined || listening.deviceName === device)
  );
}

/** Why no listener is found, and what to do, as message and hint. @param all every listener of the network namespace */
export function notFound(target: Target, all: readonly Listening[]): { message: string; hint: string } {
  const what = target.addresses ? target.text : `port ${target.port}`;
  return { message: `No socket listens on ${what} in this network namespace.`, hint: hintFor(target, all) };
}

const container =
  "A container has a network of its own. Run watch in it, as root: nsenter -t PID -n npx one-listener watch; docker inspect -f '{{.State.Pid}}' NAME prints the PID.";

function hintFor(target: Target, all: readonly Listening[]): string {
  if (all.length === 0) return `No socket listens on any port. ${container}`;
  const same = [...new Set(all.filter(({ port }) => port === target.port).map(whereOf))];
  if (same.length > 0) {
    const wildcard = same.find((where) => where.startsWith("0.0.0.0") || where.startsWith("[::]"));
    const taker = wildcard ? ` It accepts the connections to other addresses: watch ${wildcard}.` : "";
    return `On port ${target.port} a socket listens on ${same.join(", ")}.${taker}`;
  }
  const ports = [...new Set(all.map(({ port }) => port))];
  const some = `${ports.slice(0, 12).join(", ")}${ports.length > 12 ? ", …" : ""}`;
  return `Sockets listen on ${ports.length > 1 ? "ports" : "port"} ${some}. ${container} --wait waits until a socket listens.`;
}
