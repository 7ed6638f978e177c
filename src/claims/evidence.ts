/**
 * The evidence that the judge of a claim gets. Each field checks its value and says what it should be. The type of the evidence is derived
 * from its fields.
 */
import { ArgumentError } from "../errors";

/** One field of the evidence: what it means, and how a value is checked. */
export interface Field<V> {
  /** what to give, for readers */
  readonly what: string;
  /** whether the evidence may lack it */
  readonly optional: boolean;
  /** Gives the value back, checked. @param name of the field, for the message @throws ArgumentError the value is of another kind */
  read(value: unknown, name: string): V;
}

/** The fields of a claim's evidence, by name. */
export type Fields = { readonly [name: string]: Field<unknown> };

type Value<F> = F extends Field<infer V> ? V : never;
type OptionalName<F extends Fields> = { [Name in keyof F]: undefined extends Value<F[Name]> ? Name : never }[keyof F];
type Flat<T> = { [Name in keyof T]: T[Name] };

/** `{ waiting: number; cookies?: number }` for the fields `waiting` and (optional) `cookies`. */
export type Evidence<F extends Fields> = Flat<
  { [Name in Exclude<keyof F, OptionalName<F>>]: Value<F[Name]> } & {
    [Name in OptionalName<F>]?: Exclude<Value<F[Name]>, undefined>;
  }
>;

function field<V>(what: string, kind: string, accepts: (value: unknown) => boolean): Field<V> {
  return {
    what,
    optional: false,
    read(value, name) {
      if (!accepts(value)) throw new ArgumentError(`${name} must be ${kind}, not ${show(value)}: ${what}.`);
      return value as V;
    },
  };
}

const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;

/** A count: 0, 1, 2, … Like all fields here, it throws an ArgumentError that names the field and says `what` it should be. */
export function count(what: string): Field<number> {
  return field(what, "a whole number, 0 or more", isCount);
}

/** Any integer: backlogs may be negative. */
export function integer(what: string): Field<number> {
  return field(what, "an integer", Number.isInteger);
}

/** A duration or a size, 0 or more; Infinity where something never happened. */
export function amount(what: string): Field<number> {
  return field(what, "a number, 0 or more", (value) => typeof value === "number" && value >= 0);
}

/** A text that matches `pattern`; default: any text. */
export function text(what: string, pattern: RegExp = /^/): Field<string> {
  return field(what, "a text of this form", (value) => typeof value === "string" && pattern.test(value));
}

/** Two or more numbers, 0 or more. */
export function numbers(what: string): Field<readonly number[]> {
  return field(
    what,
    "an array of two or more numbers",
    (value) => Array.isArray(value) && value.length > 1 && value.every((each) => typeof each === "number" && each >= 0),
  );
}

/** Evidence with fields of its own. */
export function group<F extends Fields>(what: string, fields: F): Field<Evidence<F>> {
  return { what, optional: false, read: (value, name) => readEvidence(value, fields, name) };
}

/** Several pieces of evidence with the same fields. */
export function list<F extends Fields>(what: string, fields: F): Field<readonly Evidence<F>[]> {
  return {
    what,
    optional: false,
    read(value, name) {
      if (!Array.isArray(value)) throw new ArgumentError(`${name} must be an array, not ${show(value)}: ${what}.`);
      return value.map((each, at) => readEvidence(each, fields, `${name}[${at}]`));
    },
  };
}

/** A field that may be missing. */
export function optional<V>(inner: Field<V>): Field<V | undefined> {
  return {
    what: inner.what,
    optional: true,
    read: (value, name) => (value === undefined ? undefined : inner.read(value, name)),
  };
}

/** Checks the evidence. @param name of the evidence, for the messages @throws ArgumentError names the field, and says what to give */
export function readEvidence<F extends Fields>(given: unknown, fields: F, name: string): Evidence<F> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new ArgumentError(`${name} must be an object, not ${show(given)}.`, give(fields));
  const unknown = Object.keys(given).find((key) => !(key in fields));
  if (unknown !== undefined) throw new ArgumentError(`${name} has no field "${unknown}".`, give(fields));
  const values = new Map<string, unknown>(Object.entries(given));
  const [missing] = Object.entries(fields).find(([key, each]) => !each.optional && values.get(key) === undefined) ?? [];
  if (missing !== undefined) throw new ArgumentError(`${name} lacks "${missing}".`, give(fields));
  const entries = Object.entries(fields)
    .filter(([key]) => values.has(key))
    .map(([key, each]) => [key, each.read(values.get(key), `${name}.${key}`)]);
  return Object.fromEntries(entries) as Evidence<F>;
}

/** Takes from `wide` only what `fields` name: an experiment that several claims share measures more than each of them needs. */
export function pick<F extends Fields>(wide: Evidence<F>, fields: F): Evidence<F> {
  return Object.fromEntries(
    Object.entries(wide).filter(([key, value]) => key in fields && value !== undefined),
  ) as Evidence<F>;
}

function give(fields: Fields): string {
  const lines = Object.entries(fields).map(([key, { what, optional: may }]) => `  ${key}${may ? "?" : ""}: ${what}`);
  return `Give:\n${lines.join("\n")}`;
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return Array.isArray(value) ? "an array" : String(value);
}
