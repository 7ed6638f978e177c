/** IPv4 addresses as text and as 32-bit integers, and networks of them. */
import { ArgumentError } from "../errors";

/**
 * An IPv4 address as text: 2130706433 → "127.0.0.1".
 * @param address a 32-bit integer; its most significant byte is the first number
 */
export function dotted(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join(".");
}

/**
 * An IPv4 address as a 32-bit integer: "127.0.0.1" → 2130706433.
 * @param name the name of the option or argument, for the message
 * @throws ArgumentError `text` is no IPv4 address
 */
export function parseAddress(text: unknown, name = "address"): number {
  const parts = typeof text === "string" && /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split(".").map(Number) : [];
  if (parts.length !== 4 || parts.some((part) => part > 255))
    throw new ArgumentError(
      `${name} must be an IPv4 address, not ${shown(text)}.`,
      'An address looks like "10.2.0.1".',
    );
  return parts.reduce((address, part) => ((address << 8) | part) >>> 0, 0);
}

/** As JSON writes it. A value without a form in JSON (undefined, a function) is written as text. */
function shown(value: unknown): string {
  const json: unknown = JSON.stringify(value);
  return typeof json === "string" ? json : String(value);
}

/** An IPv4 network: all addresses whose first `prefix` bits are the same. Source: RFC 4632. */
export class Network {
  /** bits of the prefix, 0 to 32 */
  readonly prefix: number;
  /** the first address, as a 32-bit integer */
  readonly base: number;

  /**
   * @param text the first address and the prefix: "10.128.0.0/9"; bits behind the prefix are ignored
   * @param name the name of the option or argument, for the message
   * @throws ArgumentError `text` is no network
   */
  constructor(text: string, name = "network") {
    const [address, prefix] = typeof text === "string" ? text.split("/") : [];
    this.prefix = prefix === undefined || !/^\d+$/.test(prefix) ? NaN : Number(prefix);
    if (!(this.prefix >= 0 && this.prefix <= 32))
      throw new ArgumentError(`${name} must be a network, not ${shown(text)}.`, 'A network looks like "10.128.0.0/9".');
    this.base = (parseAddress(address, name) & this.mask) >>> 0;
  }

  /** the mask as a 32-bit integer: 0xff800000 for a prefix of 9 */
  get mask(): number {
    return this.prefix === 0 ? 0 : (-1 << (32 - this.prefix)) >>> 0;
  }

  /** the number of addresses */
  get size(): number {
    return 2 ** (32 - this.prefix);
  }

  /** the first address, as text */
  get address(): string {
    return dotted(this.base);
  }

  /** Whether `address` (a 32-bit integer) lies in this network. */
  has(address: number): boolean {
    return (address & this.mask) >>> 0 === this.base;
  }

  /** Whether every address of `other` lies in this network. */
  contains(other: Network): boolean {
    return other.prefix >= this.prefix && this.has(other.base);
  }

  /** "10.128.0.0/9" */
  toString(): string {
    return `${this.address}/${this.prefix}`;
  }
}
