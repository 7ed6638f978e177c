import assert from "node:assert/strict";
import type { Lab } from "one-listener";
import { alertOf, targetOf } from "../../dist/cli/watch-arguments";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { DrivenServer, LabWatch, watch } from "./watched";

describe("the arguments of one-listener watch", function () {
  this.timeout(30_000);

  it("name a port, or an address and a port", () => {
    const wildcards = ["0.0.0.0", "::"];
    for (const [text, expected] of [
      ["8006", { text: "port 8006", port: 8006 }],
      [":8006", { text: "port 8006", port: 8006 }],
      ["127.0.0.2:8006", { text: "127.0.0.2:8006", port: 8006, addresses: ["127.0.0.2"] }],
      ["[::1]:443", { text: "[::1]:443", port: 443, addresses: ["::1"] }],
      ["[::]:443", { text: "[::]:443", port: 443, addresses: ["::"] }],
      ["[0:0::1]:443", { text: "[0:0::1]:443", port: 443, addresses: ["::1"] }],
      ["localhost:80", { text: "localhost:80", port: 80, addresses: ["127.0.0.1", "::1"] }],
      ["*:80", { text: "*:80", port: 80, addresses: wildcards }],
      ["0.0.0.0%eth0:80", { text: "0.0.0.0%eth0:80", port: 80, addresses: ["0.0.0.0"], device: "eth0" }],
      ["[::%lo]:80", { text: "[::%lo]:80", port: 80, addresses: ["::"], device: "lo" }],
    ] as const)
      assert.deepEqual(targetOf(text), expected, text);
  });

  it("are refused with the reason", () => {
    for (const [text, expected] of [
      ["0", /A port is a number from 1 to 65535\. Examples: 8080,/],
      ["65536", /A port is/],
      ["", /A port is/],
      ["http", /A port is/],
      ["127.0.0.1", /A port is/],
      ["[::1]", /A port is/],
      ["[::1]443", /A port is/],
      ["-1", /A port is/],
      ["::1:8001", /An IPv6 address stands in brackets, because its last part could be a port: \[::1\]:8001\./],
      ["::8001", /An IPv6 address stands in brackets/],
      ["[127.0.0.1]:80", /"127\.0\.0\.1" is no IPv6 address/],
      ["[]:80", /"" is no IPv6 address/],
      ["example.org:80", /"example\.org" is no IPv4 address, and watch looks up no names but localhost/],
      ["127.0.0.300:80", /"127\.0\.0\.300" is no IPv4 address/],
      ["/tmp/x.sock", /looks like a path or a URL.*Without an argument it shows UNIX listeners/],
      ["http://localhost:80", /looks like a path or a URL/],
    ] as const)
      assert.throws(() => targetOf(text), expected, text);
  });

  it("an alert may have several conditions", () => {
    assert.deepEqual(alertOf("80%,drops,overflows"), { share: 0.8, drops: true, overflows: true });
    assert.deepEqual(alertOf("50%", { share: 0.8 }), { share: 0.5 });
  });

  it("--wait and --follow need a listener to wait for", async () => {
    for (const option of ["--wait", "--follow"]) {
      const { code, stderr } = await watch(option).ended;
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`${option} needs a port\\.`));
    }
  });
});

describe("one-listener watch that finds nothing", function () {
  this.timeout(30_000);
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });
  const refused = async (...args: string[]) => {
    const { code, stderr } = await (await LabWatch.start(lab, ...args)).ended;
    assert.equal(code, 1);
    return stderr;
  };

  it("says how to look into a container", async () => {
    const stderr = await refused(":80");
    assert.match(stderr, /^No socket listens on port 80 in this network namespace\.$/m);
    assert.match(
      stderr,
      /^→ No socket listens on any port\. .*nsenter -t PID -n npx one-listener watch; docker inspect/m,
    );
  });

  it("says which listener accepts the connections to the address", async () => {
    const server = await DrivenServer.inLab(lab);
    try {
      await server.tell("open", "0.0.0.0", 8120, 5);
      const stderr = await refused("127.0.0.1:8120");
      assert.match(stderr, /^No socket listens on 127\.0\.0\.1:8120 in this network namespace\.$/m);
      assert.match(
        stderr,
        /on 0\.0\.0\.0:8120\. It accepts the connections to other addresses: watch 0\.0\.0\.0:8120\./,
      );
    } finally {
      server.kill();
    }
  });
});
