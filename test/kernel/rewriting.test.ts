import assert from "node:assert/strict";
import { runInThisContext } from "node:vm";
import fc from "fast-check";
import { guardAwaits, offerGuards } from "../../dist/kernel/await-guard";
import { sourceLine } from "../../dist/kernel/source-line";
import { parseStack } from "../../dist/kernel/traceback";

/** Runs a cell's body as tslab does. */
function runCell(javascript: string): Promise<unknown> {
  return runInThisContext(`(async function (exports, require) { ${javascript}\n})({}, undefined)`) as Promise<unknown>;
}

describe("guarding awaits", () => {
  before(offerGuards);

  const cells: Record<string, [code: string, value: unknown]> = {
    "a plain await": ["return await 1;", 1],
    "an await within an await": ["return await (await Promise.resolve([1, 2]))[1];", 2],
    "awaits next to each other": ["return (await 1)+await 2+ await Promise.resolve(3)", 6],
    "an await of a call with awaited arguments": [
      "const add = async (a, b) => a + b; return await add(await 1, await add(2, 3));",
      6,
    ],
    "for await over promises": ["let sum = 0; for await (const n of [Promise.resolve(1), 2]) sum += n; return sum;", 3],
    "for await over a generator that is left early": [
      "let closed = 0; async function* g() { try { yield 1; yield 2; } finally { closed = 1; } } for await (const n of g()) break; return closed;",
      1,
    ],
    "an async generator": [
      "async function* g() { yield await 1; yield 2; } const all = []; for await (const n of g()) all.push(n); return all.join();",
      "1,2",
    ],
    "the word in texts and comments": [
      "// await this\nconst a = 'await b', c = `await ${await 4}`; /* await */ return a + c;",
      "await bawait 4",
    ],
    "a name that contains the word": ["const awaited = 5, o = { await: 6 }; return awaited + o.await;", 11],
    "arrow functions, methods and class fields": [
      "class A { async m() { return await 1; } f = async () => await 2; } const a = new A(); return await a.m() + await a.f();",
      3,
    ],
    "a conditional and an optional chain": [
      "const o = { f: async () => ({ g: 7 }) }; return (await o?.f())?.g ?? await 0;",
      7,
    ],
    "a thenable": ["return await { then: (resolve) => resolve(8) };", 8],
  };
  for (const [name, [code, value]] of Object.entries(cells)) {
    it(`keeps what it means: ${name}`, async () => {
      const { javascript } = guardAwaits(code, 3);
      assert.deepEqual(await runCell(javascript), value);
      assert.equal(javascript.split("\n").length, code.split("\n").length);
    });
  }

  it("keeps what it means, whatever is awaited where", async () => {
    const leaf = fc.integer({ min: 0, max: 9 }).map(String);
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { depthSize: "small" },
        leaf,
        tie("expression").map((e) => `(await ${e})`),
        tie("expression").map((e) => `(await (async () => ${e})())`),
        tie("expression").map((e) => `await Promise.resolve(\n${e})`),
        fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(${a} + ${b})`),
        fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `[${a}, ${b}].at(-1)`),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(expression, async (code) => {
        const cell = `return ${code};`;
        const { javascript } = guardAwaits(cell, 1);
        assert.equal(await runCell(javascript), await runCell(cell));
        assert.equal(javascript.split("\n").length, cell.split("\n").length);
      }),
      { numRuns: 200 },
    );
  });

  it("sees awaits outside functions, and only there", () => {
    for (const code of [
      "for await (const x of y) {}",
      "if (1) { for await (const x of y) {} }",
      "await y",
      "f((await y).z, () => 1)",
    ])
      assert.equal(guardAwaits(code).awaitsAtTop, true, code);
    for (const code of [
      "async () => { for await (const x of y) {} }",
      "async function f() { await y; }",
      "const o = { async m() { await y; } }",
    ])
      assert.equal(guardAwaits(code).awaitsAtTop, false, code);
  });

  it("tells each guard the line of its await", () => {
    const { javascript } = guardAwaits("await f(\n  await g(\n    await h));", 7);
    assert.deepEqual(
      [...javascript.matchAll(/, 7, (\d)\)/g)].map(([, line]) => line),
      ["3", "2", "1"],
    );
    assert.deepEqual(
      [...guardAwaits("await (\nawait\nx)").javascript.matchAll(/, 0, (\d)\)/g)].map(([, line]) => line),
      ["3", "1"],
    );
    assert.deepEqual(
      [...guardAwaits("await await\nx").javascript.matchAll(/, 0, (\d)\)/g)].map(([, line]) => line),
      ["2", "1"],
    );
  });

  it("leaves a cell without awaits as it is", () => {
    const code = "const a = 1;\nlet b = 'x';";
    assert.equal(guardAwaits(code).javascript, code);
  });
});

describe("finding the reader's line", () => {
  const code = {
    source:
      "import { Lab } from 'one-listener';\n\ninterface Options { port: number }\nconst lab: Lab = await Lab.open();\n// a comment\nif (lab) throw new Error('here');\nlab.close();\nlab.close()",
    javascript:
      "const one_listener_1 = require(\"one-listener\");\nconst lab = await one_listener_1.Lab.open();\nexports.lab = lab;\n// a comment\nif (lab)\n    throw new Error('here');\nexports.lab.close();\nconst tsLastExpr = exports.lab.close();",
  };
  for (const [javascript, source] of [
    [2, 3],
    [6, 5],
    [7, 6],
    [8, 7],
  ]) {
    it(`takes line ${javascript} of the compiled cell for line ${source} of its source`, () =>
      assert.equal(sourceLine(code, javascript), source));
  }
  for (const line of [0, 1, 3, 9])
    it(`does not guess for line ${line}`, () => assert.equal(sourceLine(code, line), undefined));
});

describe("reading a stack", () => {
  it("finds calls, files and places in all forms that V8 writes", () => {
    const stack = [
      "Error: with at In[9]:1:1 in it",
      "    at limit (In[2]:4:13)",
      "    at async In[3]:1:1",
      "    at In[3]:2:5",
      "    at Lab.open (/home/x y/dist/lab.js:10:3)",
      "    at async Promise.all (index 0)",
      "    at file:///a/b.mjs:1:2",
      "    at new Foo (/c.js:7:8)",
    ].join("\n");
    assert.deepEqual(
      parseStack(stack).map(({ call, file, line, column }) => `${call}|${file}|${line}|${column}`),
      [
        "limit|In[2]|4|13",
        "|In[3]|1|1",
        "|In[3]|2|5",
        "Lab.open|/home/x y/dist/lab.js|10|3",
        "|/a/b.mjs|1|2",
        "new Foo|/c.js|7|8",
      ],
    );
  });
});
