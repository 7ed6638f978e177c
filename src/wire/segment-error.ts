import { LabError } from "../errors";

/** Bytes that are no segment, or a segment that cannot be written as bytes. */
export class SegmentError extends LabError {
  /** where in the packet the trouble is, bytes from the start of the IPv4 header; undefined for values that were to be written */
  declare readonly offset?: number;

  constructor(message: string, hint?: string, offset?: number) {
    super(message, { code: "ERR_SEGMENT", hint });
    if (offset !== undefined) this.offset = offset;
  }
}
