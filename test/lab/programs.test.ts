import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { type Lab, type LabError } from "../../dist/index";
import { native } from "../../dist/native";

describe("programs inside a Lab", () => {
  let lab: Lab;
  labOfSuite((opened) => (lab = opened), { wire: false });
  const run = async (...given: Parameters<Lab["spawn"]>) => (await lab.spawn(...given)).output();

  it("have hard limits of their own", async () => {
    const { stdout } = await run("sh", ["-c", "ulimit -Hn; ulimit -Sn; ulimit -n 65 2>&1 || true"], {
      limits: { nofile: 64 },
    });
    assert.deepEqual(stdout.split("\n").slice(0, 2), ["64", "64"]);
  });

  it("have their directory, environment, input and exit status", async () => {
    const program = await lab.spawn("sh", ["-c", "pwd; echo $WORD; cat; exit 7"], {
      cwd: "/",
      env: { WORD: "hello", PATH: process.env.PATH },
    });
    program.stdin.end("from outside");
    assert.deepEqual(await program.output(), { code: 7, signal: null, stdout: "/\nhello\nfrom outside", stderr: "" });
  });

  it("are ended by signals", async () => {
    const program = await lab.spawn("sleep", ["1000"]);
    await program.kill("SIGTERM");
    assert.deepEqual(await program.exited, { code: null, signal: "SIGTERM" });
    await assert.rejects(program.kill(), (error: LabError) => error.code === "ESRCH");
  });

  it("see the Lab's network, as ss shows it", async function () {
    const listener = await lab.listen({ port: 8099, backlog: 17 });
    const { stdout } = await run("cat", ["/proc/net/tcp"]);
    assert.match(stdout, new RegExp(`:${(8099).toString(16).toUpperCase()} `));
    await listener.close();
  });

  it("that are not installed, or cannot start, are named", async () => {
    await assert.rejects(
      lab.spawn("no-such-program"),
      (error: LabError) => error.code === "ENOENT" && /"no-such-program" is not installed/.test(error.message),
    );
    await assert.rejects(lab.spawn("/etc/passwd"), (error: LabError) => error.code === "EACCES");
    await assert.rejects(lab.spawn("ls", [], { cwd: "/no/such/place" }), /cannot be entered/);
    const hard = native.descriptors().hard.toLocaleString("en");
    await assert.rejects(lab.spawn("ls", [], { limits: { nofile: 2 ** 40 } }), {
      code: "EPERM",
      message: "The limits cannot be set: nofile 1,099,511,627,776 (EPERM).",
      hint: `A process can lower its hard limits but not raise them. The hard limit of descriptors (nofile) is ${hard} here; \`ulimit -Ha\` shows all limits.`,
    });
    await assert.rejects(lab.spawn("ls", [], { limits: { nofiles: 3 } as object }), /no limit "nofiles"/);
    assert.equal((await run("true")).code, 0);
  });
});
