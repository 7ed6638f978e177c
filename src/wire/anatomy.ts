/** The bytes of a packet with their names: which are the port, the sequence number, the flags. */
import { flagWords, optionText } from "./notation";
import { type DecodeOptions, locate } from "./segment";

/** One field of a header, or the data. Bit fields that share bytes are one part. */
export interface Part {
  /** first byte, from the start of the IPv4 header */
  offset: number;
  /** bytes */
  length: number;
  /** the header that it belongs to */
  layer: "IPv4" | "TCP" | "TCP option" | "data";
  /** the field's name: "sequence number" */
  name: string;
  /** the bytes in hexadecimal; of data the first 16 */
  bytes: string;
  /** the field's value as text */
  value: string;
}

const shownDataBytes = 16;

/**
 * Every field of an IPv4 packet with a TCP segment, in order; their lengths add up to the packet's. Sources: RFC 791
 * 3.1, RFC 9293 3.1.
 * @throws SegmentError as decode()
 */
export function anatomy(bytes: Uint8Array, options?: DecodeOptions): Part[] {
  const { segment, options: placed, tcp, payload, end } = locate(bytes, options);
  const parts: Part[] = [];
  const add = (layer: Part["layer"], offset: number, length: number, name: string, value: string | number) => {
    const shown = Buffer.from(bytes.subarray(offset, offset + Math.min(length, shownDataBytes)))
      .toString("hex")
      .replace(/..(?=.)/g, "$& ");
    parts.push({
      offset,
      length,
      layer,
      name,
      bytes: length > shownDataBytes ? `${shown} …` : shown,
      value: String(value),
    });
  };
  const { ip } = segment;
  add("IPv4", 0, 1, "version, header length", `IPv4, ${tcp} bytes`);
  add("IPv4", 1, 1, "type of service", ip.tos);
  add("IPv4", 2, 2, "total length", `${end} bytes`);
  add("IPv4", 4, 2, "identification", ip.identification);
  add("IPv4", 6, 2, "fragment flags, offset", ip.dontFragment ? "don't fragment" : "may be fragmented");
  add("IPv4", 8, 1, "time to live", `${ip.ttl} hops`);
  add("IPv4", 9, 1, "protocol", "6: TCP");
  add("IPv4", 10, 2, "header checksum", segment.checksums.ip === undefined ? "right" : "wrong");
  add("IPv4", 12, 4, "source address", segment.source.address);
  add("IPv4", 16, 4, "destination address", segment.destination.address);
  if (tcp > 20) add("IPv4", 20, tcp - 20, "options", "IPv4 options");
  add("TCP", tcp, 2, "source port", segment.source.port);
  add("TCP", tcp + 2, 2, "destination port", segment.destination.port);
  add("TCP", tcp + 4, 4, "sequence number", segment.sequence);
  add(
    "TCP",
    tcp + 8,
    4,
    "acknowledgment number",
    segment.flags.ack ? segment.acknowledgment : `${segment.acknowledgment} (means nothing without ACK)`,
  );
  add("TCP", tcp + 12, 1, "data offset", `header of ${payload - tcp} bytes`);
  add("TCP", tcp + 13, 1, "flags", flagWords(segment));
  add("TCP", tcp + 14, 2, "window", `${segment.window} bytes`);
  add("TCP", tcp + 16, 2, "checksum", segment.checksums.tcp === undefined ? "right" : "wrong");
  add("TCP", tcp + 18, 2, "urgent pointer", segment.urgentPointer);
  let at = tcp + 20;
  for (const { option, at: place, length } of placed) {
    add("TCP option", tcp + 20 + place, length, option.kind, optionText(option));
    at = tcp + 20 + place + length;
  }
  if (at < payload) add("TCP option", at, payload - at, "end", "padding to a multiple of four");
  if (payload < end)
    add(
      "data",
      payload,
      end - payload,
      "data",
      JSON.stringify(Buffer.from(segment.payload.subarray(0, shownDataBytes)).toString("latin1")),
    );
  return parts;
}
