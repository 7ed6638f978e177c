/** Claims 24 to 28 and 30: what the kernel does at each step of a handshake, spoken by hand. */
import { setTimeout as wait } from "node:timers/promises";
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import type { Listener } from "../listener/listener";
import { native } from "../native";
import { claim } from "./claim";
import { count, group, list, optional, text } from "./evidence";
import { inLab } from "./experiment";
import { countOf } from "../wording/number";

const readable = 1;
const handshakes = 32;
const answerBytes = 10;
const smallWindow = 3;
const largeWindow = 65_535;

/** Whether anything at all tells the application of a client: 1 or 0. */
async function notices(listener: Listener): Promise<number> {
  return (await native.poll(listener.fd, readable, 0).promise) ? 1 : 0;
}

async function stepByStep() {
  return inLab({}, async (lab) => {
    const listener = await lab.listen({ backlog: 2 * handshakes });
    const wire = await lab.wire();
    const open = () => native.descriptors().open;
    const peer = wire.peer(listener, { sequence: 1000 });
    const atStart = open();
    peer.syn();
    const answer = await peer.receive();
    const entry = lab.sockets({ port: listener.port, states: ["SYN_RECV"] })[0];
    const atSyn = { entries: listener.synQueue, descriptorsMade: open() - atStart, notices: await notices(listener) };
    peer.ack({ acknowledgment: (peer.acknowledgment + 1) >>> 0 });
    const wrongAckAccepted = listener.acceptQueue;
    peer.ack();
    const atAck = {
      queuedAfterAck: listener.acceptQueue,
      stateAfterAck:
        lab.sockets({ port: listener.port }).find(({ remote }) => remote.port === peer.port)?.state ?? "none",
    };
    const noticesAfterAck = await notices(listener);
    const descriptorsAtAck = open() - atStart;
    const connection = listener.tryAccept();
    const descriptorsAtAccept = open() - atStart - descriptorsAtAck;
    connection?.close();

    const numbers = new Set<number>();
    for (let at = 0; at < handshakes; at++) numbers.add((await wire.peer(listener).handshake()).sequence);
    return {
      ...atSyn,
      entriesWithCookies: await entriesWithCookies(lab),
      noticesBeforeAck: atSyn.notices,
      noticesAfterAck,
      clientSequence: peer.initialSequence,
      acknowledged: answer.acknowledgment,
      handshakes,
      distinctNumbers: numbers.size,
      window: answer.window,
      client: `${peer.address}:${peer.port}`,
      shown: entry ? `${entry.remote.address}:${entry.remote.port}` : "nothing",
      state: entry?.state ?? "none",
      wrongAckAccepted,
      rightAckAccepted: atAck.queuedAfterAck,
      descriptorsAtAck,
      descriptorsAtAccept,
      ...atAck,
      whenFull: await ackIntoFullQueue(lab),
      windows: [await windowInUse(lab, largeWindow, smallWindow), await windowInUse(lab, smallWindow, largeWindow)],
    };
  });
}

async function entriesWithCookies(lab: Lab): Promise<number> {
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 2 });
  const listener = await lab.listen();
  (await lab.wire()).peer(listener).syn();
  const entries = listener.synQueue;
  await lab.sysctl.set({ "net.ipv4.tcp_syncookies": 1 });
  return entries;
}

/** A client that announces one window in its SYN and another one in its ACK: how much the server's kernel sends it at once. */
async function windowInUse(lab: Lab, inSyn: number, inAck: number) {
  const listener = await lab.listen();
  const peer = (await lab.wire()).peer(listener, { window: inSyn });
  peer.syn();
  await peer.receive();
  peer.ack({ window: inAck });
  const connection = listener.tryAccept();
  await connection?.write(new Uint8Array(answerBytes));
  // what may be sent is sent within write(); a closed window is probed after 200 ms and more
  await wait(50);
  const sent = peer.receiveAll().reduce((bytes, { payload }) => bytes + payload.length, 0);
  connection?.close();
  return { inSyn, inAck, written: answerBytes, sent };
}

/** A final ACK whose request is remembered, and no room behind it. */
async function ackIntoFullQueue(lab: Lab) {
  const listener = await lab.listen({ backlog: 1 });
  const wire = await lab.wire();
  await wire.peer(listener).handshake();
  const [second, late] = [wire.peer(listener), wire.peer(listener)];
  second.syn();
  late.syn();
  second.ack();
  const before = lab.counters();
  late.ack();
  const entry = lab.sockets({ port: listener.port }).find(({ remote }) => remote.address === late.address);
  return { state: entry?.state ?? "none", overflows: lab.counters().since(before).get("ListenOverflows") };
}

