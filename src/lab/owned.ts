/**
 * The open things, and the run of a notebook cell that opened each. When a cell fails or is interrupted, everything
 * that this run opened is closed. A cell that is run again starts when everything that its last run opened is closed.
 * Outside notebooks this is a plain set of open things.
 */
import { kernelHook, type CellEvent, type CellRun } from "../kernel/hook";

/** A thing of a Lab that must be closed: a Listener, a Recording, … */
export interface Closable {
  /** Closes its descriptors and ends its threads. Idempotent. */
  close(): Promise<void>;
}

/** open things, oldest first, with the run that opened each */
const open = new Map<Closable, CellRun | undefined>();
/** the closings under way */
const closing = new Set<Promise<unknown>>();

kernelHook()?.onCell(onCell);

/**
 * Remembers `thing` until forget(). It is closed when the run of the cell that opened it fails, or when that cell is
 * run again.
 */
export function own<T extends Closable>(thing: T): T {
  open.set(thing, kernelHook()?.run);
  return thing;
}

/** Forgets `thing`: it is closed, or its owner closes it. */
export function forget(thing: Closable): void {
  open.delete(thing);
}

/** The open things, oldest first. For tests. */
export function owned(): Closable[] {
  return [...open.keys()];
}

/**
 * Counts `done` as a closing under way until it is settled. A cell that starts waits for it, even if the caller of
 * close() did not.
 */
export function whileClosing<T>(done: Promise<T>): Promise<T> {
  closing.add(done);
  const settled = () => void closing.delete(done);
  done.then(settled, settled);
  return done;
}

/** Waits until all closings that are under way now are settled. Resolves to true if there was one. */
export async function closingsSettled(): Promise<boolean> {
  const now = [...closing];
  await Promise.allSettled(now);
  return now.length > 0;
}

/**
 * At the start of a run, closes what the cell's earlier runs left open. At a failure or an interrupt, closes what this
 * run opened.
 */
async function onCell({ phase, run }: CellEvent): Promise<void> {
  if (phase === "start") await closeWhere((opener) => opener?.id === run.id && opener !== run);
  else if (phase !== "end") await closeWhere((opener) => opener === run);
  await closingsSettled();
}

async function closeWhere(matches: (opener: CellRun | undefined) => boolean): Promise<void> {
  // the youngest first: recordings before listeners, listeners before Labs
  for (const [thing, opener] of [...open].reverse()) if (matches(opener)) await closeOne(thing);
}

async function closeOne(thing: Closable): Promise<void> {
  if (!open.delete(thing)) return;
  try {
    await whileClosing(Promise.resolve(thing.close()));
  } catch (error) {
    console.error("Closing what an earlier run left open failed:", error);
  }
}
