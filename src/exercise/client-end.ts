/** What happened to each client of a check. Some clients only count their bytes; readers keep theirs. Both stand in one list. */
import type { Clients } from "../listener/clients";
import type { ClientView } from "../listener/client-options";
import type { End, Reader } from "./reader";

/** One client, as its own end of the connection shows it. */
export interface ClientEnd {
  /** how it stands */
  end: End;
  /** bytes that it has received */
  bytes: number;
  /** what it has received; only readers know it */
  text?: string;
  /** 0: not connected */
  localPort: number;
  /** CLOCK_MONOTONIC ms of its connect(); NaN: not yet */
  connectAt: number;
  /** ms from connect() to ESTABLISHED; NaN: not connected, or a reader */
  latency: number;
  /** CLOCK_MONOTONIC ms at which it had its answer at the latest: for a reader when it read it, for others when their connection ended */
  answeredAt: number;
}

const ends: Partial<Record<ClientView["state"], End>> = {
  established: "open",
  closedByServer: "closed",
  reset: "reset",
  refused: "refused",
};

/** All clients as they are now, the readers last. @param crowd the clients whose bytes are counted */
export function clientEnds(crowd: Clients, readers: readonly Reader[]): ClientEnd[] {
  // the times of a crowd's clients count from the start of its thread
  const start = crowd.natives[0]?.startedAt ?? NaN;
  const counted = Array.from({ length: crowd.length }, (_, at): ClientEnd => {
    const { state, bytesReceived, localPort, connectAt, latency, changedAt } = crowd.at(at);
    return {
      end: ends[state] ?? "outside",
      bytes: bytesReceived,
      localPort,
      connectAt: start + connectAt,
      latency,
      answeredAt: start + changedAt,
    };
  });
  const read = readers.map(({ end, text, localPort, connectAt, answeredAt }): ClientEnd => {
    return { end, bytes: text.length, text, localPort, connectAt, latency: NaN, answeredAt };
  });
  return [...counted, ...read];
}

/** Whether a client has received `answer` and nothing else: byte by byte if it is a reader, otherwise by the number of bytes. */
export function hasReceived({ bytes, text }: ClientEnd, answer: string): boolean {
  return text === undefined ? bytes === answer.length : text === answer;
}

/** Whether a client has received `answer` and nothing else, and then the server's FIN. */
export function wasServed(client: ClientEnd, answer: string): boolean {
  return client.end === "closed" && hasReceived(client, answer);
}

/** What a reader has read that is none of the answers, as JSON and cut; undefined if there is no such reader. */
export function otherText(clients: readonly ClientEnd[], ...answers: readonly string[]): string | undefined {
  const other = clients.find(({ text }) => text !== undefined && text !== "" && !answers.includes(text));
  return other && JSON.stringify(other.text?.slice(0, 100));
}
