import assert from "node:assert/strict";
import { Lab } from "../../dist/front-door";
import * as plot from "../../dist/plot";

describe("a ladder", () => {
  it("shows where the kernel keeps the connection after each step, and the descriptor at accept() and not before", async () => {
    const lab = await Lab.open();
    try {
      const listener = await lab.listen({ port: 8080, backlog: 4 });
      const wire = await lab.wire();
      const peer = wire.peer(listener, { sequence: 1000 });
      const ladder = await lab.ladder(listener, peer, { live: false });
      let changes = 0;
      ladder.onChange(() => changes++);
      peer.syn();
      wire.peer(listener).syn(); // another connection's segments are none of its business
      peer.ack();
      peer.send("hi");
      const connection = listener.tryAccept()!;
      ladder.note("read() gives 2 bytes");
      peer.rst();
      await ladder.close();
      await ladder.close();
      peer.syn();
      const steps = ladder.steps.map(
        ({ from, to, label, after }) =>
          `${from}>${to} ${label}: ${after.state ?? "-"} ${after.place} ${after.fd ?? "-"}`,
      );
      const fd = connection.fd;
      assert.deepEqual(steps, [
        `application>kernel listen(fd ${listener.fd}, 4): - nowhere -`,
        "client>kernel SYN: SYN_RECV SYN queue -",
        "kernel>client SYN, ACK: SYN_RECV SYN queue -",
        "client>kernel ACK: ESTABLISHED accept queue -",
        "client>kernel PSH, ACK: ESTABLISHED accept queue -",
        "kernel>client ACK: ESTABLISHED accept queue -",
        `kernel>application accept() returns fd ${fd}: ESTABLISHED descriptor ${fd}`,
        `kernel>application read() gives 2 bytes: ESTABLISHED descriptor ${fd}`,
        "client>kernel RST: - nowhere -",
      ]);
      assert.equal(ladder.steps[2].detail, "seq 0, ack 1");
      assert.equal(ladder.steps[2].after.synQueue, 1);
      assert.equal(changes, steps.length, "each step after the first, and the end");
      assert.match(String(ladder), /< S 0:0\(0\) win 65535 <mss 1460> +\| SYN_RECV, SYN queue/);

      const figure = plot.ladder(ladder);
      const words = (figure.layout.annotations as { text: string }[]).map(({ text }) => text).join("\n");
      assert.match(words, /SYN, ACK/);
      assert.match(words, new RegExp(`accept\\(\\) returns fd ${fd}`));
      assert.equal(
        (figure.layout.shapes as { type: string; x0: number }[]).filter(({ type, x0 }) => type === "rect" && x0 > 0.5)
          .length,
        steps.length,
      );
      assert.match(figure.text, /kernel → application: accept\(\)/);
    } finally {
      await lab.close();
    }
  });

  it("of no steps is an empty picture", () => {
    assert.equal(plot.ladder([]).text.split("\n").length, 1);
  });
});
