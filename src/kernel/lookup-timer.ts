/**
 * TypeScript's watch program starts a second timer when a package is installed, changed or removed: to look up modules again that
 * it did not find before. tslab has a place for one timer only, the one of the next rebuild. From then on each cell fails with
 * "Unexpected pending rebuildTimer". The second timer is not needed: a rebuild stops it and does its work first
 * (synchronizeProgram() in TypeScript), and each cell is a rebuild. So it is never started.
 */
import { compiler } from "./compiler";

type SetTimer = (callback: () => void, ...rest: unknown[]) => unknown;
type ClearTimer = (timer: unknown) => void;

/** TypeScript's name of what the second timer would call */
const lookupAgain = "invalidateResolutionsOfFailedLookup";

/** what TypeScript holds instead of a second timer */
const neverFires = {};

const setTimer =
  (start: SetTimer): SetTimer =>
  (callback, ...rest) =>
    callback.name === lookupAgain ? neverFires : start(callback, ...rest);

const clearTimer =
  (clear: ClearTimer): ClearTimer =>
  (timer) => {
    if (timer !== neverFires) clear(timer);
  };

/** To be called before tslab makes a converter. Outside of tslab's converters TypeScript's timers stay as they are. */
export function dropLookupTimer(): void {
  wrapAssignments("setTimeout", setTimer);
  wrapAssignments("clearTimeout", clearTimer);
}

/**
 * A converter of tslab inherits from TypeScript's `sys` and assigns timers of its own to the object that it has made. Nothing else
 * of it can be reached from outside, so the assignment itself is caught.
 */
function wrapAssignments<F>(name: "setTimeout" | "clearTimeout", wrap: (assigned: F) => F): void {
  const original: unknown = Reflect.get(compiler().sys, name);
  Object.defineProperty(compiler().sys, name, {
    configurable: true,
    get: () => original,
    set(this: object, assigned: F) {
      Object.defineProperty(this, name, { value: wrap(assigned), writable: true, configurable: true });
    },
  });
}
