/** The bytes of a packet as the RFCs draw headers, 32 bits a row, with what they say. */
import { html, style, type Html } from "../html";
import { anatomy, type Part } from "../wire/anatomy";
import type { WireEntry } from "../wire/log";
import { textTable } from "../wording/text-table";
import { showHtml } from "./display";
import { palette } from "./palette";

const rowBytes = 4;
const shownDataBytes = 16;

/** Fields that the story of a handshake is about have colours of their own. */
const fieldColours: Readonly<Record<string, string | undefined>> = {
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

/** What {@link bytes} shows. */
export interface BytesOptions {
  /** the IPv4 header as well; default false */
  ip?: boolean;
}

/**
 * Shows the meaning of each byte of a packet, as RFC 9293 (3.1) draws the header: 4 bytes per row, one field per cell.
 * Of the data it shows 16 bytes.
 * @param packet an IPv4 packet with a TCP segment, or an entry of a Wire's log
 * @throws SegmentError the bytes are not a segment
 */
export function bytes(packet: Uint8Array | WireEntry, { ip = false }: BytesOptions = {}): void {
  const raw = packet instanceof Uint8Array ? packet : packet.bytes;
  const parts = anatomy(raw, { verify: false }).filter(({ layer }) => ip || layer !== "IPv4");
  showHtml(
    html`<table ${style("packet")}>${rowsOf(raw, parts)}</table>`,
    textTable(
      [
        { title: "byte", align: "right" },
        { title: "field", align: "left" },
        { title: "bytes", align: "left" },
        { title: "says", align: "left" },
      ],
      parts.map(({ offset, name, bytes: hex, value }) => [String(offset), name, hex, value]),
    ),
  );
}

/** One cell for each field, and one for each further row that the field reaches into. */
function rowsOf(raw: Uint8Array, parts: readonly Part[]): Html[] {
  const rows: Html[][] = [];
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
    (cells, at) => html`<tr><td ${style("packetOffset")}>${String(start + at * rowBytes)}</td>${cells}</tr>`,
  );
}

function cell(part: Part, shown: Uint8Array, first: boolean): Html {
  const colour = fieldColours[part.name] ?? layerColours[part.layer];
  const look = style("packetField", { "border-color": colour, background: `${colour}2e` });
  const title = `${part.layer}, byte ${part.offset}: ${part.name} = ${part.value}`;
  const hex = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return html`<td colspan="${shown.length}" title="${title}" ${look}>${
    first && html`<div ${style("packetName")}>${part.name}</div>`
  }<code ${style("packetBytes")}>${hex}</code>${
    first && html`<div ${style("packetValue")}><b>${part.value}</b></div>`
  }</td>`;
}
