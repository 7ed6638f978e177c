/**
 * Segments as packetdrill writes them: `< S 0:0(0) win 65535 <mss 1460>`. `<` goes to the kernel under test, `>` comes from it.
 * Source: the packetdrill manual's syntax; what it has no word for (unknown options) is written in its manner.
 */
import type { TcpOption } from "./options";
import type { Segment } from "./segment-shape";

export type Direction = "in" | "out";

export interface NotationOptions {
  /** of each direction, subtracted from its numbers: the initial sequence numbers make them relative. Default 0: the numbers as they are */
  base?: { sequence: number; acknowledgment: number };
}

/** S, F, R, P, . (ack), U, E, W in packetdrill's order. */
export function flagLetters({ flags }: Segment): string {
  return (
    [
      flags.fin && "F",
      flags.syn && "S",
      flags.rst && "R",
      flags.psh && "P",
      flags.ack && ".",
      flags.urg && "U",
      flags.ece && "E",
      flags.cwr && "W",
    ]
      .filter(Boolean)
      .join("") || "-"
  );
}

/** "SYN, ACK": as prose names them. */
export function flagWords({ flags }: Segment): string {
  return (
    [
      flags.syn && "SYN",
      flags.fin && "FIN",
      flags.rst && "RST",
      flags.psh && "PSH",
      flags.ack && "ACK",
      flags.urg && "URG",
      flags.ece && "ECE",
      flags.cwr && "CWR",
    ]
      .filter(Boolean)
      .join(", ") || "no flags"
  );
}

/** @param base subtracted from the numbers of SACK blocks, which are the other side's, as the acknowledgment is */
export function optionText(option: TcpOption, base = 0): string {
  switch (option.kind) {
    case "mss":
      return `mss ${option.mss}`;
    case "windowScale":
      return `wscale ${option.shift}`;
    case "sackPermitted":
      return "sackOK";
    case "sack":
      return `sack ${option.blocks.map(({ left, right }) => `${(left - base) >>> 0}:${(right - base) >>> 0}`).join(" ")}`;
    case "timestamps":
      return `TS val ${option.value} ecr ${option.echo}`;
    case "fastOpen":
      return `FO ${hex(option.cookie)}`.trimEnd();
    case "nop":
      return "nop";
    case "end":
      return "eol";
    case "unknown":
      return `kind ${option.number} ${hex(option.data)}`.trimEnd();
  }
}

/** One line, without time. */
export function notation(
  segment: Segment,
  direction?: Direction,
  { base = { sequence: 0, acknowledgment: 0 } }: NotationOptions = {},
): string {
  const first = (segment.sequence - base.sequence) >>> 0;
  const last = (first + segment.payload.length) >>> 0;
  const parts = [`${flagLetters(segment)} ${first}:${last}(${segment.payload.length})`];
  if (segment.flags.ack) parts.push(`ack ${(segment.acknowledgment - base.acknowledgment) >>> 0}`);
  parts.push(`win ${segment.window}`);
  if (segment.flags.urg) parts.push(`urg ${segment.urgentPointer}`);
  if (segment.options.length > 0)
    parts.push(`<${segment.options.map((option) => optionText(option, base.acknowledgment)).join(",")}>`);
  return `${direction === undefined ? "" : direction === "in" ? "< " : "> "}${parts.join(" ")}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
