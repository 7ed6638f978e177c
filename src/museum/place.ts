/** A kernel that something can be run on: an installed one, or the one that runs this process. */
import { release } from "node:os";
import { ArgumentError, type LabError } from "../errors";
import { boot, type BootEnd, type BootOptions } from "./boot";
import { runHere } from "./here";
import { installed, type Kernel, kernelOf } from "./kernel";

/** The kernel that runs this process, as readers name it. */
export const here = "here";

/** A kernel to run on: an installed one, this one, or none of that name. */
export interface Place {
  name: string;
  version: string;
  /** as the progress names it */
  label: string;
  kernel?: Kernel;
  missing?: LabError;
}

/** @throws ArgumentError none of them can be run on: nothing to compare */
export function placesOf(names: readonly string[]): Place[] {
  const places = names.map((name): Place => {
    if (name === here) return { name, version: release(), label: `here, Linux ${release()}` };
    try {
      const kernel = kernelOf(name);
      return { name, version: kernel.version, label: `Linux ${kernel.version}`, kernel };
    } catch (missing) {
      return { name, version: "", label: `"${name}"`, missing: missing as LabError };
    }
  });
  const [first] = places;
  if (first?.missing && places.every(({ missing }) => missing)) {
    if (installed().length > 0) throw first.missing;
    throw new ArgumentError(
      "No other kernel is installed.",
      'Fetch some in a terminal: npx one-listener kernels get. On this kernel alone: onKernels(["here"], …)',
    );
  }
  return places;
}

/**
 * Runs a command there, as boot() does.
 * @throws LabError, InterruptedError as boot() and runHere() do; `place.missing` where there is no such kernel
 */
export async function runAt(place: Place, command: readonly string[], options: BootOptions): Promise<BootEnd> {
  if (place.missing) throw place.missing;
  return place.kernel ? boot(place.kernel, command, options) : runHere(command, options);
}
