/**
 * The parts of tslab that the launcher builds upon, as far as it uses them. They are not tslab's public interface, so
 * their presence is checked at start, and package.json names tslab's exact version.
 */

import { LabError } from "../errors";

/** One error of TypeScript's check of a cell. */
export interface Diagnostic {
  /** where it begins */
  start: {
    /** from 0 */
    line: number;
    /** from 0 */
    character: number;
  };
  /** where it ends */
  end: {
    /** from 0 */
    line: number;
    /** from 0 */
    character: number;
  };
  /** TypeScript's message */
  messageText: string;
  /** TypeScript's number of the error, without "TS" */
  code: number;
  /** absent for the cell itself */
  fileName?: string;
}

/** A cell that a converter has checked and compiled. */
export interface Converted {
  /** its errors; none: it can run */
  diagnostics: Diagnostic[];
  /** the cell as JavaScript */
  output?: string;
  /** it awaits outside a function */
  hasToplevelAwait?: boolean;
}

/** tslab's TypeScript for the cells of one kernel. */
export interface Converter {
  /** Checks and compiles a cell. `earlierDeclarations`: the declarations of the cells before it. */
  convert(earlierDeclarations: string, source: string): Converted;
  /** The answer to Shift + Tab at an offset in the cell. */
  inspect(earlierDeclarations: string, source: string, position: number): unknown;
  /** The answer to Tab at an offset in the cell. */
  complete(earlierDeclarations: string, source: string, position: number): unknown;
  /** Makes a module of a cell's source, for other cells to import. */
  addModule(name: string, source: string, meta: unknown): Diagnostic[];
}

/** tslab's converters. */
export interface ConverterSet {
  /** of cells that run in Node */
  readonly node: Converter;
  /** of modules for the browser */
  readonly browser: Converter;
  /** Frees both. */
  close(): void;
}

/** The console of a kernel. */
export interface CellConsole {
  /** Writes to stdout. */
  log(...values: unknown[]): void;
  /** Writes to stderr. */
  error(...values: unknown[]): void;
}

/** Runs cells. */
export interface Executor {
  /** Runs a cell. Resolves to true if it succeeded. */
  execute(source: string): Promise<boolean>;
  /** Stops waiting for the cell that runs. */
  interrupt(): void;
}

/** Makes tslab's Executor. */
export type CreateExecutor = (rootDir: string, converters: ConverterSet, console: CellConsole) => Executor;

/** The content of an execute_request (Jupyter protocol). */
export interface ExecuteRequest {
  /** the cell's source */
  code: string;
  /** true: no output, and no new number */
  silent?: boolean;
  /** true: if the cell fails, the kernel drops the cells that wait */
  stop_on_error?: boolean;
}

/** A message of the Jupyter protocol: tslab's ZmqMessage. */
export interface Message {
  /** its header */
  header: {
    /** "execute_request", … */
    msg_type: string;
  };
  /** its metadata; the frontend's cell id among them */
  metadata: Record<string, unknown>;
  /** its content, which depends on msg_type */
  content: unknown;
  /** A message whose parent is this one. */
  createReply(): Message;
  /** Sends it, signed with the connection's key. */
  signAndSend(key: string, socket: Socket): void;
}

/** The class of messages. */
export interface MessageClass {
  /** Reads a message from its frames. @throws Error its signature is wrong */
  fromRaw(key: string, frames: Buffer[]): Message;
}

/** A ZeroMQ socket. */
export interface Socket {
  /** the most messages that wait to be sent */
  sendHighWaterMark?: number;
}

/** Sends text of a stream to the frontend. */
export type WriteStream = (name: "stdout" | "stderr", text: string) => void;
/** Sends a display to the frontend; `update`: replaces one that is there. */
export type WriteDisplayData = (content: unknown, update: boolean) => void;

