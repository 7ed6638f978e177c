/**
 * What connections make the kernel allocate. The scale is that of the whole machine, and other programs stand on it as well. So the load
 * comes in parts, each part is weighed, and the parts' figures are a range: a disturbance shows in one of them.
 * Between the parts nothing is loaded, and what the scale moves then widens the range.
 */
import { setTimeout as wait } from "node:timers/promises";
import { kernelMemory, tcpSocketBytes } from "../lab/memory";
import { native } from "../native";
import { UndecidedError } from "./claim";
import { amount, optional } from "./evidence";
import { median } from "./median";

/** Bytes each, of several weighings. */
export interface Weight {
  /** the median of the parts */
  middle: number;
  /** the least of the parts */
  least: number;
  /** the most of the parts */
  most: number;
}

/** What weighParts() gives. */
export interface Weighed {
  /** how many there are in all */
  count: number;
  /** bytes of kernel objects each; a connection's is not less than its socket, whose size the kernel tells */
  objects: Weight;
  /** bytes of TCP's buffers each */
  buffers: Weight;
}

/**
 * Puts parts of a load on top of each other, and weighs each of them.
 * @param load adds part `part`, 0 and up, and gives how many sockets came with it, 1 or more
 */
export async function weighParts(parts: number, load: (part: number) => Promise<number>): Promise<Weighed> {
  const objects: number[] = [];
  const buffers: number[] = [];
  let count = 0;
  // what the scale moved by itself during a part, as far as can be told from the moments after it
  let drift = 0;
  const floor = tcpSocketBytes();
  for (let part = 0; part < parts; part++) {
    const before = kernelMemory();
    const start = native.now();
    const added = Math.max(1, await load(part));
    const took = native.now() - start;
    const after = kernelMemory();
    objects.push(Math.max(floor, (after.slab - before.slab) / added));
    buffers.push(Math.max(0, after.tcpBuffers - before.tcpBuffers) / added);
    count += added;
    drift = Math.max(drift, (Math.abs(await driftPerMs(after.slab)) * took) / added);
  }
  return { count, objects: weightOf(objects, { floor, drift }), buffers: weightOf(buffers) };
}

/** ms for which the scale is watched without a load */
const watched = 200;

/** Bytes by which the kernel's objects grow in a ms while nothing is loaded: those of other programs. @param slab what they were just now */
async function driftPerMs(slab: number): Promise<number> {
  const start = native.now();
  await wait(watched);
  return (kernelMemory().slab - slab) / (native.now() - start);
}

/**
 * The range of several figures.
 * @param each one or more
 * @param drift what the scale may have moved by itself: the range is so much wider at both ends, but not below `floor`
 */
export function weightOf(
  each: readonly number[],
  { floor = 0, drift = 0 }: { floor?: number; drift?: number } = {},
): Weight {
  return { middle: median(each), least: Math.max(floor, Math.min(...each) - drift), most: Math.max(...each) + drift };
}

/** Fields of the evidence: the range of what `bytesEach` is the median of. */
export const rangeFields = {
  bytesLeast: optional(amount("bytes of the lightest part, where the load was weighed in parts")),
  bytesMost: optional(amount("bytes of the heaviest part")),
};

/** "2,890 bytes each", or with a range: "2,890 bytes each (2,850 to 2,911)"; `show` words one figure. */
export function rangeWords(
  middle: number,
  { bytesLeast, bytesMost }: { bytesLeast?: number; bytesMost?: number },
  show: (bytes: number) => string,
): string {
  if (bytesLeast === undefined || bytesMost === undefined || show(bytesLeast) === show(bytesMost)) return show(middle);
  return `${show(middle)} (${show(bytesLeast)} to ${show(bytesMost)})`;
}

/**
 * For judges, before a verdict: the parts must agree on which side of `limit` they lie.
 * @throws UndecidedError the median and most of the parts lie on different sides, because other programs allocate memory, too
 */
export function requireAgreement(
  { bytesLeast, bytesMost }: { bytesLeast?: number; bytesMost?: number },
  limit: number,
  measured: string,
  kernel: string,
): void {
  if (bytesLeast === undefined || bytesMost === undefined) return;
  if (bytesLeast >= limit === bytesMost >= limit) return;
  throw new UndecidedError(
    measured,
    "The parts of the load weigh too differently: the figures are the whole machine's, and other programs allocate kernel memory, too. Measure again when the machine is quiet.",
    kernel,
  );
}
