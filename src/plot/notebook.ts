import { randomBytes } from "node:crypto";
import { kernelHook, type DisplayBundle } from "../kernel/hook";

/** Sends a display to the notebook; with `update` it replaces those of the same transient.display_id. */
export type Send = (bundle: DisplayBundle, update: boolean) => void;

/** The way to the notebook: our launcher's hook, or tslab's own where it runs without the launcher; undefined outside notebooks. */
export function notebook(): Send | undefined {
  const hook = kernelHook();
  if (hook) return (bundle, update) => hook.display(bundle, update);
  // tslab's public API sends one form at a time, as a string; the function behind it sends bundles
  const tslab = Object.values(require.cache).find((module) => module?.filename.endsWith("/tslab/dist/jupyter.js"))?.exports as { lastWriteDisplayData?: ((bundle: object, update: boolean) => void) | null } | undefined;
  if (!tslab?.lastWriteDisplayData) return undefined;
  return (bundle, update) => tslab.lastWriteDisplayData?.({ metadata: {}, transient: {}, ...bundle }, update);
}

export function newDisplayId(): string {
  return `one-listener-${randomBytes(6).toString("hex")}`;
}
