/** The bytes of a packet as the RFCs draw headers, 32 bits a row, with what they say. */
import { textTable } from "../wording/text-table";
import { anatomy, type Part } from "../wire/anatomy";
import type { WireEntry } from "../wire/log";
import { showHtml } from "./display";
import { escapeHtml } from "./page";
import { palette } from "./palette";

const rowBytes = 4;
const shownDataBytes = 16;

/** Fields that the story of a handshake is about have colours of their own. */
const fieldColours: Record<string, string> = {
  "source port": palette.acceptQueue,
  "destination port": palette.acceptQueue,
  "sequence number": palette.synQueue,
  "acknowledgment number": palette.cookies,
  flags: palette.limit,
  window: palette.accepted,
};
const layerColours: Record<Part["layer"], string> = {
  IPv4: palette.other,
  TCP: palette.other,
  "TCP option": palette.prediction,
  data: palette.accepted,
};

/** Shows a packet's bytes under the running cell. @throws SegmentError if they are no segment */
export function bytes(packet: Uint8Array | WireEntry, { ip = false }: { ip?: boolean } = {}): void {
  const raw = packet instanceof Uint8Array ? packet : packet.bytes;
  const parts = anatomy(raw, { verify: false }).filter(({ layer }) => ip || layer !== "IPv4");
  showHtml(
    `<table style="border-collapse:collapse;table-layout:fixed;width:100%;max-width:860px;margin:.4em 0;text-align:left">${rowsOf(raw, parts).join("")}</table>`,
    textTable(
      [
        { title: "byte", align: "right" },
        { title: "field", align: "left" },
        { title: "bytes", align: "left" },
        { title: "says", align: "left" },
      ],
      parts.map(({ offset, name, bytes, value }) => [String(offset), name, bytes, value]),
    ),
  );
}

/** One cell a field, and one for each further row that it reaches into. */
function rowsOf(raw: Uint8Array, parts: readonly Part[]): string[] {
  const rows: string[][] = [];
  const start = parts[0]?.offset ?? 0;
  for (const part of parts) {
    const length = Math.min(part.length, shownDataBytes);
    for (let at = 0; at < length;) {
      const place = part.offset + at - start;
      const span = Math.min(rowBytes - (place % rowBytes), length - at);
      (rows[Math.floor(place / rowBytes)] ??= []).push(
        cell(part, raw.subarray(part.offset + at, part.offset + at + span), at === 0),
      );
      at += span;
    }
  }
  return rows.map(
    (cells, at) =>
      `<tr><td style="width:3em;text-align:right;opacity:.6;padding:0 .6em">${start + at * rowBytes}</td>${cells.join("")}</tr>`,
  );
}

function cell(part: Part, shown: Uint8Array, first: boolean): string {
  const colour = fieldColours[part.name] ?? layerColours[part.layer];
  const hex = Buffer.from(shown)
    .toString("hex")
    .replace(/..(?=.)/g, "$& ");
  const words = first
    ? `<div style="font-size:.8em;opacity:.85;white-space:normal;line-height:1.2">${escapeHtml(part.name)}</div>`
    : "";
  const says = first
    ? `<div style="font-size:.85em;white-space:normal;line-height:1.2"><b>${escapeHtml(part.value)}</b></div>`
    : "";
  return `<td colspan="${shown.length}" title="${escapeHtml(`${part.layer}, byte ${part.offset}: ${part.name} = ${part.value}`)}" style="border:1px solid ${colour};background:${colour}2e;padding:.25em .5em;vertical-align:top;text-align:left">${words}<code style="background:none;font-size:1.05em">${hex}</code>${says}</td>`;
}
