import assert from "node:assert/strict";
import { Lab } from "../../dist/index";

const emit = (phase: string, cellId: string) => (process as NodeJS.EventEmitter).emit("one-listener:cell", { phase, cellId });
const settle = () => new Promise((resolve) => setTimeout(resolve, 100));

describe("notebook cells", () => {
  afterEach(() => emit("start", "none"));

  it("that are run again first close what their last run opened", async () => {
    emit("start", "a");
    const first = await Lab.open({ wire: false });
    emit("end", "a");
    emit("start", "b");
    const other = await first.listen({ port: 8080 });
    emit("end", "b");
    emit("start", "b");
    await settle();
    assert.ok(other.closed && !first.closed);
    const again = await first.listen({ port: 8080 });
    emit("end", "b");
    emit("start", "a");
    await settle();
    assert.ok(first.closed && again.closed);
    emit("end", "a");
  });

  for (const phase of ["error", "interrupt"]) {
    it(`that end with ${phase} leave nothing of their own, and nothing of others harmed`, async () => {
      emit("start", "c");
      const lab = await Lab.open({ wire: false });
      const listener = await lab.listen();
      emit("end", "c");
      emit("start", "d");
      const recording = await lab.record(listener, { live: false });
      const loop = listener.acceptLoop();
      const clients = await lab.connect(listener, { clients: 5 });
      const inner = await Lab.open({ wire: false });
      emit(phase, "d");
      await settle();
      assert.ok(!recording.running && !loop.stats().running && inner.closed);
      assert.equal(clients.counts().established, 0);
      assert.ok(!lab.closed && !listener.closed);
      await lab.close();
    });
  }
});
