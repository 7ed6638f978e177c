/**
 * What experiments share: a Lab for a while, waiting for the kernel to come to rest, and measuring once for several claims.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Lab, LabOptions } from "../front-door";
import { native } from "../native";

/** Runs `experiment` unless it has run already, and gives its result. */
export type Once = <T>(experiment: () => Promise<T>) => Promise<T>;

/** A memory for one run of the claims: each experiment runs once, however many claims need it. */
export function once(): Once {
  const results = new Map<() => Promise<unknown>, Promise<unknown>>();
  return <T>(experiment: () => Promise<T>): Promise<T> => {
    if (!results.has(experiment)) results.set(experiment, experiment());
    return results.get(experiment) as Promise<T>;
  };
}

/** descriptors that an experiment needs beside those of its clients */
const spare = 150;

/** So many clients, or fewer: as many as this process has descriptors for. */
export function clientsWithin(wanted: number): number {
  const { soft, open } = native.descriptors();
  return Math.max(1, Math.min(wanted, soft - open - spare));
}

/** Opens a Lab for `experiment` and closes it, however it ends. */
export async function inLab<T>(options: LabOptions, experiment: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.open(options);
  try {
    return await experiment(lab);
  } finally {
    await lab.close();
  }
}

/** Looks every 2 ms until `condition` holds: the ms it took, Infinity if it did not hold within `timeout` ms. */
export async function msUntil(condition: () => boolean, timeout: number): Promise<number> {
  const start = native.now();
  for (;;) {
    const elapsed = native.now() - start;
    if (condition()) return elapsed;
    if (elapsed >= timeout) return Infinity;
    await wait(2);
  }
}

/**
 * Waits until the numbers that `look` gives have stood still for `quiet` ms, or `timeout` ms are over. It expects nothing of the numbers, so
 * a kernel that does other than we think is measured as faithfully.
 */
export async function atRest(look: () => number[], { quiet = 150, timeout = 2500 }: { quiet?: number; timeout?: number } = {}): Promise<void> {
  let seen = "";
  let since = native.now();
  await msUntil(() => {
    const now = look().join();
    if (now !== seen) since = native.now();
    seen = now;
    return native.now() - since >= quiet;
  }, timeout);
}
