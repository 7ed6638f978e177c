/**
 * What experiments share: a Lab for a while, and measuring once for several claims.
 */
import { Lab, type LabOptions } from "../front-door";
import { native } from "../native";

/** Runs `experiment` unless it has run already, and gives its result. */
export type Once = <T>(experiment: () => Promise<T>) => Promise<T>;

/** A memory for one run of the claims: each experiment runs once, and all claims that need it share its result. */
export function once(): Once {
  const results = new Map<() => Promise<unknown>, Promise<unknown>>();
  return <T>(experiment: () => Promise<T>): Promise<T> => {
    if (!results.has(experiment)) results.set(experiment, experiment());
    return results.get(experiment) as Promise<T>;
  };
}

/** descriptors that an experiment needs beside those of its clients */
const spare = 150;

/** @returns `wanted`, or fewer: as many clients as this process has descriptors for, 1 at least */
export function clientsWithin(wanted: number): number {
  const { soft, open } = native.descriptors();
  return Math.max(1, Math.min(wanted, soft - open - spare));
}

/** Opens a Lab for `experiment`, and closes it when the experiment ends or fails. @throws LabError this machine does not allow the Lab */
export async function inLab<T>(options: LabOptions, experiment: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.open(options);
  try {
    return await experiment(lab);
  } finally {
    await lab.close();
  }
}
