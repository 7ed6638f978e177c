/**
 * The protocol between a Lab's owner (or guest) and its lab host: the table of all requests, with the values of each
 * request and of its reply, and the right that it needs. native/host/protocol.cc holds the same table for the other
 * side, and a test compares the two.
 *
 * A message is the name of the request (in a reply: OK or ERR), and then the values in the order of the table, all as
 * text. A list is the number of its records, and then the values of each. Source of the transport: unix(7),
 * SOCK_SEQPACKET, SCM_RIGHTS.
 */
import { ArgumentError, LabError } from "../errors";

/** Text of at most `most` bytes in UTF-8, without NUL. */
interface TextField {
  readonly kind: "text";
  readonly most: number;
}

/** An integer from 0 to `most`. */
interface NumberField {
  readonly kind: "number";
  readonly most: number;
}

/** true or false */
interface FlagField {
  readonly kind: "flag";
}

/** At most `most` records with the fields `of`. */
interface ListField<Of extends Form> {
  readonly kind: "list";
  readonly most: number;
  readonly of: Of;
}

type Field = TextField | NumberField | FlagField | { readonly kind: "list"; readonly most: number; readonly of: Form };

/** The fields of a message or of a record, by name, in the order in which they are sent. */
export interface Form {
  readonly [name: string]: Field;
}

/** The value that a field has in TypeScript. */
type ValueOf<F> = F extends TextField
  ? string
  : F extends NumberField
    ? number
    : F extends FlagField
      ? boolean
      : F extends ListField<infer Of>
        ? Values<Of>[]
        : never;

/** The values of a form. */
export type Values<F extends Form> = { [Name in keyof F]: ValueOf<F[Name]> };

/**
 * The right that a request needs: none, a right of a guest (look, wire), or the ownership of the Lab. The owner has
 * every right.
 */
export type Right = "none" | "look" | "wire" | "owner";

interface RequestForm {
  readonly right: Right;
  readonly fields: Form;
  readonly reply: Form;
  /** the number of descriptors beside the reply, or the name of the request's field that holds this number */
  readonly descriptors: number | string;
}

const text = (most: number): TextField => ({ kind: "text", most });
const number = (most: number): NumberField => ({ kind: "number", most });
const flag: FlagField = { kind: "flag" };
const list = <Of extends Form>(most: number, of: Of): ListField<Of> => ({ kind: "list", most, of });

/** sockets that one reply can carry; SCM_MAX_FD is 253 */
export const mostSockets = 250;
/** PATH_MAX */
const longestPath = 4096;
/** MAX_ARG_STRLEN: one argument or variable of execve(2) */
const longestWord = 128 * 1024;
const mostWords = 65_536;
const largestId = 2 ** 31 - 1;

const steps = list(32, { name: text(64), syscall: text(64), error: number(4095) });

const theLab = {
  address: text(64),
  nearHardware: text(64),
  farHardware: text(64),
  farIndex: number(largestId),
  ownHash: flag,
  steps,
};

/** Every request of the protocol, in the order of the host's table. */
export const protocol = {
  /** the host's own table, as describeProtocol() writes it */
  protocol: { right: "none", fields: {}, reply: { table: text(16_384) }, descriptors: 0 },
  /** makes the Lab's network; once. hashBuckets 0: the machine's own established-hash */
  open: { right: "owner", fields: { hashBuckets: number(1 << 24), wire: flag }, reply: theLab, descriptors: 0 },
  /** the Lab's addresses and steps, for guests, which did not open it */
  describe: { right: "none", fields: {}, reply: theLab, descriptors: 0 },
  /** non-blocking IPv4 TCP sockets */
  tcpSockets: { right: "none", fields: { count: number(mostSockets) }, reply: {}, descriptors: "count" },
  /** NETLINK_SOCK_DIAG sockets: the kernel's table of sockets (sock_diag(7)) */
  diagSockets: { right: "look", fields: { count: number(mostSockets) }, reply: {}, descriptors: "count" },
  /** AF_PACKET sockets on the far end of the link (packet(7)) */
  packetSockets: { right: "wire", fields: { count: number(mostSockets) }, reply: {}, descriptors: "count" },
  /** a file under /proc/net or /proc/sys/net, for reading */
  readFile: { right: "look", fields: { path: text(longestPath) }, reply: {}, descriptors: 1 },
  /** a file under /proc/net or /proc/sys/net, for reading and writing */
  editFile: { right: "owner", fields: { path: text(longestPath) }, reply: {}, descriptors: 1 },
  /** a program; its descriptors are stdin, stdout, stderr, and the status: a line at its end, "exit 0" or "signal 9" */
  spawn: {
    right: "owner",
    fields: {
      directory: text(longestPath),
      limits: list(16, { resource: number(15), value: number(Number.MAX_SAFE_INTEGER) }),
      arguments: list(mostWords, { word: text(longestWord) }),
      environment: list(mostWords, { variable: text(longestWord) }),
    },
    reply: { id: number(largestId), pid: number(largestId) },
    descriptors: 4,
  },
  /** signals a program of spawn, and its process group */
  kill: { right: "owner", fields: { id: number(largestId), signal: number(64) }, reply: {}, descriptors: 0 },
  /** another link to this lab host, for a guest with these rights */
  guest: { right: "owner", fields: { look: flag, wire: flag }, reply: {}, descriptors: 1 },
} as const satisfies Record<string, RequestForm>;

