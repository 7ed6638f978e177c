import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { grade, StudentResult } from "../../dist/grade/grade";
import { writeResults } from "../../dist/grade/formats/write";
import { requireSandbox } from "../../dist/grade/sandbox";
import { skip } from "../skip";

const root = path.join(__dirname, "..", "..", "..");
const max = 6;

/** A file or a folder that a student hands in. */
interface Attack {
  /** text of a .ts file, or writes whatever it is; gets a path without ending */
  hand: string | ((place: string) => void);
  /** points; 0 unless said */
  points?: number;
  /** what the student is told */
  told?: RegExp;
}

/** A wrong answer, with something nasty before it. */
const arithmetic = (nasty: string, before = "") =>
  `${before}\nexport async function queueArithmetic(task: any): Promise<any> {\n${nasty}\nreturn { maximum: -1, waiting: -1 };\n}\n`;
const solution = readFileSync(path.join(root, "exercises", "queue-arithmetic", "solution.ts"), "utf8");
const cell = (source: string, metadata: object = {}) => ({
  cell_type: "code",
  id: "x",
  metadata,
  execution_count: null,
  outputs: [] as object[],
  source,
});
const notebook = (cells: unknown, metadata: object = { kernelspec: { name: "tslab", language: "typescript" } }) =>
  JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells });
const asNotebook = (text: string) => (place: string) => writeFileSync(`${place}.ipynb`, text);
const asCell = solution.replace("export ", "");

let knocked = 0;
let outsidePort = 0;