/** Answers the requests of the Jupyter protocol. */
export interface Handler {
  /** the number of the last cell: N of In[N] */
  execCount: number;
  /** the cells that wait */
  execQueue: {
    /** Drops them. */
    reset(): void;
  };
  /** The content of a kernel_info_reply. */
  handleKernel(): {
    /** the language's name, version and file extension */
    language_info: Record<string, unknown>;
    /** the kernel's version */
    implementation_version: string;
  };
  /** Puts a cell into the queue. Resolves to the content of its execute_reply. */
  handleExecute(
    request: ExecuteRequest,
    writeStream: WriteStream,
    writeDisplayData: WriteDisplayData,
  ): Promise<{
    /** N of In[N] */
    execution_count?: number;
  }>;
  /** Runs a cell now. */
  handleExecuteImpl(
    request: ExecuteRequest,
    writeStream: WriteStream,
    writeDisplayData: WriteDisplayData,
  ): Promise<unknown>;
  /** A replacement of process.stdout.write() or process.stderr.write(). */
  createWriteToIopub(name: "stdout" | "stderr", writeStream: WriteStream): unknown;
  /** Ends the kernel. */
  handleShutdown(request: unknown): unknown;
}

/** Takes and sends the messages of the Jupyter protocol. */
export interface Server {
  /** answers the requests */
  handler: Handler;
  /** the connection file */
  connInfo: {
    /** the key with which messages are signed */
    key: string;
  };
  /** the socket of outputs and statuses */
  iopub: Socket;
  /** Opens the sockets. @throws Error a port is in use */
  init(): Promise<void>;
  /** Sends "busy" or "idle". */
  publishStatus(status: string, parent: Message): void;
  /** Called with each message of the shell socket. */
  handleShellMessage(socket: Socket, ...frames: Buffer[]): Promise<void>;
  /** Answers an execute_request. */
  handleExecute(socket: Socket, message: Message): Promise<void>;
  /** Answers a comm_info_request. */
  handleCommInfoRequest(socket: Socket, message: Message): void;
  /** Closes the sockets. */
  close(): void;
}

/** The modules of tslab that are used. */
export interface Tslab {
  /** tslab/dist/main */
  main: {
    /** Starts the kernel of a connection file. */
    startKernel(options: { configPath: string; enableFindLocal: boolean }): void;
  };
  /** tslab/dist/executor */
  executor: {
    /** replaced by ours before the kernel starts */
    createExecutor: CreateExecutor;
  };
  /** tslab/dist/jupyter */
  jupyter: {
    /** replaced by ours before the kernel starts */
    ZmqServer: new (handler: Handler, configPath: string) => Server;
    /** replaced by ours before the kernel starts */
    JupyterHandlerImpl: new (executor: Executor, isJs: boolean) => Handler;
  };
  /** version numbers */
  versions: {
    /** of tslab */
    tslab: string;
    /** of the TypeScript with which tslab compiles cells */
    typescript: string;
  };
}

/**
 * Loads tslab, and checks that it has the parts that are used.
 * @throws LabError another version of tslab is installed, in which one of these parts is missing
 */
export function loadTslab(): Tslab {
  const main = require("tslab/dist/main") as Tslab["main"];
  const executor = require("tslab/dist/executor") as Tslab["executor"];
  const jupyter = require("tslab/dist/jupyter") as Partial<Tslab["jupyter"]>;
  const { versions } = require("tslab") as Pick<Tslab, "versions">;
  const server = jupyter.ZmqServer?.prototype as Partial<Server> | undefined;
  const handler = jupyter.JupyterHandlerImpl?.prototype as Partial<Handler> | undefined;
  const parts: [name: string, part: unknown][] = [
    ["startKernel", (main as Partial<typeof main>)["startKernel"]],
    ["createExecutor", executor.createExecutor],
    ...(["handleShellMessage", "handleExecute", "publishStatus"] as const).map((name): [string, unknown] => [
      `ZmqServer.${name}`,
      server?.[name],
    ]),
    ...(["handleExecuteImpl", "createWriteToIopub"] as const).map((name): [string, unknown] => [
      `JupyterHandlerImpl.${name}`,
      handler?.[name],
    ]),
  ];
  const missing = parts.filter(([, part]) => typeof part !== "function").map(([name]) => name);
  if (missing.length > 0) {
    throw new LabError(
      `tslab ${versions.tslab} is not the tslab that package.json asks for: it has no ${missing.join(", ")}.`,
      { code: "ERR_MODULE_NOT_FOUND", hint: "Run: npm ci" },
    );
  }
  return { main, executor, jupyter: jupyter as Tslab["jupyter"], versions };
}
