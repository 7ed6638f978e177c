// What ESLint looks for. Layout is Prettier's business; types are tsc's. `npm run check -- eslint` runs it alone.
import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import { builtinRules } from "eslint/use-at-your-own-risk";
import tseslint from "typescript-eslint";

/** Rules of typescript-eslint's strictTypeChecked that are narrowed or left out, and why. */
const narrowed = {
  // Numbers stand in texts everywhere here (`port ${port}`), and are printed as meant; objects are refused.
  "@typescript-eslint/restrict-template-expressions": [
    "error",
    { allowNumber: true, allowBoolean: true, allowNever: true },
  ],
  // `() => stop()` as a callback, and `return list()` as a guard in a function that returns nothing, are plain enough.
  "@typescript-eslint/no-confusing-void-expression": [
    "error",
    { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
  ],
  // `while (true)` with a way out inside is how a loop over the kernel's answers is written.
  "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
  // `({ folder: _, ...rest })` is how a property is left out.
  "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
  // `[...text]` counts code points, which is what a column of a terminal needs here: no text has joined emojis.
  "@typescript-eslint/no-misused-spread": ["error", { allow: ["string"] }],
  // An interface may ask for a promise where one implementation waits for none; `async` turns throws into rejections.
  "@typescript-eslint/require-await": "off",
  // The library is CommonJS: the addon, tslab's files and an exercise's check are loaded when they are needed.
  "@typescript-eslint/no-require-imports": "off",
  // ESC stands in what terminals are sent, and XML and JUnit forbid control characters that must be found.
  "no-control-regex": "off",
};

/** What a test may do besides. */
const inTests = {
  // A value that is missing ends the test with a TypeError at that line, as an assertion would.
  "@typescript-eslint/no-non-null-assertion": "off",
  // Tests read the JSON and the messages of other programs, and hand in what the types forbid; that is their business.
  "@typescript-eslint/no-explicit-any": "off",
  "@typescript-eslint/no-unsafe-argument": "off",
  "@typescript-eslint/no-unsafe-assignment": "off",
  "@typescript-eslint/no-unsafe-call": "off",
  "@typescript-eslint/no-unsafe-member-access": "off",
  "@typescript-eslint/no-unsafe-return": "off",
  "@typescript-eslint/restrict-plus-operands": ["error", { allowAny: true }],
};

/** ESLint's own rule, but describe() and defineCheck() are lists of tests and may be long; each test may not. */
const maxLines = builtinRules.get("max-lines-per-function");
const lists = new Set(["describe", "describe.skip", "describe.only", "defineCheck"]);
const shortFunctions = {
  ...maxLines,
  create(context) {
    const isList = ({ parent }) =>
      parent.type === "CallExpression" && lists.has(context.sourceCode.getText(parent.callee));
    const report = (finding) => isList(finding.node) || context.report(finding);
    return maxLines.create(Object.create(context, { report: { value: report } }));
  },
};

/** The rules that this project adds. */
const added = {
  "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
  "@typescript-eslint/no-shadow": "error",
  "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
  complexity: ["error", 15],
  "one-listener/max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  "object-shorthand": "error",
};

/** The same for JavaScript, which has no types. */
const addedUntyped = {
  "no-shadow": "error",
  complexity: added.complexity,
  "one-listener/max-lines-per-function": added["one-listener/max-lines-per-function"],
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  "object-shorthand": "error",
};

/** Node's globals that the programs use. */
const nodeGlobals = Object.fromEntries(
  [
    "process",
    "console",
    "Buffer",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "URL",
    "fetch",
    "performance",
    "AbortController",
    "TextDecoder",
    "TextEncoder",
    "structuredClone",
    "queueMicrotask",
  ].map((name) => [name, "readonly"]),
);

const typed = (files, project) => ({
  files,
  extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
  languageOptions: { parserOptions: { project, tsconfigRootDir: import.meta.dirname } },
  rules: { ...narrowed, ...added },
});

export default defineConfig(
  {
    ignores: [
      "**/node_modules/",
      "dist/",
      ".build/*",
      "!.build/cells/",
      "native/build/",
      ".venv*/",
      ".jupyter/",
      ".kernels/",
      ".artifacts/",
      "answers/",
      // submissions that are wrong on purpose
      "test/grade/attacks/",
    ],
  },
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "one-listener": { rules: { "max-lines-per-function": shortFunctions } } },
  },
  typed(["src/**/*.ts"], "./tsconfig.json"),
  typed(["src/page/**/*.ts"], "./src/page/tsconfig.json"),
  typed(["test/**/*.ts", "bench/**/*.ts"], "./test/tsconfig.json"),
  typed(["exercises/**/*.ts"], "./exercises/tsconfig.json"),
  typed([".build/cells/*.ts"], "./.build/cells/tsconfig.json"),
  { files: ["test/**/*.ts"], rules: inTests },
  {
    // The notebooks' cells, one block each (setup/check/cells.mjs): a cell may declare a name again, and names what the
    // reader is to use next.
    files: [".build/cells/*.ts"],
    rules: {
      "@typescript-eslint/no-shadow": "off",
      "@typescript-eslint/no-unused-vars": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      // A first cell imports all that the reader uses in one line, types among it.
      "@typescript-eslint/consistent-type-imports": "off",
      // A page names what is caught in one word.
      "@typescript-eslint/use-unknown-in-catch-callback-variable": "off",
      // "accept() would give null" is what a page prints on purpose.
      "@typescript-eslint/no-base-to-string": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
    },
  },
  {
    // Starters and misconceptions are students' code: unfinished, and wrong on purpose.
    files: ["exercises/*/{starter,wrong-*}.ts"],
    rules: { "@typescript-eslint/no-unused-vars": "off" },
  },
  {
    files: ["**/*.mjs", "**/*.cjs"],
    extends: [js.configs.recommended],
    languageOptions: { globals: nodeGlobals },
    rules: addedUntyped,
  },
  {
    files: ["**/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { require: "readonly", module: "writable", __dirname: "readonly" },
    },
  },
);
