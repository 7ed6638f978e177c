/**
 * What is open, and in which notebook cell it was opened. A cell that fails or is interrupted leaves nothing of its own behind,
 * and running a cell again first closes what its last run opened. Outside notebooks this is a plain set of open things.
 *
 * The kernel launcher announces cells as process events ("one-listener:cell").
 */

export interface Closable {
  close(): void | Promise<void>;
}

export interface CellEvent {
  phase: "start" | "end" | "error" | "interrupt";
  cellId?: string;
}

interface Entry {
  cellId: string | undefined;
  run: number;
}

const open = new Map<Closable, Entry>();
let cellId: string | undefined;
let run = 0;

/** Remembers `thing` until forget(): it is closed with the cell that opened it. */
export function own<T extends Closable>(thing: T): T {
  open.set(thing, { cellId, run });
  return thing;
}

export function forget(thing: Closable): void {
  open.delete(thing);
}

/** What is open now, for tests and for the curious. */
export function owned(): Closable[] {
  return [...open.keys()];
}

async function closeWhere(matches: (entry: Entry) => boolean): Promise<void> {
  // the youngest first: recordings before listeners, listeners before Labs
  for (const [thing, entry] of [...open].reverse()) {
    if (!matches(entry) || !open.has(thing)) continue;
    open.delete(thing);
    try {
      await thing.close();
    } catch (error) {
      console.error("While closing what an earlier run left open:", error);
    }
  }
}

function onCell(event: CellEvent): void {
  if (event.phase === "start") {
    cellId = event.cellId;
    run += 1;
    const now = run;
    if (cellId !== undefined) void closeWhere((entry) => entry.cellId === event.cellId && entry.run < now);
  } else if (event.phase === "error" || event.phase === "interrupt") {
    const now = run;
    void closeWhere((entry) => entry.run === now && entry.cellId !== undefined);
  }
}

(process as NodeJS.EventEmitter).on("one-listener:cell", onCell);
