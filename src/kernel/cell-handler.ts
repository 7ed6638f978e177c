import { Cell } from "./cell";
import type { ExecuteRequest, Tslab, WriteDisplayData, WriteStream } from "./tslab";

/** The Cell of a request on its way through tslab's handler. */
export const cellOf = new WeakMap<ExecuteRequest, Cell>();

/** tslab's handler, with cells that begin and end, and Node's way of writing to a stream. */
export function cellHandler({ jupyter, versions }: Tslab): Tslab["jupyter"]["JupyterHandlerImpl"] {
  return class CellHandler extends jupyter.JupyterHandlerImpl {
    override handleKernel() {
      const reply = super.handleKernel();
      // notebooks save these with every run; tslab's own reply still names TypeScript 3.7
      Object.assign(reply.language_info, { version: versions.typescript, pygments_lexer: "typescript" });
      return { ...reply, status: "ok", implementation_version: versions.tslab };
    }

    override async handleExecuteImpl(
      request: ExecuteRequest,
      writeStream: WriteStream,
      writeDisplayData: WriteDisplayData,
    ): Promise<unknown> {
      const cell = cellOf.get(request) ?? new Cell("", request.code);
      await cell.begin(this.execCount + 1);
      try {
        return await super.handleExecuteImpl(request, writeStream, writeDisplayData);
      } finally {
        await cell.end();
      }
    }

    override createWriteToIopub(name: "stdout" | "stderr", writeStream: WriteStream): unknown {
      const decoder = new TextDecoder();
      return (chunk: string | Uint8Array, encoding?: BufferEncoding | (() => void), done?: () => void): boolean => {
        writeStream(name, typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
        const written = typeof encoding === "function" ? encoding : done;
        // a stream that is piped into stdout waits for this
        if (written) process.nextTick(written);
        return true;
      };
    }

    override handleShutdown(request: unknown): unknown {
      return { status: "ok", restart: (request as { restart?: boolean }).restart === true };
    }
  };
}
