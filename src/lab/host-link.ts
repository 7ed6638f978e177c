/** The link to a lab host: one request at a time, each with its reply, as the protocol's table says. */
import { ArgumentError, errnoName, explain, LabError } from "../errors";
import { native } from "../native";
import {
  decodeReply,
  descriptorsOf,
  encodeRequest,
  type Refusal,
  type ReplyValues,
  type RequestName,
  type RequestValues,
} from "./protocol";

/** ms; the slowest request, open with a wire, takes some 20 ms */
const answerTimeout = 10_000;

/** The lab host's answer to a request. */
export interface HostAnswer<Name extends RequestName> {
  /** the values of the reply, as the protocol's table has them */
  reply: ReplyValues<Name>;
  /** the descriptors beside the reply; the caller owns them */
  fds: Int32Array;
}

/** The lab host has refused a request. The caller turns the refusal into a message for the reader: explainRefusal(). */
export class RefusedError extends Error {
  /** The link makes it from the reply. */
  constructor(
    /** the refusal, as the lab host sent it */
    readonly refusal: Refusal,
  ) {
    super(refusal.why || `${errnoName(refusal.error)} (${refusal.syscall})`);
    this.name = "RefusedError";
  }
}

/**
 * The link to a lab host. It sends one request at a time, and takes the descriptors that come beside the reply
 * (SCM_RIGHTS, unix(7)).
 */
export class HostLink {
  private queue: Promise<unknown> = Promise.resolve();
  /**
   * The lab host has left a request unanswered. The next reply could be the late answer to that request, so nothing
   * more is sent.
   */
  private silent = false;

  /** @param fd a SOCK_SEQPACKET socket whose other end the lab host has; closed by close() */
  constructor(private readonly fd: number) {}

  /**
   * Sends one request when those before it are answered, and waits for its reply.
   * @param ready throws if the request must not be sent any more when its turn comes
   * @throws RefusedError; LabError ERR_PROTOCOL, ETIMEDOUT; ArgumentError a value does not fit; a system error
   * (ECONNRESET: the host has died)
   */
  async exchange<Name extends RequestName>(
    name: Name,
    values: RequestValues<Name>,
    ready: () => void = () => undefined,
  ): Promise<HostAnswer<Name>> {
    const message = encodeRequest(name, values);
    const turn = this.queue.then(() => {
      ready();
      if (this.silent) throw new LabError("The lab host has not answered an earlier request.", { code: "ETIMEDOUT" });
      return native.hostRequest(this.fd, message, answerTimeout);
    });
    this.queue = turn.catch(() => undefined);
    const { fields, fds } = await turn.catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ETIMEDOUT") this.silent = true;
      throw error;
    });
    try {
      const answer = decodeReply(name, fields);
      if ("refused" in answer) throw new RefusedError(answer.refused);
      if (fds.length !== descriptorsOf(name, values))
        throw new LabError(`The lab host's reply to ${name} has ${fds.length} descriptors.`, {
          code: "ERR_PROTOCOL",
        });
      return { reply: answer.reply, fds };
    } catch (error) {
      for (const fd of fds) native.close(fd);
      throw error;
    }
  }

  /** Resolves when no request is under way. */
  async settled(): Promise<void> {
    await this.queue;
  }

  /** Closes the descriptor. No request may be under way. */
  close(): void {
    native.close(this.fd);
  }
}

/**
 * The error that the reader sees after a failure of the link or a refusal.
 * @param what the thing that was requested, as the subject of the message: "/proc/net/netstat"
 */
export function explainAnswer(error: unknown, what: string): unknown {
  if (error instanceof RefusedError) return explainRefusal(error.refusal, what);
  if (error instanceof ArgumentError) return error;
  if (error instanceof LabError && error.code === "ETIMEDOUT") return unanswered(what, error);
  return explain(error, `The lab host gave no answer (${what})`, {
    ECONNRESET: "The lab host has died: close this Lab and open another one.",
    ETIMEDOUT: closeThisLab,
    EMSGSIZE: "The request is too large: shorten the arguments or the environment.",
  });
}

const closeThisLab = "Close this Lab and open another one.";

function unanswered(what: string, cause: LabError): LabError {
  return new LabError(`The lab host gave no answer (${what}).`, { code: "ETIMEDOUT", hint: closeThisLab, cause });
}

/**
 * The LabError of a refusal: ERR_FORBIDDEN where a guest lacks the right, otherwise the errno of the lab host's system
 * call.
 * @param what the thing that was requested, as the subject of the message
 */
export function explainRefusal({ syscall, error, why }: Refusal, what: string): LabError {
  const code = errnoName(error);
  if (code === "EPERM" && syscall === "request")
    return new LabError(`${what}: guests of this Lab do not get this.`, {
      code: "ERR_FORBIDDEN",
      hint: "Solve the exercise without it.",
    });
  return new LabError(`${what}: ${why || `${code} (${syscall}).`}`, { code, errno: -error, syscall });
}
