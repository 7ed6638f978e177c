/** The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words. */

/** The sum so far, carries not yet folded in; an odd last byte counts as the high half of a word. Sums of less than 2^36 bytes are exact. */
function addUp(bytes: Uint8Array, start: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const even = bytes.length & ~1;
  let sum = start;
  for (let at = 0; at < even; at += 2) sum += view.getUint16(at);
  return even < bytes.length ? sum + (view.getUint8(even) << 8) : sum;
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The checksum of an IPv4 header (RFC 791, 3.1); 0 if the header holds its right checksum. */
export function headerChecksum(header: Uint8Array): number {
  return fold(addUp(header, 0));
}

/**
 * The checksum of a TCP segment, pseudo-header included (RFC 9293, 3.1); 0 if the segment holds its right checksum.
 * @param addresses source and destination as they stand in the IPv4 header, 8 bytes
 */
export function segmentChecksum(addresses: Uint8Array, segment: Uint8Array): number {
  const protocol = 6;
  return fold(addUp(segment, addUp(addresses, protocol + segment.length)));
}