const attacks: Record<string, Attack> = {
  // what must be graded all the same
  perfect: { hand: solution, points: max },
  "perfect-notebook": {
    hand: asNotebook(notebook([cell(asCell, { one_listener: { exercise: "queue-arithmetic" } })])),
    points: max,
  },
  "perfect-mark-lost": { hand: asNotebook(notebook([cell("const x = 1;"), cell(asCell)])), points: max },
  "perfect-cell-copied": {
    hand: asNotebook(
      notebook([
        cell("function queueArithmetic() { return 0; }", { tags: ["exercise:queue-arithmetic"] }),
        cell(asCell, { tags: ["exercise:queue-arithmetic"] }),
      ]),
    ),
    points: max,
  },
  "perfect-check-in-cell": {
    hand: asNotebook(
      notebook([
        cell('import { check } from "one-listener";'),
        cell(`${asCell}\nawait_check();\nfunction await_check() { void check("queue-arithmetic", queueArithmetic); }`),
      ]),
    ),
    points: max,
  },
  "perfect-100-MB-of-output": {
    hand: (place) =>
      writeFileSync(
        `${place}.ipynb`,
        notebook([
          { ...cell(asCell), outputs: [{ output_type: "stream", name: "stdout", text: "x".repeat(100 << 20) }] },
        ]),
      ),
    points: max,
  },
  // loops
  loops: { hand: arithmetic("while (true) {}"), told: /had not returned after \d+ s/ },
  "loops-outside": { hand: arithmetic("", "while (true) {}"), told: /loop outside of the function/ },
  "never-resolves": {
    hand: arithmetic("await new Promise(() => setInterval(() => undefined, 1000));"),
    told: /had not returned/,
  },
  "stops-itself": { hand: arithmetic('process.kill(process.pid, "SIGSTOP");'), told: /had not returned|ended/ },
  // processes
  "fork-bomb": {
    hand: arithmetic(
      'const { spawn } = require("child_process"); const bomb = "const { spawn } = require(\\"child_process\\"); setInterval(() => { for (let i = 0; i < 20; i++) spawn(process.execPath, [\\"-e\\", process.env.BOMB], { env: process.env }).on(\\"error\\", () => 0); }, 1);"; for (let i = 0; i < 50; i++) spawn(process.execPath, ["-e", bomb], { env: { BOMB: bomb } }).on("error", () => undefined); await new Promise(() => setInterval(() => 0, 1000));',
    ),
    told: /more than \d+ processes|memory|ended/,
  },
  "thread-bomb": {
    hand: arithmetic(
      'const { Worker } = require("worker_threads"); for (let i = 0; i < 5000; i++) new Worker("while (true) {}", { eval: true }).on("error", () => undefined); await new Promise(() => setInterval(() => 0, 1000));',
    ),
    told: /./,
  },
  daemon: {
    hand: arithmetic(
      'require("child_process").spawn(process.execPath, ["-e", "setInterval(() => 0, 1000) // left-behind"], { detached: true, stdio: "ignore" }).unref();',
    ),
  },
  exits: { hand: arithmetic("process.exit(0);"), told: /ended with status 0 before the function returned/ },
  aborts: { hand: arithmetic("process.abort();"), told: /ended by/ },
  "kills-its-parent": { hand: arithmetic("process.kill(process.ppid, 'SIGKILL');"), told: /./ },
  "kills-everybody": { hand: arithmetic("try { process.kill(-1, 'SIGKILL'); } catch {}") },
  // memory, disk, output, answers
  heap: {
    hand: arithmetic("const all: any[] = []; for (;;) all.push(new Array(1e5).fill(Math.random()));"),
    told: /memory|heap|ended/,
  },
  buffers: {
    hand: arithmetic(
      "const all: any[] = []; for (;;) { all.push(Buffer.alloc(64 << 20, 1)); await new Promise((r) => setTimeout(r, 5)); }",
    ),
    told: /memory|threw|ended/i,
  },
  "fills-the-disk": {
    hand: arithmetic(
      'const fs = require("fs"); const part = Buffer.alloc(1 << 20, 7); for (let i = 0; i < 500; i++) fs.appendFileSync("/tmp/x" + (i % 50), part);',
    ),
    told: /ENOSPC|EFBIG|ended|had not/,
  },
  "fills-shared-memory": {
    hand: arithmetic(
      'const fs = require("fs"); const part = Buffer.alloc(1 << 20, 7); for (const place of ["/dev", "/dev/shm"]) for (let i = 0; i < 500; i++) fs.appendFileSync(place + "/x" + i, part);',
    ),
    told: /EROFS/,
  },
  "prints-without-end": {
    hand: arithmetic('for (;;) { console.log("x".repeat(10_000)); await new Promise(setImmediate); }'),
    told: /printed more than/,
  },
  "prints-by-the-descriptor": {
    hand: arithmetic('for (;;) require("fs").writeSync(2, "x".repeat(10_000));'),
    told: /printed more than|EAGAIN/,
  },
  "huge-answer": { hand: arithmetic('return { maximum: "x".repeat(50 << 20) };'), told: /larger than 1 MB|heap/ },
  "circular-answer": { hand: arithmetic("const it: any = {}; it.it = it; return it;"), told: /circular/i },
  "bigint-answer": { hand: arithmetic("return { maximum: 10n, waiting: 1n };"), told: /BigInt/ },
  "deep-answer": {
    hand: arithmetic("let deep: any = 1; for (let i = 0; i < 200_000; i++) deep = [deep]; return deep;"),
    told: /stack|larger/i,
  },
  "answer-that-throws": { hand: arithmetic("return { toJSON() { throw new Error('no'); } };"), told: /no/ },
  "proxy-answer": {
    hand: arithmetic("return new Proxy({}, { get: () => { throw new Error('trap'); } });"),
    told: /trap/,
  },
  "throws-null": { hand: arithmetic("throw null;"), told: /It threw: null/ },
  "throws-a-megabyte": { hand: arithmetic('throw new Error("x".repeat(500_000));'), told: /more\)/ },
  // cheats
  "prototype-pollution": {
    hand: arithmetic(
      'Object.prototype.points = 6; Object.prototype.passed = true; Array.prototype.map = function () { return []; } as any; JSON.stringify = () => "{}"; (Array.prototype as any).toJSON = () => 6;',
      "declare global { interface Object { points: number; passed: boolean } }",
    ),
  },
  "patched-mocha": {
    hand: arithmetic(
      'const mocha = require("mocha"); mocha.Runner.prototype.fail = () => undefined; mocha.Test.prototype.run = (done: any) => done();',
    ),
    told: /Cannot find module/,
  },
  "patched-assert": {
    hand: arithmetic(
      'const assert = require("assert"); for (const name of Object.keys(assert)) (assert as any)[name] = () => undefined; require("module")._load = () => ({});',
    ),
  },
  "patched-library": {
    hand: arithmetic(
      'const { Lab } = require("one-listener"); Lab.prototype.sockets = () => []; require("one-listener/native").native.tcpInfo = () => ({ sacked: -1 });',
    ),
  },
  "forged-messages": {
    hand: arithmetic(
      'const fs = require("fs"); for (const id of [0, 1, 2, 3, "__proto__", null]) for (const text of [{ type: "answer", id, value: { points: 6, passed: true } }, { type: "event", id, name: "x" }, { type: "ready" }, { type: "missing", message: "?" }, 7, null, { type: "answer" }]) fs.writeSync(3, JSON.stringify(text) + "\\n"); fs.writeSync(3, "garbage\\n\\u0000\\n{");',
    ),
  },
  "messages-with-odd-ids": {
    hand: arithmetic(
      'for (const id of ["{\\"toString\\":1}", "[[[0]]]", "\\"0\\"", "1e999", "-0"]) require("fs").writeSync(3, `{"type":"answer","id":${id},"value":{"points":6}}\\n`); return { maximum: { toString: 1, valueOf: 1 }, waiting: { toJSON: 1 } };',
    ),
  },
  "deep-message": {
    hand: arithmetic(
      'let rest = Buffer.from(`{"type":"threw","id":0,"message":${"[".repeat(200_000)}${"]".repeat(200_000)}}\\n`); while (rest.length > 0) { try { rest = rest.subarray(require("fs").writeSync(3, rest)); } catch { /* the channel is full */ } await new Promise((r) => setTimeout(r, 1)); } await new Promise((r) => setTimeout(r, 300));',
    ),
    told: /nested more than/,
  },
  "long-story": { hand: arithmetic('return { maximum: "<b>".repeat(200_000), waiting: [..."x".repeat(50_000)] };') },
  "unread-data": {
    hand: arithmetic(
      'const net = require("net"); const path = "/tmp/" + Math.random(); const held: any[] = []; const server = net.createServer((s: any) => { s.pause(); held.push(s); s.on("error", () => 0); }); await new Promise((r: any) => server.listen(path, r)); const part = Buffer.alloc(200_000); for (let i = 0; i < 20_000; i++) { const c = net.connect(path); c.on("error", () => 0); c.write(part); held.push(c); if (i % 50 === 0) await new Promise((r) => setTimeout(r, 1)); }',
    ),
    told: /descriptors|ended by|EMFILE|memory|had not returned/,
  },
  "messages-that-are-no-text": {
    hand: arithmetic(
      'require("fs").writeSync(3, JSON.stringify({ type: "event", id: 0, name: { toString: 1 } }) + "\\n" + JSON.stringify({ type: "threw", id: 0, message: { toString: 1, valueOf: [] } }) + "\\n"); await new Promise((r) => setTimeout(r, 200));',
    ),
    told: /It threw: \{"toString":1/,
  },
  "reads-the-solution": {
    hand: arithmetic(
      `const fs = require("fs"); const text = fs.readFileSync(${JSON.stringify(path.join(root, "exercises", "queue-arithmetic", "solution.ts"))}, "utf8"); return eval("(" + text.slice(text.indexOf("{", text.indexOf("):")))+ ")");`,
    ),
    told: /ENOENT/,
  },
  "reads-the-check": {
    hand: arithmetic(
      `require(${JSON.stringify(path.join(root, ".build", "exercises", "queue-arithmetic", "check.js"))});`,
    ),
    told: /Cannot find module/,
  },
  "looks-around": {
    hand: arithmetic(
      'const fs = require("fs"); const seen: string[] = []; const walk = (d: string, n: number) => { if (n > 6) return; for (const e of fs.readdirSync(d, { withFileTypes: true })) { const p = d + "/" + e.name; if (/solution\\.ts|gradebook|perfect/.test(p)) seen.push(p); if (e.isDirectory() && !/^\\/(proc|dev|usr|lib)/.test(p)) try { walk(p, n + 1); } catch {} } }; for (const top of fs.readdirSync("/")) try { walk("/" + top, 0); } catch {} if (seen.length > 0) throw new Error("found " + seen.join()); throw new Error("nothing to be found");',
    ),
    told: /nothing to be found/,
  },
  "writes-everywhere": {
    hand: arithmetic(
      `const fs = require("fs"); const done: string[] = []; for (const place of [${JSON.stringify(path.join(root, "dist"))}, ${JSON.stringify(path.join(root, "native", "build", "Release"))}, "/etc", "/usr/lib", "/", "/home"]) try { fs.writeFileSync(place + "/owned", "x"); done.push(place); } catch {} throw new Error("wrote to " + done.length);`,
    ),
    told: /wrote to 0/,
  },
  "calls-home": { hand: () => undefined, told: /ECONNREFUSED|ENETUNREACH|EPERM/ },
  "starts-programs": {
    hand: arithmetic('require("child_process").execFileSync("/bin/sh", ["-c", "id"]);'),
    told: /ENOENT/,
  },
  "raises-its-limits": {
    hand: arithmetic(
      'require("child_process").execFileSync("/usr/bin/prlimit", ["--nproc=unlimited", "--nofile=1000000", process.execPath, "-e", "0"]);',
    ),
    told: /./,
  },
  // files that are none
  "broken-json": { hand: asNotebook('{"cells": [{"cell_ty'), told: /JSON is broken/ },
  "no-cells": { hand: asNotebook('{"nbformat": 4}'), told: /no cells/ },
  "cells-are-a-number": { hand: asNotebook(notebook(7)), told: /no cells/ },
  "absurd-cells": {
    hand: asNotebook(
      notebook([
        null,
        5,
        {},
        { cell_type: "code" },
        { cell_type: "code", source: { a: 1 }, metadata: { tags: 5, one_listener: null } },
        cell("1", { nbgrader: 3 }),
      ]),
    ),
    told: /no queueArithmetic/,
  },
  "no-code": {
    hand: asNotebook(notebook([{ cell_type: "markdown", metadata: {}, source: "I did it" }])),
    told: /no code cells/,
  },
  python: {
    hand: asNotebook(notebook([cell("print(1)")], { kernelspec: { name: "python3", language: "python" } })),
    told: /kernel of python/,
  },
  "deep-json": {
    hand: (place) => writeFileSync(`${place}.ipynb`, "[".repeat(2_000_000)),
    told: /JSON is broken|no cells/,
  },
  "parser-bomb": {
    hand: `export const queueArithmetic = ${"a ? async (x = ".repeat(60)}1${") : y".repeat(60)};`,
    told: /takes longer than \d+ s/,
  },
  "parser-bomb-by-its-name": {
    hand: (place) => {
      mkdirSync(place);
      writeFileSync(
        path.join(place, "queue-arithmetic.ts"),
        `export const queueArithmetic = ${"a ? async (x = ".repeat(60)}1${") : y".repeat(60)};`,
      );
    },
    told: /takes longer than \d+ s/,
  },
  "thirty-million-cells": {
    hand: asNotebook(`{"nbformat":4,"cells":[${"{},".repeat(30_000_000)}{}]}`),
    told: /takes (longer|more) than/,
  },
  empty: { hand: "", told: /is empty/ },
  binary: {
    hand: (place) =>
      writeFileSync(`${place}.ts`, Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256))),
    told: /no function|no queueArithmetic/,
  },
  syntax: { hand: "export function queueArithmetic( { return", told: /does not compile.*line 1|no queueArithmetic/ },
  nested: {
    hand: (place) =>
      writeFileSync(
        `${place}.ts`,
        `export function queueArithmetic() { return ${"(".repeat(60_000)}1${")".repeat(60_000)}; }`,
      ),
    told: /cannot be compiled|stack|no queueArithmetic/i,
  },
  "too-long": { hand: (place) => writeFileSync(`${place}.ts`, `${solution}\n//${"x".repeat(2 << 20)}`), told: /MB/ },
  "link-to-the-solution": {
    hand: (place) => symlinkSync(path.join(root, "exercises", "queue-arithmetic", "solution.ts"), `${place}.ts`),
    told: /symbolic link/,
  },
  "folder-with-a-link": {
    hand: (place) => {
      mkdirSync(place);
      symlinkSync("/etc", path.join(place, "etc"));
      symlinkSync(
        path.join(root, "exercises", "queue-arithmetic", "solution.ts"),
        path.join(place, "queue-arithmetic.ts"),
      );
    },
    told: /symbolic link/,
  },
  "folder-in-itself": {
    hand: (place) => {
      mkdirSync(place);
      symlinkSync(place, path.join(place, "again"));
    },
    told: /symbolic link/,
  },
  pipe: { hand: (place) => execFileSync("mkfifo", [`${place}.ts`]), told: /no plain file/ },
  "=HYPERLINK(evil)": { hand: arithmetic("") },
  "<script>alert(1)": { hand: arithmetic('throw new Error("<script>alert(1)</script>");'), told: /script/ },
};

