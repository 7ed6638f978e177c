import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { readdirSync } from "node:fs";
import { Lab } from "../../dist/index";
import { native } from "../../dist/native";

describe("guests of a Lab", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened));
  const enter = async (rights?: Parameters<Lab["guest"]>[0]) => Lab.join(await lab.guest(rights));

  it("get sockets of the same namespace", async () => {
    const guest = await enter();
    const listener = await guest.listen({ port: 9001, backlog: 7 });
    assert.equal(lab.sockets({ port: 9001, states: ["LISTEN"] })[0].sendQueue, 7);
    const crowd = await lab.connect(9001, { clients: 3 });
    assert.equal(listener.acceptQueue, 3);
    assert.equal(guest.counters().get("Tcp.PassiveOpens"), lab.counters().get("Tcp.PassiveOpens"));
    await crowd.close();
    await guest.close();
    assert.equal(lab.sockets({ port: 9001, states: ["LISTEN"] }).length, 0, "what a guest has opened goes with it");
    assert.ok(!lab.closed);
  });

  it("cannot start programs, set sysctls, or let others in", async () => {
    const guest = await enter({ look: true, wire: true });
    await assert.rejects(guest.spawn("true"), { code: "ERR_FORBIDDEN", message: /guests of this Lab do not get this/ });
    await assert.rejects(guest.guest(), { code: "ERR_FORBIDDEN", message: /guests of this Lab do not get this/ });
    assert.equal(typeof (await guest.sysctl.get("net.core.somaxconn")), "number");
    await assert.rejects(guest.sysctl.set({ "net.core.somaxconn": 5 }), {
      hint: "A Lab can read this sysctl, but not set it.",
    });
    await guest.close();
  });

  it("see no tables, no counters and no wire unless they may", async () => {
    const blind = await enter({ look: false });
    assert.throws(() => blind.sockets(), { code: "ERR_FORBIDDEN", message: /^Guests of this Lab do not see / });
    assert.throws(() => blind.counters(), { code: "ERR_FORBIDDEN", message: /^Guests of this Lab do not see / });
    await assert.rejects(blind.sysctl.get("net.core.somaxconn"), {
      code: "ERR_FORBIDDEN",
      message: /guests of this Lab do not get this/,
    });
    await assert.rejects(blind.wire(), { code: "ERR_FORBIDDEN", message: /guests of this Lab do not get this/ });
    await assert.rejects(blind.connect(9001, { kind: "mirror" }), {
      code: "ERR_FORBIDDEN",
      message: /guests of this Lab do not get this/,
    });
    const crowd = await blind.connect(9, { clients: 2 });
    assert.equal(crowd.counts().refused, 2, "to connect is for everybody");
    await blind.close();
    const far = await enter({ look: false, wire: true });
    await far.wire();
    await far.close();
  });

  it("come and go without a trace, and one that says nonsense harms nobody", async () => {
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    for (let round = 0; round < 60; round++) await (await enter()).close();
    const fd = await lab.guest();
    assert.equal((await native.hostRequest(fd, ["nonsense"], 2000)).fields[0], "ERR");
    native.close(fd);
    // fewer there may be: what earlier tests let go of is closed in its own time
    assert.ok(open() <= before, `${before} descriptors before, ${open()} afterwards`);
    assert.equal((await lab.host.sockets("tcp", 1)).length, 1);
  });

  it("cannot enter a Lab that is closed", async () => {
    const other = await Lab.open({ wire: false });
    const fd = await other.guest();
    await other.close();
    await assert.rejects(Lab.join(fd), /could not be entered|closed/);
  });
});