export const unseenSegments = claim({
  number: 24,
  section: "Part 3",
  statement: "The application never sees SYN or ACK segments: the kernel conducts the handshake by itself.",
  quote: "NEVER sees SYN or ACK packets",
  notebook: "02",
  evidence: {
    noticesBeforeAck: count("how often the listener became readable between the SYN and the last ACK"),
    noticesAfterAck: count("how often it became readable by the last ACK"),
  },
  experiment: (once) => once(stepByStep),
  judge({ noticesBeforeAck, noticesAfterAck }) {
    if (noticesAfterAck === 0)
      throw new ArgumentError(
        "The listener was not readable after the last ACK either.",
        "Let the handshake complete first.",
      );
    const measured = `between SYN and ACK the listener was ${noticesBeforeAck > 0 ? "" : "not "}readable, after the ACK it was`;
    const kernel = "tcp_check_req()";
    if (noticesBeforeAck > 0)
      return { verdict: "false", measured, why: "The application was told of a handshake that had not ended.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "The first that the application hears of is a finished connection. TCP_SAVE_SYN can show it the SYN afterwards, and Fast Open hands data over before the ACK has come.",
      kernel,
    };
  },
});

export const entryAtSyn = claim({
  number: 25,
  section: "Part 3",
  statement:
    "At the SYN the kernel makes an entry in the SYN queue, creates no descriptor, and tells the application nothing.",
  quote: "Do NOT create file descriptor yet",
  notebook: "02",
  evidence: {
    entries: count("requests in SYN_RECV after one SYN"),
    descriptorsMade: count("descriptors that this process has more after it"),
    notices: count("how often the listener became readable"),
    entriesWithCookies: optional(count("requests after one SYN with tcp_syncookies = 2")),
  },
  experiment: (once) => once(stepByStep),
  judge({ entries, descriptorsMade, notices, entriesWithCookies }) {
    const cookies =
      entriesWithCookies === undefined ? "" : `; with cookies for all: ${entriesWithCookies} in the SYN queue`;
    const measured = `after one SYN: ${entries} in the SYN queue, ${descriptorsMade} new descriptors, ${notices} notifications${cookies}`;
    const kernel = "tcp_conn_request()";
    if (entries !== 1 || descriptorsMade > 0 || notices > 0)
      return { verdict: "false", measured, why: "One entry and nothing else was expected.", kernel };
    const bend = entriesWithCookies === 0 ? " Under SYN cookies there is not even an entry." : "";
    return { verdict: "holds", measured, why: `A request sock of a few hundred bytes is all there is.${bend}`, kernel };
  },
});

export const synAckNumbers = claim({
  number: 26,
  section: "Part 3",
  statement:
    "The SYN-ACK acknowledges the client's sequence number plus one, has a random sequence number of its own, and advertises the window.",
  quote: "Generate random sequence number",
  notebook: "02",
  evidence: {
    clientSequence: count("sequence number of the SYN"),
    acknowledged: count("acknowledgment number of the SYN-ACK"),
    handshakes: count("how many SYN-ACKs were compared"),
    distinctNumbers: count("how many different sequence numbers they had"),
    window: count("window of the SYN-ACK, bytes"),
  },
  experiment: (once) => once(stepByStep),
  judge({ clientSequence, acknowledged, handshakes, distinctNumbers, window }) {
    if (handshakes < 2) throw new ArgumentError("One number says nothing about chance.", "Compare several SYN-ACKs.");
    const measured = `SYN ${clientSequence}, SYN-ACK acknowledges ${acknowledged}, window ${window}; ${distinctNumbers} different numbers in ${handshakes} SYN-ACKs`;
    const kernel = "secure_tcp_seq()";
    if (acknowledged !== (clientSequence + 1) >>> 0 || window === 0)
      return { verdict: "false", measured, why: "The SYN-ACK says something else.", kernel };
    if (distinctNumbers < handshakes) return { verdict: "false", measured, why: "Numbers come again.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "Random to everyone else: a keyed hash of the 4-tuple plus a clock. When a SYN cookie is sent, the number is the cookie.",
      kernel,
    };
  },
});

