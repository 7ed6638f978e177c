// What ESLint looks for. Layout is Prettier's business; types are tsc's. `npm run check -- eslint` runs it alone.
import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Rules of typescript-eslint's strictTypeChecked that are left out, and why. */
const leftOut = {
  // Numbers stand in texts everywhere here (`${port}`), and are printed as meant; objects and undefined are still refused.
  "@typescript-eslint/restrict-template-expressions": [
    "error",
    { allowNumber: true, allowBoolean: true, allowNever: true },
  ],
  // () => stop() as a callback that returns nothing is plain enough.
  "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
  // `while (true)` with a bound inside is how a loop over a kernel's answers is written.
  "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
  // An `async` function without await promises to its callers that it throws by rejection only; interfaces ask for it.
  "@typescript-eslint/require-await": "off",
};

/** The rules that this project adds. */
const added = {
  "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
  "@typescript-eslint/no-shadow": "error",
  "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
  complexity: ["error", 15],
  "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  "object-shorthand": "error",
};

/** The same for JavaScript, which has no types. */
const addedUntyped = {
  "no-shadow": "error",
  complexity: added.complexity,
  "max-lines-per-function": added["max-lines-per-function"],
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
  rules: { ...leftOut, ...added },
});

export default tseslint.config(
  {
    ignores: [
      "**/node_modules/",
      "dist/",
      ".build/*",
      "!.build/cells/",
      "native/build/",
      ".venv*/",
      ".jupyter/",
      ".artifacts/",
      "answers/",
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  typed(["src/**/*.ts"], "./tsconfig.json"),
  typed(["test/**/*.ts", "bench/**/*.ts"], "./test/tsconfig.json"),
  typed(["exercises/**/*.ts"], "./exercises/tsconfig.json"),
  typed([".build/cells/*.ts"], "./.build/cells/tsconfig.json"),
  {
    // describe() holds its tests: it is a list, and may be long.
    files: ["test/**/*.ts", "exercises/*/check.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  {
    // The notebooks' cells, one block each (setup/check/cells.mjs): a cell may declare a name again, and names what the
    // reader is to use next.
    files: [".build/cells/*.ts"],
    rules: { "@typescript-eslint/no-shadow": "off", "@typescript-eslint/no-unused-vars": "off" },
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
