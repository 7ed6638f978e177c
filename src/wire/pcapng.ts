/**
 * Captures as pcapng files. Source: the IETF draft "PCAP Now Generic" (draft-ietf-opsawg-pcapng), section, interface description and
 * enhanced packet blocks.
 */
import type { Direction } from "./notation";

/** One packet of a capture. */
export interface CapturedPacket {
  /** ms since 1970-01-01 UTC */
  time: number;
  /** "in": to the Lab's kernel */
  direction: Direction;
  /** the packet from its IPv4 header on */
  bytes: Uint8Array;
}

const block = { section: 0x0a0d0d0a, interface: 1, packet: 6 } as const;
/** LINKTYPE_RAW: packets begin with their IP header */
const linkTypeRaw = 101;
const option = { end: 0, interfaceName: 2, timeResolution: 9, packetFlags: 2 } as const;
const nanoseconds = 9;
/** epb_flags: bits 0 and 1 */
const flags = { in: 1, out: 2 } as const;

/** The bytes of a capture file with these packets. */
export function pcapng(packets: readonly CapturedPacket[]): Buffer {
  const name = Buffer.from("wire0");
  return Buffer.concat([
    blockOf(block.section, Buffer.concat([words(0x1a2b3c4d), shorts(1, 0), words(0xffffffff, 0xffffffff)])),
    blockOf(
      block.interface,
      Buffer.concat([
        shorts(linkTypeRaw, 0),
        words(0),
        optionOf(option.interfaceName, name),
        optionOf(option.timeResolution, Buffer.of(nanoseconds)),
        shorts(option.end, 0),
      ]),
    ),
    ...packets.map(packetBlock),
  ]);
}

function packetBlock({ time, direction, bytes }: CapturedPacket): Buffer {
  const stamp = BigInt(Math.round(time * 1e3)) * 1000n;
  return blockOf(
    block.packet,
    Buffer.concat([
      words(0, Number(stamp >> 32n), Number(stamp & 0xffffffffn), bytes.length, bytes.length),
      padded(bytes),
      optionOf(option.packetFlags, words(flags[direction])),
      shorts(option.end, 0),
    ]),
  );
}

function blockOf(type: number, body: Buffer): Buffer {
  const length = body.length + 12;
  return Buffer.concat([words(type, length), body, words(length)]);
}

function optionOf(code: number, value: Buffer): Buffer {
  return Buffer.concat([shorts(code, value.length), padded(value)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => bytes.writeUInt32LE(value, 4 * at));
  return bytes;
}

function shorts(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, at) => bytes.writeUInt16LE(value, 2 * at));
  return bytes;
}
