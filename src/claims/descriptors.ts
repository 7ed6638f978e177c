/** Claims 2 and 3: one descriptor for the listener, one for each connection, and no data on the first. */
import { ArgumentError } from "../errors";
import { native } from "../native";
import { claim } from "./claim";
import { count, optional, text } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { countOf } from "../wording/number";

const clients = 100;

async function descriptorsOfEach() {
  return inLab({ wire: false }, async (lab) => {
    const before = native.descriptors().open;
    const listener = await lab.listen({ backlog: 2 * clients });
    const listenerDescriptors = native.descriptors().open - before;
    await lab.connect(listener, { clients });
    await atRest(() => [listener.acceptQueue], { quiet: 50 });
    const established = lab.sockets({ port: listener.port, states: ["ESTABLISHED"] });
    const connections = listener.acceptAll();
    const distinctDescriptors = new Set(connections.map(({ fd }) => fd)).size;
    for (const connection of connections) await connection.close();
    return {
      listenerDescriptors,
      descriptorsBeforeAccept: established.filter(({ inode }) => inode !== 0).length,
      connections: connections.length,
      distinctDescriptors,
    };
  });
}

/**
 * Claim 2: descriptors of a listener and of 100 connections, before and after accept(). Source: __sys_accept4().
 * @throws ArgumentError judge(): no connection was accepted
 */
export const ownDescriptors = claim({
  number: 2,
  section: "Part 1",
  statement: "listen() takes one descriptor; every connection gets a descriptor of its own.",
  quote: "EACH connection gets its own unique FD",
  notebook: "01",
  evidence: {
    listenerDescriptors: count("descriptors that listening added to the process"),
    connections: count("connections accepted"),
    distinctDescriptors: count("different descriptors among them"),
    descriptorsBeforeAccept: optional(count("connections that had a descriptor before accept()")),
  },
  experiment: (once) => once(descriptorsOfEach),
  judge({ listenerDescriptors, connections, distinctDescriptors, descriptorsBeforeAccept }) {
    if (connections === 0)
      throw new ArgumentError("No connection was accepted.", "Connect clients and accept them first.");
    const early = descriptorsBeforeAccept === undefined ? "" : `, ${descriptorsBeforeAccept} of them before accept()`;
    const measured = `${countOf(listenerDescriptors, "descriptor")} for the listener, ${distinctDescriptors} for ${countOf(connections, "connection")}${early}`;
    const kernel = "__sys_accept4()";
    if (listenerDescriptors !== 1)
      return { verdict: "false", measured, why: "listen() did not take exactly one descriptor.", kernel };
    if (distinctDescriptors !== connections)
      return { verdict: "false", measured, why: "Some connections had the same descriptor.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "accept() allocates a descriptor and a file for the connection that it takes from the accept queue. The handshake allocates neither.",
      kernel,
    };
  },
});

async function readAndWriteOnListener() {
  return inLab({ wire: false }, async (lab) => {
    const listener = await lab.listen();
    const client = await lab.dial(listener);
    const connection = await listener.accept({ timeout: 2000 });
    await client.write("hello");
    const attempt = (call: "read" | "send"): string => {
      try {
        return `${native[call](listener.fd, new Uint8Array(16))} bytes`;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error);
      }
    };
    const read = attempt("read");
    const write = attempt("send");
    const data = await connection.read({ timeout: 2000 });
    for (const end of [client, connection]) await end.close();
    return { read, write, onConnection: data?.length ?? 0 };
  });
}

const outcome = /^(E[A-Z0-9]+|-?\d+ bytes)$/;

/** Claim 3: what read(2) and send(2) on the listening descriptor give. Source: tcp_recvmsg_locked(). */
export const noDataOnListener = claim({
  number: 3,
  section: "Part 1",
  statement: "The listening descriptor never carries data.",
  quote: "NEVER reads/writes actual data",
  notebook: "01",
  evidence: {
    read: text('what read() on the listener gave: an error such as "ENOTCONN", or "5 bytes"', outcome),
    write: text('what a write to it gave: an error such as "EPIPE", or "5 bytes"', outcome),
    onConnection: optional(count("bytes of the client's data that could be read from the accepted connection")),
  },
  experiment: (once) => once(readAndWriteOnListener),
  judge({ read, write, onConnection }) {
    const there = onConnection === undefined ? "" : `; read on the accepted connection: ${onConnection} bytes`;
    const measured = `read on the listener: ${read}; write: ${write}${there}`;
    const carried = (result: string) => (/^\d/.test(result) ? parseInt(result, 10) : 0) > 0;
    const kernel = "tcp_recvmsg_locked()";
    if (carried(read) || carried(write))
      return { verdict: "false", measured, why: "Data went through the listening descriptor.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "A listening socket has no peer. read() checks the state of the socket first and fails (ENOTCONN). send() finds no connection to send on and fails (EPIPE).",
      kernel,
    };
  },
});
