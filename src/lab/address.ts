/** IPv4 addresses as text and as 32-bit integers, and networks of them. */
import { ArgumentError } from "../errors";

/** 2130706433 → "127.0.0.1" */
export function dotted(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join(".");
}

/** "127.0.0.1" → 2130706433. @throws ArgumentError that names it */
export function parseAddress(text: unknown, name = "address"): number {
  const parts = typeof text === "string" && /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split(".").map(Number) : [];
  if (parts.length !== 4 || parts.some((part) => part > 255))
    throw new ArgumentError(`${name} must be an IPv4 address, not ${shown(text)}.`, 'Like "10.2.0.1".');
  return parts.reduce((address, part) => ((address << 8) | part) >>> 0, 0);
}

/** As JSON writes it; what JSON has no form for (undefined, a function) as text. */
function shown(value: unknown): string {
  const json: unknown = JSON.stringify(value);
  return typeof json === "string" ? json : String(value);
}

/** All addresses whose first `prefix` bits are the same. */
export class Network {
  readonly prefix: number;
  /** the first address */
  readonly base: number;

  /** @param text like "10.128.0.0/9" @throws ArgumentError */
  constructor(text: string, name = "network") {
    const [address, prefix] = typeof text === "string" ? text.split("/") : [];
    this.prefix = prefix === undefined || !/^\d+$/.test(prefix) ? NaN : Number(prefix);
    if (!(this.prefix >= 0 && this.prefix <= 32))
      throw new ArgumentError(`${name} must be a network, not ${shown(text)}.`, 'Like "10.128.0.0/9".');
    this.base = (parseAddress(address, name) & this.mask) >>> 0;
  }

  get mask(): number {
    return this.prefix === 0 ? 0 : (-1 << (32 - this.prefix)) >>> 0;
  }

  /** how many addresses */
  get size(): number {
    return 2 ** (32 - this.prefix);
  }

  get address(): string {
    return dotted(this.base);
  }

  has(address: number): boolean {
    return (address & this.mask) >>> 0 === this.base;
  }

  /** Whether all of `other` lies in this one. */
  contains(other: Network): boolean {
    return other.prefix >= this.prefix && this.has(other.base);
  }

  toString(): string {
    return `${this.address}/${this.prefix}`;
  }
}
