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

  describe("of several listeners", () => {
    const python = (lines: string[]) => [
      "-c",
      ["import socket, time", ...lines, 'print("listening", flush=True)', "time.sleep(60)"].join("\n"),
    ];
    const start = async (...lines: string[]) => {
      const program = await lab.spawn("python3", python(lines));
      await new Promise((resolve) => program.stdout.once("data", resolve));
      return program;
    };
    const ipv6 = (address: string, name: string, backlog: number) => [
      `${name} = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)`,
      `${name}.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)`,
      `${name}.bind(("${address}", 8080)); ${name}.listen(${backlog})`,
    ];
    const ipv4 = (address: string, name: string, backlog: number) => [
      `${name} = socket.socket(socket.AF_INET, socket.SOCK_STREAM)`,
      `${name}.bind(("${address}", 8080)); ${name}.listen(${backlog})`,
    ];
    const checks = (rows: readonly CheckRow[]) => rows.map(({ check }) => check);

    it("0.0.0.0 and [::] have a queue each, and share none", async () => {
      await start(...ipv4("0.0.0.0", "a", 5), ...ipv6("::", "b", 300));
      const now = await lab.checklist(8080);
      assert.deepEqual(checks(now).slice(0, 5), [
        "backlog of 0.0.0.0:8080",
        "backlog of [::]:8080",
        "somaxconn",
        "accept queue now of 0.0.0.0:8080",
        "accept queue now of [::]:8080",
      ]);
      assert.deepEqual(
        now.slice(0, 2).map(({ found, verdict }) => [found, verdict]),
        [
          ["5", "bad"],
          ["300", "good"],
        ],
      );
      assert.ok(!checks(now).includes("several listeners"), "nothing to migrate");
      const rows = await lab.checklist(8080, { burst: 20 });
      const burst = row(rows, "queue in a burst of 20");
      assert.deepEqual(
        [burst.check, burst.found, burst.verdict],
        ["queue in a burst of 20, at most of 0.0.0.0:8080", "6 of 6", "bad"],
      );
      assert.equal(row(rows, "accept queue now of [::]:8080").found, "0 of 301");
      assert.match(row(rows, "time to connect").found, /^6 connected/);
    });

    it("two that share an address: the sum, the fullest, and what closing one loses", async () => {
      for (let at = 0; at < 2; at++) await lab.listen({ port: 8080, backlog: 5, reusePort: true });
      const rows = await lab.checklist(8080, { burst: 40 });
      assert.equal(row(rows, "backlog").found, "5 at each of 2 listeners");
      const burst = row(rows, "queue in a burst of 40");
      assert.deepEqual([burst.found, burst.verdict], ["12 of 12; the fullest of 2 queues: 6 of 6", "bad"]);
      assert.equal(row(rows, "several listeners").found, "tcp_migrate_req 0");
    });

    it("two on different addresses: the burst goes where connect() goes", async () => {
      const one = await lab.listen({ port: 8080, backlog: 200, address: "127.0.0.1" });
      const two = await lab.listen({ port: 8080, backlog: 3, address: "127.0.0.2" });
      assert.equal(row(await lab.checklist(8080, { burst: 10 }), "queue in a burst").found, "10 of 201");
      assert.equal(row(await lab.checklist(two, { burst: 10 }), "queue in a burst").found, "4 of 4");
      assert.deepEqual([one.acceptQueue, two.acceptQueue], [10, 4]);
    });

    it("IPv6 alone: no burst, and no word of a full queue", async () => {
      await start(...ipv6("::1", "a", 200));
      const rows = await lab.checklist(8080, { burst: 10 });
      const burst = row(rows, "queue in a burst");
      assert.deepEqual(
        [burst.found, burst.verdict],
        [
          "no burst was sent: Only IPv6 sockets listen on port 8080 ([::1]:8080), and the clients of a Lab use IPv4.",
          "look",
        ],
      );
      assert.equal(row(rows, "backlog").verdict, "good");
      assert.match(row(rows, "overflows").check, /in this Lab so far$/);
    });

    it("clients that are refused were not refused by a full queue", async () => {
      await start(...ipv4("127.0.0.1", "a", 0), 'print("listening", flush=True)', "time.sleep(1.5)", "a.close()");
      const connect = row(await lab.checklist(8080, { burst: 6 }), "time to connect");
      assert.match(connect.found, /; refused: [1-5]; reset: 1$/);
      assert.match(connect.advice, /^The kernel refused clients with RST: no socket listened there any more\./);
      assert.equal(connect.verdict, "bad");
    });
  });
});
