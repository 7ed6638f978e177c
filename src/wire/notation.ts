/**
 * Segments as packetdrill writes them: `< S 0:0(0) win 65535 <mss 1460>`. `<` goes to the kernel under test, `>` comes
 * from it. Source: the syntax in packetdrill's manual. Options that packetdrill cannot write are written in the same
 * style.
 */
import type { TcpOption } from "./options";
import type { Segment } from "./segment-shape";

/** "in": to the Lab's kernel; "out": from it. */
export type Direction = "in" | "out";

/** How notation() writes numbers. */
export interface NotationOptions {
  /** numbers to subtract. The initial sequence numbers of both sides make the segment's numbers relative. Default 0 */
  base?: {
    /** subtracted from the sequence number */
    sequence: number;
    /** subtracted from the acknowledgment number */
    acknowledgment: number;
  };
}

/** The flags as packetdrill writes them: F, S, R, P, . (ACK), U, E, W; "-" without flags. */
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

/** The flags by name: "SYN, ACK"; "no flags" without flags. */
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

/**
 * One option: "mss 1460", "TS val 5 ecr 0".
 * @param base subtracted from the numbers of SACK blocks, which are the other side's, as the acknowledgment number is
 */
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

/** The segment in one line, without a time. @param direction left out: without `<` or `>` */
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
