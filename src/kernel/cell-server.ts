import { randomUUID } from "node:crypto";
import { Cell } from "./cell";
import { cellOf } from "./cell-handler";
import { CellOutput } from "./cell-output";
import type { DisplayBundle } from "./hook";
import { ShellQueue } from "./shell-queue";
import type { ExecuteRequest, Message, MessageClass, Socket, Tslab } from "./tslab";

/**
 * tslab's Jupyter server, mended where it leaves the protocol: failing cells say so in an `error` message and in their
 * reply, cells that were queued behind one come back as aborted, one cell runs after the other, the kernel ends when it
 * is told to.
 */

/** ms in which cells that the frontend sent before it knew of a failure arrive */
const arrival = 20;
/** ms for the last messages to leave */
const farewell = 100;

/** Where displays of the running or the last cell go. */
let showBundle: ((bundle: DisplayBundle, update: boolean) => void) | undefined;

/**
 * Shows a bundle under the cell that runs, or under the one that ran last; see KernelHook.display().
 * @throws Error no cell has run yet
 */
export function display(bundle: DisplayBundle, update: boolean): void {
  if (!showBundle) throw new Error("No cell has run yet: there is no place to display.");
  showBundle(bundle, update);
}

const handledByTslab = new Set([
  "kernel_info_request",
  "execute_request",
  "is_complete_request",
  "inspect_request",
  "complete_request",
  "comm_info_request",
  "shutdown_request",
]);

/** tslab's message server, changed so that cells can be interrupted and displays are sent at once. */
// eslint-disable-next-line one-listener/max-lines-per-function -- one class, whose base is known only at run time
export function cellServer({ jupyter }: Tslab): Tslab["jupyter"]["ZmqServer"] {
  return class CellServer extends jupyter.ZmqServer {
    private Message: MessageClass | undefined;
    private readonly queue = new ShellQueue();
    private running: Message | undefined;
    private over = false;

    override async init(): Promise<void> {
      try {
        await super.init();
      } catch (error) {
        console.error(`The kernel cannot open its connection: ${(error as Error).message}`);
        process.exit(1);
      }
      // above its high-water mark a publisher drops messages without an error, and one of them could be "idle"
      this.iopub.sendHighWaterMark = 0;
    }

    override async handleShellMessage(socket: Socket, ...frames: Buffer[]): Promise<void> {
      const type = messageType(frames);
      if (type === "execute_request") {
        return this.queue.enter(
          () => super.handleShellMessage(socket, ...frames),
          () => this.abort(socket, frames),
        );
      }
      if (handledByTslab.has(type)) return super.handleShellMessage(socket, ...frames);
      // tslab would print "unknown msg_type" under the reader's cell
      this.handleOther(socket, frames);
    }

    override publishStatus(status: string, parent: Message): void {
      this.Message ??= parent.constructor as unknown as MessageClass;
      super.publishStatus(status, parent);
      // a completion answered while a cell runs must not make the kernel look idle
      if (status === "idle" && this.running && parent !== this.running) super.publishStatus("busy", this.running);
    }

    override async handleExecute(socket: Socket, message: Message): Promise<void> {
      const request = message.content as ExecuteRequest;
      const cell = new Cell(cellId(message), request.code);
      const output = new CellOutput((name, text) => this.publish(message, "stream", { name, text }));
      const show = (content: unknown, update: boolean) => {
        output.flush();
        this.publish(message, update ? "update_display_data" : "display_data", content);
      };
      cellOf.set(request, cell);
      this.running = message;
      showBundle = ({ data, metadata = {}, transient = {} }, update) => show({ data, metadata, transient }, update);
      if (!request.silent)
        this.publish(message, "execute_input", { code: request.code, execution_count: this.handler.execCount + 1 });

      const { execution_count } = await this.handler.handleExecute(
        request,
        (name, text) => output.write(name, text),
        show,
      );
      output.flush();
      this.running = undefined;
      const { failure } = cell;
      if (failure) {
        this.publish(message, "error", { ...failure });
        if (request.stop_on_error !== false) {
          await new Promise((resolve) => setTimeout(resolve, arrival));
          this.queue.abortWaiting();
        }
        // tslab would abort every cell that comes in the next 200 ms, also a cell that the reader has just corrected
        this.handler.execQueue.reset();
      }
      const reply = message.createReply();
      reply.header.msg_type = "execute_reply";
      reply.content = {
        ...(failure ? { status: "error", ...failure } : { status: "ok" }),
        execution_count,
        user_expressions: {},
        payload: [],
      };
      reply.signAndSend(this.connInfo.key, socket);
    }

    override handleCommInfoRequest(socket: Socket, message: Message): void {
      this.reply(socket, message, "comm_info_reply", { status: "ok", comms: {} });
    }

    override close(): void {
      this.over = true;
      super.close();
      // whatever the notebook left open (timers, Labs) ends with the process
      setTimeout(() => process.exit(0), farewell);
    }

    private abort(socket: Socket, frames: Buffer[]): void {
      const message = this.Message?.fromRaw(this.connInfo.key, frames);
      if (!message) return;
      this.publishStatus("busy", message);
      this.reply(socket, message, "execute_reply", {
        status: "aborted",
        execution_count: this.handler.execCount,
        user_expressions: {},
        payload: [],
      });
      this.publishStatus("idle", message);
    }

    private handleOther(socket: Socket, frames: Buffer[]): void {
      const message = this.Message?.fromRaw(this.connInfo.key, frames);
      if (!message) return;
      this.publishStatus("busy", message);
      if (message.header.msg_type === "interrupt_request") {
        process.kill(process.pid, "SIGINT");
        this.reply(socket, message, "interrupt_reply", { status: "ok" });
      } else if (message.header.msg_type === "history_request") {
        this.reply(socket, message, "history_reply", { status: "ok", history: [] });
      }
      this.publishStatus("idle", message);
    }

    private reply(socket: Socket, message: Message, type: string, content: unknown): void {
      const reply = message.createReply();
      reply.header.msg_type = type;
      reply.content = content;
      reply.signAndSend(this.connInfo.key, socket);
    }

    private publish(parent: Message, type: string, content: unknown): void {
      // code that still runs while the process ends may print something
      if (!this.over) this.reply(this.iopub, parent, type, content);
    }
  };
}

/** JupyterLab sends the cell's id. For a frontend that does not, every execution counts as another cell. */
function cellId(message: Message): string {
  const { cellId: id } = message.metadata;
  return typeof id === "string" && id !== "" ? id : randomUUID();
}

function messageType(frames: Buffer[]): string {
  const header = frames[frames.findIndex((frame) => frame.equals(delimiter)) + 2];
  try {
    return (JSON.parse(String(header)) as Message["header"]).msg_type;
  } catch {
    // no Jupyter message: tslab's parser throws
    return "execute_request";
  }
}

/** between the routing prefix and the signature of a message */
const delimiter = Buffer.from("<IDS|MSG>");