/**
 * The reply to a request that was not carried out. `syscall` "request": the lab host itself refused, and `why` is the
 * reason.
 */
export const refusal = { step: text(64), syscall: text(64), error: number(4095), why: text(1024), steps };

/** The name of a request: "open", "spawn", … */
export type RequestName = keyof typeof protocol;
/** The values that a request carries, by the names of its fields. */
export type RequestValues<Name extends RequestName> = Values<(typeof protocol)[Name]["fields"]>;
/** The values that the reply to a request carries, by the names of its fields. */
export type ReplyValues<Name extends RequestName> = Values<(typeof protocol)[Name]["reply"]>;
/** The values of a reply that refuses a request. */
export type Refusal = Values<typeof refusal>;

/** The message of a request. @throws ArgumentError a value does not fit its field */
export function encodeRequest<Name extends RequestName>(name: Name, values: RequestValues<Name>): string[] {
  const message: string[] = [name];
  append(message, protocol[name].fields, values);
  return message;
}

/** The values of a reply, or the refusal. @throws LabError ERR_PROTOCOL: the message does not match the table */
export function decodeReply<Name extends RequestName>(
  name: Name,
  message: readonly string[],
): { reply: ReplyValues<Name> } | { refused: Refusal } {
  const [outcome, ...rest] = message;
  // The form has been looked up by the name, so the record has the values of this name's reply.
  if (outcome === "OK") return { reply: new Reader(rest).read(protocol[name].reply) };
  if (outcome === "ERR") return { refused: new Reader(rest).read(refusal) };
  throw mismatch(`begins with ${JSON.stringify(outcome)}`);
}

/** The number of descriptors that must come beside the reply to this request. */
export function descriptorsOf<Name extends RequestName>(name: Name, values: RequestValues<Name>): number {
  const { descriptors } = protocol[name];
  return typeof descriptors === "number"
    ? descriptors
    : Number(Object.entries(values).find(([field]) => field === descriptors)?.[1]);
}

/**
 * The whole table as text, one line per request. The lab host's reply to the request `protocol` must be the same text.
 */
export function describeProtocol(): string {
  const rows = Object.entries<RequestForm>(protocol).map(
    ([name, { right, fields, reply, descriptors }]) =>
      `${name} [${right}] (${described(fields)}) -> (${described(reply)}) + ${descriptors}`,
  );
  return [...rows, `refusal (${described(refusal)})`].join("\n");
}

function described(form: Form): string {
  return Object.entries(form)
    .map(([name, field]) => {
      if (field.kind === "flag") return `${name} flag`;
      const bound = `${name} ${field.kind} ${field.most}`;
      return field.kind === "list" ? `${bound} (${described(field.of)})` : bound;
    })
    .join(", ");
}

function append(message: string[], form: Form, values: Readonly<Record<string, unknown>>): void {
  for (const [name, field] of Object.entries(form)) {
    const value = values[name];
    if (field.kind === "list") {
      if (!Array.isArray(value) || value.length > field.most)
        throw new ArgumentError(`${name} must be a list of at most ${field.most} items.`);
      message.push(String(value.length));
      for (const record of value as Readonly<Record<string, unknown>>[]) append(message, field.of, record);
    } else message.push(encoded(name, field, value));
  }
}

function encoded(name: string, field: TextField | NumberField | FlagField, value: unknown): string {
  if (field.kind === "flag") return value === true ? "1" : "0";
  if (field.kind === "number") {
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > field.most)
      throw new ArgumentError(`${name} must be an integer from 0 to ${field.most}, not ${String(value)}.`);
    return String(value);
  }
  if (typeof value !== "string" || value.includes("\0") || Buffer.byteLength(value) > field.most)
    throw new ArgumentError(`${name} must be text of at most ${field.most} bytes without NUL characters.`);
  return value;
}

function mismatch(why: string): LabError {
  return new LabError(`The lab host's reply ${why}.`, {
    code: "ERR_PROTOCOL",
    hint: "The addon and the library are of different versions: run `npm run build`.",
  });
}

/** Reads a reply value by value. */
class Reader {
  private at = 0;

  constructor(private readonly message: readonly string[]) {}

  read<F extends Form>(form: F): Values<F> {
    const values = this.record(form);
    if (this.at < this.message.length) throw mismatch("has more values than the protocol");
    return values;
  }

  private record<F extends Form>(form: F): Values<F> {
    const values = Object.entries(form).map(([name, field]) => [name, this.value(name, field)]);
    // Each field of the form has been read as its kind says.
    return Object.fromEntries(values) as Values<F>;
  }

  private value(name: string, field: Field): string | number | boolean | Values<Form>[] {
    const value = this.message[this.at++];
    if (value === undefined) throw mismatch(`lacks ${name}`);
    if (field.kind === "text") return value;
    const read = Number(value);
    if (!/^\d+$/.test(value) || read > (field.kind === "flag" ? 1 : field.most))
      throw mismatch(`has ${JSON.stringify(value)} for ${name}`);
    if (field.kind === "number") return read;
    if (field.kind === "flag") return read === 1;
    return Array.from({ length: read }, () => this.record(field.of));
  }
}