export const entryContents = claim({
  number: 27,
  section: "Part 3",
  statement: "The entry holds the client's address and port, the state, its sequence number and its window.",
  quote: "Create SYN_RECEIVED entry",
  notebook: "02",
  evidence: {
    client: text("address:port of the client"),
    shown: text("address:port that the kernel's table shows"),
    state: text("the entry's state in the table"),
    wrongAckAccepted: count("connections made by an ACK with a wrong number"),
    rightAckAccepted: count("connections made by the right one"),
    windows: list("clients whose ACK announces another window than their SYN", {
      inSyn: count("window of the SYN, bytes"),
      inAck: count("window of the ACK, bytes"),
      written: count("bytes that the server wrote to them"),
      sent: count("bytes that its kernel sent at once"),
    }),
  },
  experiment: (once) => once(stepByStep),
  judge({ client, shown, state, wrongAckAccepted, rightAckAccepted, windows }) {
    // what fits into both windows, or into neither, does not tell which one counts
    const telling = windows.filter(({ inSyn, inAck, written }) => inSyn < written !== inAck < written);
    if (telling.length === 0)
      throw new ArgumentError(
        "No client shows which window counts.",
        "Let one announce a small window in its SYN or its ACK, and a large one in the other; write more than the small one.",
      );
    const answers = telling
      .map(
        ({ inSyn, inAck, written, sent }) =>
          `window ${inSyn} in the SYN and ${inAck} in the ACK: ${sent} of ${countOf(written, "byte")} sent`,
      )
      .join("; ");
    const measured = `the table shows ${shown} in ${state}; a wrong ACK made ${countOf(wrongAckAccepted, "connection")}, the right one ${rightAckAccepted}; ${answers}`;
    const kernel = "inet_req_diag_fill()";
    if (shown !== client || state !== "SYN_RECV")
      return { verdict: "false", measured, why: "The table shows something else.", kernel };
    if (wrongAckAccepted > 0 || rightAckAccepted === 0)
      return { verdict: "false", measured, why: "The numbers are not remembered.", kernel };
    const rest =
      "sock_diag shows addresses, state and timer; that the sequence numbers are in it, too, shows in what it accepts.";
    const follow = (window: "inSyn" | "inAck") =>
      telling.every((client) => client.sent > 0 === client[window] >= client.written);
    if (follow("inSyn")) return { verdict: "holds", measured, why: rest, kernel };
    if (!follow("inAck"))
      throw new ArgumentError(
        "What was sent follows neither window.",
        "Look again after some ms: was the connection accepted, and written to?",
      );
    return {
      verdict: "depends",
      measured,
      why: `All but the window. ${rest} A request has no field for the client's window: the connection takes it from the final ACK.`,
      kernel: "tcp_rcv_state_process()",
    };
  },
});

export const descriptorAtAck = claim({
  number: 28,
  section: "Part 3",
  statement: "At the final ACK the kernel creates a new file descriptor.",
  quote: "NOW create new file descriptor",
  notebook: "02",
  evidence: {
    descriptorsAtAck: count("new descriptors after the final ACK, before accept()"),
    descriptorsAtAccept: count("new descriptors by accept()"),
  },
  experiment: (once) => once(stepByStep),
  judge({ descriptorsAtAck, descriptorsAtAccept }) {
    if (descriptorsAtAck + descriptorsAtAccept === 0)
      throw new ArgumentError("No descriptor was made at all.", "Let a handshake complete, and accept it.");
    const measured = `${descriptorsAtAck} new descriptors by the final ACK, ${descriptorsAtAccept} by accept()`;
    const kernel = "do_accept()";
    if (descriptorsAtAck > 0)
      return { verdict: "holds", measured, why: "The descriptor was there before accept().", kernel };
    return {
      verdict: "false",
      measured,
      why: "Whose descriptor would it be? Only accept() knows the process: it takes a number there, and a file for it.",
      kernel,
    };
  },
});

export const movesToAcceptQueue = claim({
  number: 30,
  section: "Part 3",
  statement: "At the final ACK the connection becomes ESTABLISHED and moves from the SYN queue to the accept queue.",
  quote: "Move connection from SYN Queue",
  notebook: "02",
  evidence: {
    stateAfterAck: text("state of the connection after the final ACK"),
    queuedAfterAck: count("connections in the accept queue after it"),
    whenFull: optional(
      group("a final ACK that found the accept queue full", {
        state: text("state of the connection after it"),
        overflows: count("ListenOverflows"),
      }),
    ),
  },
  experiment: (once) => once(stepByStep),
  judge({ stateAfterAck, queuedAfterAck, whenFull }) {
    const full =
      whenFull === undefined
        ? ""
        : `; with a full queue it stays ${whenFull.state}, ListenOverflows +${whenFull.overflows}`;
    const measured = `after the ACK: ${stateAfterAck}, ${queuedAfterAck} in the accept queue${full}`;
    const kernel = "inet_csk_complete_hashdance()";
    if (stateAfterAck !== "ESTABLISHED" || queuedAfterAck !== 1)
      return { verdict: "false", measured, why: "It is not there.", kernel };
    if (whenFull && whenFull.state !== "ESTABLISHED") {
      return {
        verdict: "depends",
        measured,
        why: "If there is room. The kernel makes a whole new socket first and then puts it in the queue; without room the ACK is forgotten and the request stays.",
        kernel,
      };
    }
    return {
      verdict: "holds",
      measured,
      why: "The request is replaced by a whole new socket, which goes into the queue.",
      kernel,
    };
  },
});