/** A mark that programs started by this process inherit. */
const mark = `ONE_LISTENER_TEST_RUN=${process.pid}-${Date.now()}`;

/** Processes that have inherited the mark, but this one: lab hosts, say, which are what keeps namespaces alive. */
function marked(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark);
      } catch {
        return false;
      }
    });
}

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    });
}

describe(`the grader and ${Object.keys(attacks).length} submissions of all kinds`, function () {
  this.timeout(400_000);
  const folder = mkdtempSync(path.join(os.tmpdir(), "hostile-"));
  const out = mkdtempSync(path.join(os.tmpdir(), "graded-"));
  const results = new Map<string, StudentResult>();
  const server = net.createServer(() => knocked++);

  before(async function () {
    try {
      requireSandbox();
    } catch (error) {
      skip(this, (error as Error).message);
    }
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    outsidePort = (server.address() as net.AddressInfo).port;
    attacks["calls-home"].hand = arithmetic(
      `const net = require("net"); await new Promise((ok, no) => net.connect(${outsidePort}, "127.0.0.1", ok).on("error", no));`,
    );
    for (const [name, { hand }] of Object.entries(attacks)) {
      const place = path.join(folder, name.replaceAll("/", "∕"));
      if (typeof hand === "string") writeFileSync(`${place}.ts`, hand);
      else hand(place);
    }
    process.env.ONE_LISTENER_TEST_RUN = mark.split("=")[1];
    const all = await grade([folder], { out, exercises: ["queue-arithmetic"], time: 4000, jobs: 2 });
    for (const result of all) results.set(result.student, result);
    writeResults(all, { out, assignment: "An <assignment>" });
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
    rmSync(out, { recursive: true, force: true });
  });

  const resultOf = (name: string) => {
    const found = results.get(name) ?? results.get(name.replace(/[^\p{L}\p{N}._@ -]/gu, "_"));
    assert.ok(found, `${name} was not graded: ${[...results.keys()].join(", ")}`);
    return found;
  };

  for (const [name, { points = 0, told }] of Object.entries(attacks)) {
    it(`${name}: ${points} points`, () => {
      const result = resultOf(name);
      assert.equal(result.points, points, JSON.stringify(result.exercises[0].message ?? result.exercises[0].tests));
      const text = [
        ...result.notes,
        result.exercises[0].message,
        ...result.exercises[0].tests.map(({ story }) => story?.measured),
      ].join("\n");
      if (told) assert.match(text, told);
      assert.ok(text.length < 20_000, "what a student is told is bounded");
    });
  }

  it("leaves no process and no namespace behind", async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(
      commandLines().filter(
        (line) => /left-behind/.test(line) || line.includes(path.join(root, "dist", "exercise", "runner.js")),
      ),
      [],
    );
    assert.deepEqual(marked(), []);
  });

  it("nobody reached the machine's own network, and nothing was written outside", () => {
    assert.equal(knocked, 0);
    for (const place of [root, path.join(root, "dist"), "/etc", "/usr/lib", "/"])
      assert.ok(!existsSync(path.join(place, "owned")));
  });

  it("gradebook and feedback hold no formula and no script of a student", () => {
    const book = readFileSync(path.join(out, "gradebook.csv"), "utf8");
    assert.ok(!/(^|,|\n)"?[=+@-]/.test(book), "formulas");
    for (const file of readdirSync(path.join(out, "students")).filter((each) => each.endsWith(".html"))) {
      const page = readFileSync(path.join(out, "students", file), "utf8");
      assert.ok(!page.includes("<script>alert"), file);
      assert.ok(!/sk_acceptq_is_full\(\) asks for|unsigned arithmetic/.test(page), `${file} has words of the solution`);
    }
  });
});
