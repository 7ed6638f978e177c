/**
 * The arguments of `one-listener watch`. Each parser throws commander's InvalidArgumentError, which names the option.
 */
import { InvalidArgumentError } from "commander";
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import type { Alert } from "../watch/alert";
import type { Target } from "../watch/target";

/** Examples that each message about a target ends with. */
const examples = "Examples: 8080, :8080, 127.0.0.2:8080, [::1]:443, localhost:80.";

/**
 * What to watch: "8080", ":8080" (every address), "127.0.0.2:8080", "[::1]:443", "*:80" (the wildcard addresses),
 * "localhost:80" (127.0.0.1 and ::1), "[fe80::1%eth0]:80" (bound to an interface).
 * @throws InvalidArgumentError
 */
export function targetOf(text: string): Target {
  if (text.includes("/"))
    throw new InvalidArgumentError(
      `This looks like a path or a URL. watch takes the address and port of a TCP listener. Without an argument it shows UNIX listeners, too. ${examples}`,
    );
  const { host, bracketed, port } = partsOf(text);
  if (!bracketed && host.includes(":")) throw new InvalidArgumentError(ambiguous(text));
  if (!(port >= 1 && port <= 65535)) throw new InvalidArgumentError(`A port is a number from 1 to 65535. ${examples}`);
  if (host === "" && !bracketed) return { text: `port ${port}`, port };
  const [address = "", device] = host.split("%");
  return { text, port, addresses: addressesOf(address, bracketed), ...(device && { device }) };
}

/** The host is "" and the port NaN where there is none. */
function partsOf(text: string): { host: string; bracketed: boolean; port: number } {
  if (/^\d+$/.test(text)) return { host: "", bracketed: false, port: Number(text) };
  const {
    inside,
    bare = "",
    port,
  } = /^(?:\[(?<inside>[^\]]*)\]|(?<bare>[^[\]]*)):(?<port>\d+)$/.exec(text)?.groups ?? {};
  return { host: inside ?? bare, bracketed: inside !== undefined, port: Number(port) };
}

function ambiguous(text: string): string {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(text) ?? [];
  const reading = isIPv6(host) ? `: [${host}]:${port}` : "";
  return `An IPv6 address stands in brackets, because its last part could be a port${reading}. ${examples}`;
}

function addressesOf(host: string, bracketed: boolean): string[] {
  if (!bracketed && host === "localhost") return ["127.0.0.1", "::1"];
  if (!bracketed && host === "*") return ["0.0.0.0", "::"];
  if (!bracketed && isIPv4(host)) return [host];
  if (bracketed && isIPv6(host)) return [new SocketAddress({ address: host, family: "ipv6" }).address];
  throw new InvalidArgumentError(
    bracketed
      ? `"${host}" is no IPv6 address. ${examples}`
      : `"${host}" is no IPv4 address, and watch looks up no names but localhost. ${examples}`,
  );
}

/**
 * "80%", "drops", "overflows", or several with commas; a second --alert adds to the first.
 * @throws InvalidArgumentError
 */
export function alertOf(text: string, before: Alert = {}): Alert {
  return text.split(",").reduce<Alert>((alert, part) => {
    if (part === "overflows" || part === "drops") return { ...alert, [part]: true };
    const value = Number(/^(\d+(?:\.\d+)?)%$/.exec(part)?.[1]);
    if (!(value > 0 && value <= 100))
      throw new InvalidArgumentError(
        "An alert is a percentage above 0 and up to 100, such as 80%; or drops; or overflows; or several, such as 80%,overflows.",
      );
    return { ...alert, share: Math.min(value / 100, alert.share ?? 1) };
  }, before);
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** "30" (seconds), "500ms", "10m", "24h". @returns ms @throws InvalidArgumentError */
export function durationOf(text: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const value = Number(number) * units[unit as keyof typeof units];
  if (!(value > 0 && value <= 1e10))
    throw new InvalidArgumentError("A time is a number of seconds, or a number with a unit, such as 500ms, 10m, 24h.");
  return value;
}

/** Samples per second, 1 to 1000. @throws InvalidArgumentError */
export function rateOf(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 1000))
    throw new InvalidArgumentError("The samples per second are a number from 1 to 1000.");
  return value;
}
