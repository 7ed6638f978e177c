/**
 * The parts of tslab that the launcher builds upon, as far as it uses them. They are not tslab's public interface, so their
 * presence is checked at start, and package.json names tslab's exact version.
 */

export interface Diagnostic {
  start: { line: number; character: number };
  end: { line: number; character: number };
  messageText: string;
  code: number;
  /** absent for the cell itself */
  fileName?: string;
}

export interface Converted {
  diagnostics: Diagnostic[];
  /** the cell as JavaScript */
  output?: string;
  hasToplevelAwait?: boolean;
}

export interface Converter {
  convert(earlierDeclarations: string, source: string): Converted;
  inspect(earlierDeclarations: string, source: string, position: number): unknown;
  complete(earlierDeclarations: string, source: string, position: number): unknown;
  addModule(name: string, source: string, meta: unknown): Diagnostic[];
}

export interface ConverterSet {
  readonly node: Converter;
  readonly browser: Converter;
  close(): void;
}

export interface CellConsole {
  log(...values: unknown[]): void;
  error(...values: unknown[]): void;
}

export interface Executor {
  execute(source: string): Promise<boolean>;
  interrupt(): void;
}

export type CreateExecutor = (rootDir: string, converters: ConverterSet, console: CellConsole) => Executor;

export interface ExecuteRequest {
  code: string;
  silent?: boolean;
  stop_on_error?: boolean;
}

/** tslab's ZmqMessage */
export interface Message {
  header: { msg_type: string };
  metadata: Record<string, unknown>;
  content: unknown;
  createReply(): Message;
  signAndSend(key: string, socket: Socket): void;
}

export interface MessageClass {
  fromRaw(key: string, frames: Buffer[]): Message;
}

export interface Socket {
  sendHighWaterMark?: number;
}

export type WriteStream = (name: "stdout" | "stderr", text: string) => void;
export type WriteDisplayData = (content: unknown, update: boolean) => void;

export interface Handler {
  execCount: number;
  execQueue: { reset(): void };
  handleKernel(): { language_info: Record<string, unknown>; implementation_version: string };
  handleExecute(
    request: ExecuteRequest,
    writeStream: WriteStream,
    writeDisplayData: WriteDisplayData,
  ): Promise<{ execution_count?: number }>;
  handleExecuteImpl(
    request: ExecuteRequest,
    writeStream: WriteStream,
    writeDisplayData: WriteDisplayData,
  ): Promise<unknown>;
  createWriteToIopub(name: "stdout" | "stderr", writeStream: WriteStream): unknown;
  handleShutdown(request: unknown): unknown;
}

export interface Server {
  handler: Handler;
  connInfo: { key: string };
  iopub: Socket;
  init(): Promise<void>;
  publishStatus(status: string, parent: Message): void;
  handleShellMessage(socket: Socket, ...frames: Buffer[]): Promise<void>;
  handleExecute(socket: Socket, message: Message): Promise<void>;
  handleCommInfoRequest(socket: Socket, message: Message): void;
  close(): void;
}

export interface Tslab {
  main: { startKernel(options: { configPath: string; enableFindLocal: boolean }): void };
  executor: { createExecutor: CreateExecutor };
  jupyter: {
    ZmqServer: new (handler: Handler, configPath: string) => Server;
    JupyterHandlerImpl: new (executor: Executor, isJs: boolean) => Handler;
  };
  /** of tslab, TypeScript as tslab compiles cells */
  versions: { tslab: string; typescript: string };
}

/** @throws Error another version of tslab is installed, in which one of these parts is missing */
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
    throw new Error(
      `tslab ${versions.tslab} is not the tslab that package.json asks for (no ${missing.join(", ")}): run \`npm ci\`.`,
    );
  }
  return { main, executor, jupyter: jupyter as Tslab["jupyter"], versions };
}
