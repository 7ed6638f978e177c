import { LabError } from "../errors";

/**
 * The bytes are not a TCP segment in an IPv4 packet, or a segment cannot be written as bytes. `code` is ERR_SEGMENT.
 */
export class SegmentError extends LabError {
  /** the byte at fault, counted from the start of the IPv4 header; undefined when a segment could not be written */
  declare readonly offset?: number;

  /**
   * @param message names the byte or the field that is wrong
   * @param hint what to do about it
   * @param offset of the wrong byte, from the start of the IPv4 header
   */
  constructor(message: string, hint?: string, offset?: number) {
    super(message, { code: "ERR_SEGMENT", hint });
    if (offset !== undefined) this.offset = offset;
  }
}
