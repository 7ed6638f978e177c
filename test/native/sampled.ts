/** Samplers in tests: all rows that one has given, however often they were taken. */
import type { Sampler, SamplerRows } from "../../dist/native";
import { until } from "../fixtures/waiting";

/** One typed array of several. */
function joined<Column extends Float64Array | Uint32Array>(columns: Column[]): Column {
  const [first] = columns;
  const whole = new (first.constructor as new (length: number) => Column)(
    columns.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const column of columns) {
    whole.set(column, at);
    at += column.length;
  }
  return whole;
}

/** Tables that belong together, one below the other. */
function stacked<Table extends object>(tables: Table[]): Table {
  const [first] = tables;
  const entries = Object.entries(first).map(([name, column]) => {
    const all = tables.map((table) => table[name as keyof Table]);
    if (!Array.isArray(column)) return [name, joined(all as Float64Array[])];
    return [name, column.map((_, at) => joined((all as Float64Array[][]).map((columns) => columns[at])))];
  });
  return Object.fromEntries(entries) as Table;
}

/** A sampler that keeps its rows. */
export class Sampled {
  private readonly parts: SamplerRows[] = [];

  constructor(readonly sampler: Sampler) {}

  /** Drains; what came. */
  take(): SamplerRows {
    const rows = this.sampler.take();
    this.parts.push(rows);
    return rows;
  }

  /** Resolves after `count` more samples. Of two, one began after the call: it has seen what had happened until then. */
  async samples(count = 2): Promise<void> {
    const wanted = this.take().samples + count;
    await until(() => this.take().samples >= wanted, `${count} samples`);
  }

  /** Ends it; all rows since its start. */
  async stop(): Promise<SamplerRows> {
    await this.sampler.stop();
    const last = this.take();
    return {
      ...last,
      queues: stacked(this.parts.map(({ queues }) => queues)),
      listeners: stacked(this.parts.map(({ listeners }) => listeners)),
      counters: stacked(this.parts.map(({ counters }) => counters)),
      clients: stacked(this.parts.map(({ clients }) => clients)),
    };
  }
}
