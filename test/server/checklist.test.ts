import assert from "node:assert/strict";
import { ArgumentError } from "../../dist/errors";
import { Lab } from "../../dist/front-door";
import type { CheckRow } from "../../dist/server/checklist";

/** The row whose check begins so. */
function row(rows: readonly CheckRow[], begins: string): CheckRow {
  const found = rows.find(({ check }) => check.startsWith(begins));
  assert.ok(found, `no row "${begins}" among ${rows.map(({ check }) => check).join("; ")}`);
  return found;
}

describe("the checklist", function () {
  this.timeout(20_000);
  let lab: Lab;
  beforeEach(async () => {
    lab = await Lab.open({ wire: false });
  });
  afterEach(() => lab.close());

  it("finds a burst that does not fit", async () => {
    await lab.listen({ port: 8080, backlog: 5 });
    const rows = await lab.checklist(8080, { burst: 20 });
    assert.deepEqual(row(rows, "backlog").verdict, "bad");
    assert.deepEqual(
      { ...row(rows, "queue in a burst of 20"), advice: "" },
      { check: "queue in a burst of 20, at most", found: "6 of 6", verdict: "bad", advice: "" },
    );
    assert.match(
      row(rows, "time to connect").found,
      /^6 connected, the slowest after .* SYNs retransmitted: [1-9]\d*$/,
    );
    assert.equal(row(rows, "time to connect").verdict, "bad");
    assert.match(row(rows, "overflows in the burst").found, /ListenOverflows [1-9]/);
    for (const { verdict, advice } of rows) assert.equal(advice === "", verdict === "good");
  });

  it("looks at the burst alone: what happened in the Lab before does not count", async () => {
    const full = await lab.listen({ port: 8081, backlog: 0 });
    const clients = await lab.connect(full, { clients: 5, quiet: 50 });
    await clients.close();
    const listener = await lab.listen({ port: 8080, backlog: 200 });
    listener.acceptLoop({ close: true });
    const before = await lab.checklist(8080);
    assert.match(row(before, "overflows in this Lab so far").found, /ListenOverflows [1-9]/);
    assert.equal(row(before, "overflows").verdict, "bad");
    const rows = await lab.checklist(8080, { burst: 20 });
    assert.equal(row(rows, "overflows in the burst").found, "ListenOverflows 0, ListenDrops 0");
    assert.match(row(rows, "time to connect").found, /^20 connected, .*; SYNs retransmitted: 0$/);
    assert.deepEqual(
      rows.filter(({ verdict }) => verdict !== "good"),
      [],
    );
  });

  it("refuses what it does not know", async () => {
    await lab.listen({ port: 8080 });
    await assert.rejects(lab.checklist(8080, { bursts: 20 } as never), ArgumentError);
    await assert.rejects(lab.checklist(8080, { burst: 0 }), ArgumentError);
  });
});
