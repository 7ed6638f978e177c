import assert from "node:assert/strict";
import net from "node:net";
import { ClosedError, Lab } from "../../dist/index";
import { native } from "../../dist/native";
import { owned } from "../../dist/lab/owned";
import { until } from "../fixtures/waiting";

const openNow = () => native.descriptors().open;

describe("what nobody gets hold of", () => {
  it("is closed where the Lab closes while it is made", async () => {
    const first = await Lab.open();
    // libuv keeps a descriptor of /dev/null in reserve from the first stream on (uv__stream_init)
    await (await first.spawn("true")).output();
    await first.close();
    const [before, things] = [openNow(), owned().length];
    for (const make of [
      (lab: Lab) => lab.listen(),
      (lab: Lab) => lab.wire(),
      (lab: Lab) => lab.connect(9, { clients: 20 }),
      (lab: Lab) => lab.connect(9, { clients: 20, kind: "mirror", rtt: 5 }),
      (lab: Lab) => lab.ghosts(9, { count: 10 }),
      (lab: Lab) => lab.spawn("sleep", ["60"]),
    ]) {
      const lab = await Lab.open();
      const making = assert.rejects(make(lab), ClosedError, String(make));
      // the request is on its way to the helper
      await Promise.resolve();
      await lab.close();
      await making;
      await until(() => openNow() <= before, `${String(make)}: ${before} descriptors before, ${openNow()} after`);
      assert.equal(owned().length, things, String(make));
    }
  });

  it("a socket that a server cannot take is closed", async () => {
    const lab = await Lab.open();
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const before = openNow();
    await assert.rejects(lab.serve(server), { code: "ERR_SERVER_ALREADY_LISTEN" });
    assert.equal(openNow(), before);
    assert.deepEqual([server.listenerCount("error"), server.listenerCount("close")], [0, 0]);
    server.close();
    await lab.close();
  });
});

describe("the Wire of a Lab", () => {
  let lab: Lab;
  beforeEach(async () => (lab = await Lab.open()));
  afterEach(() => lab.close());

  it("can be asked for again after it could not be opened", async () => {
    const { host } = lab;
    host.sockets = () => Promise.reject(new Error("no socket to be had"));
    await assert.rejects(Promise.all([lab.wire(), lab.wire()]), /no socket/);
    Reflect.deleteProperty(host, "sockets");
    assert.equal((await lab.wire()).closed, false);
  });

  it("is one, however many ask for it at once after it was closed", async () => {
    const first = await lab.wire();
    await first.close();
    const [second, third] = await Promise.all([lab.wire(), lab.wire()]);
    assert.ok(!second.closed && second === third && second !== first);
  });
});

describe("a sysctl", () => {
  it("of which the kernel takes only a part is refused and set back", async () => {
    const lab = await Lab.open();
    const before = await lab.sysctl.get("net.ipv4.tcp_max_syn_backlog");
    await assert.rejects(lab.sysctl.set({ "net.ipv4.tcp_max_syn_backlog": "300 and more" as never }), {
      code: "EINVAL",
    });
    assert.equal(await lab.sysctl.get("net.ipv4.tcp_max_syn_backlog"), before);
    await lab.close();
  });
});
