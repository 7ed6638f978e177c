/**
 * What is open, and which run of a notebook cell opened it. A cell that fails or is interrupted leaves nothing of its own behind, and
 * a cell that is run again starts when everything that its last run opened is closed. Outside notebooks this is a plain set of open
 * things.
 */
import { kernelHook, type CellEvent, type CellRun } from "../kernel/hook";

/** A thing of a Lab that must be closed. */
export interface Closable {
  /** Frees what it holds. Idempotent. */
  close(): Promise<void>;
}

/** open things, oldest first, with the run that opened each */
const open = new Map<Closable, CellRun | undefined>();
/** what is being closed at this moment */
const closing = new Set<Promise<unknown>>();

kernelHook()?.onCell(onCell);

/** Remembers `thing` until forget(): it is closed with the run of the cell that opened it. */
export function own<T extends Closable>(thing: T): T {
  open.set(thing, kernelHook()?.run);
  return thing;
}

export function forget(thing: Closable): void {
  open.delete(thing);
}

/** What is open now, for tests and for the curious. */
export function owned(): Closable[] {
  return [...open.keys()];
}

/** Counts `done` as a closing under way until it is settled: a cell that starts waits for it, whether its caller does or not. */
export function whileClosing<T>(done: Promise<T>): Promise<T> {
  closing.add(done);
  const settled = () => void closing.delete(done);
  done.then(settled, settled);
  return done;
}

/** Resolves when all closings that are under way now are settled: true if there was one. */
export async function closingsSettled(): Promise<boolean> {
  const now = [...closing];
  await Promise.allSettled(now);
  return now.length > 0;
}

/** Resolves when everything that the cell must not meet, or must not leave behind, is closed. */
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
    console.error("While closing what an earlier run left open:", error);
  }
}
