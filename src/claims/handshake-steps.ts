/** Claims 24 to 28 and 30: what the kernel does at each step of a handshake. */
import { ArgumentError } from "../errors";
import { claim } from "./claim";
import { count, group, list, optional, text } from "./evidence";
import { kernelFunction } from "./kernel-function";
import { stepByStep } from "./handshake-by-hand";
import { countOf } from "../wording/number";

/**
 * Claim 24: whether the application notices SYN and ACK segments. The experiment is stepByStep(). Source:
 * tcp_check_req().
 * @throws ArgumentError judge(): the listener was not readable after the final ACK either
 */
export const unseenSegments = claim({
  number: 24,
  section: "Part 3",
  statement: "The application never sees SYN or ACK segments: the kernel completes the handshake by itself.",
  quote: "NEVER sees SYN or ACK packets",
  notebook: "02",
  evidence: {
    noticesBeforeAck: count("times that the listener became readable between the SYN and the final ACK"),
    noticesAfterAck: count("times that it became readable by the final ACK"),
  },
  experiment: (once) => once(stepByStep),
  judge({ noticesBeforeAck, noticesAfterAck }) {
    if (noticesAfterAck === 0)
      throw new ArgumentError(
        "The listener was not readable after the final ACK either.",
        "Let the handshake complete first.",
      );
    const measured = `between SYN and ACK the listener was ${noticesBeforeAck > 0 ? "" : "not "}readable, after the ACK it was`;
    const kernel = "tcp_check_req()";
    if (noticesBeforeAck > 0)
      return {
        verdict: "false",
        measured,
        why: "The listener became readable before the handshake was complete.",
        kernel,
      };
    return {
      verdict: "holds",
      measured,
      why: "The application first sees a connection when its handshake is complete. With TCP_SAVE_SYN it can read the SYN afterwards, and with Fast Open it gets data before the final ACK.",
      kernel,
    };
  },
});

/** Claim 25: what the kernel stores at the SYN. The experiment is stepByStep(). Source: tcp_conn_request(). */
export const entryAtSyn = claim({
  number: 25,
  section: "Part 3",
  statement:
    "At the SYN the kernel puts a request into the SYN queue, creates no descriptor, and tells the application nothing.",
  quote: "Do NOT create file descriptor yet",
  notebook: "02",
  evidence: {
    entries: count("requests in SYN_RECV after one SYN"),
    descriptorsMade: count("descriptors that this process has more after it"),
    notices: count("times that the listener became readable"),
    entriesWithCookies: optional(count("requests after one SYN with tcp_syncookies = 2")),
  },
  experiment: (once) => once(stepByStep),
  judge({ entries, descriptorsMade, notices, entriesWithCookies }) {
    const cookies =
      entriesWithCookies === undefined ? "" : `; with tcp_syncookies = 2: ${entriesWithCookies} in the SYN queue`;
    const measured = `after one SYN: ${entries} in the SYN queue, ${descriptorsMade} new descriptors, ${notices} notifications${cookies}`;
    const kernel = "tcp_conn_request()";
    if (entries !== 1 || descriptorsMade > 0 || notices > 0)
      return { verdict: "false", measured, why: "The claim says one request and nothing else.", kernel };
    const bend = entriesWithCookies === 0 ? " With tcp_syncookies = 2 it does not store even this." : "";
    return {
      verdict: "holds",
      measured,
      why: `The kernel stores only a request_sock of a few hundred bytes.${bend}`,
      kernel,
    };
  },
});

/**
 * Claim 26: the numbers and the window (bytes) of the SYN-ACK. The experiment is stepByStep(). Source:
 * secure_tcp_seq_and_ts_off().
 * @throws ArgumentError judge(): fewer than two SYN-ACKs were compared
 */
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
    handshakes: count("SYN-ACKs that were compared"),
    distinctNumbers: count("different sequence numbers among them"),
    window: count("window of the SYN-ACK, bytes"),
  },
  experiment: (once) => once(stepByStep),
  judge({ clientSequence, acknowledged, handshakes, distinctNumbers, window }) {
    if (handshakes < 2)
      throw new ArgumentError("One sequence number does not show whether it is random.", "Compare several SYN-ACKs.");
    const measured = `SYN ${clientSequence}, SYN-ACK acknowledges ${acknowledged}, window ${window}; ${distinctNumbers} different numbers in ${handshakes} SYN-ACKs`;
    const kernel = kernelFunction("sequence");
    if (acknowledged !== (clientSequence + 1) >>> 0 || window === 0)
      return { verdict: "false", measured, why: "The SYN-ACK does not say this.", kernel };
    if (distinctNumbers < handshakes)
      return { verdict: "false", measured, why: "Some sequence numbers were repeated.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "An outsider cannot predict the sequence number: it is a keyed hash of the 4-tuple plus a clock. When the kernel sends a SYN cookie, the sequence number is the cookie.",
      kernel,
    };
  },
});

/**
 * Claim 27: what the request in the SYN queue holds. The experiment is stepByStep(); windows are in bytes. Source:
 * tcp_req_diag_fill(); for the window, tcp_rcv_state_process().
 * @throws ArgumentError judge(): no client announced two windows that tell which one counts, or the bytes sent follow
 * neither
 */
export const entryContents = claim({
  number: 27,
  section: "Part 3",
  statement: "The request holds the client's address and port, the state, its sequence number and its window.",
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
    const kernel = kernelFunction("requestDiag");
    if (shown !== client || state !== "SYN_RECV")
      return { verdict: "false", measured, why: "The table does not show the client in SYN_RECV.", kernel };
    if (wrongAckAccepted > 0 || rightAckAccepted === 0)
      return { verdict: "false", measured, why: "The kernel does not check the acknowledgment number.", kernel };
    const rest =
      "sock_diag shows the address, port, state and timer. The kernel also refused a wrong ACK, so it must store the sequence numbers.";
    const follow = (window: "inSyn" | "inAck") =>
      telling.every((each) => each.sent > 0 === each[window] >= each.written);
    if (follow("inSyn")) return { verdict: "holds", measured, why: rest, kernel };
    if (!follow("inAck"))
      throw new ArgumentError(
        "What was sent follows neither window.",
        "Look again after some ms: was the connection accepted, and written to?",
      );
    return {
      verdict: "depends",
      measured,
      why: `The request stores all of these except the window. ${rest} The connection takes the window from the final ACK.`,
      kernel: "tcp_rcv_state_process()",
    };
  },
});

/**
 * Claim 28: whether the descriptor is made at the final ACK or at accept(). The experiment is stepByStep(). Source:
 * __sys_accept4_file().
 * @throws ArgumentError judge(): no descriptor was made
 */
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
    const kernel = "__sys_accept4_file()";
    if (descriptorsAtAck > 0)
      return { verdict: "holds", measured, why: "The descriptor was there before accept().", kernel };
    return {
      verdict: "false",
      measured,
      why: "A descriptor belongs to a process. The kernel learns which process takes the connection only at accept(), so accept() takes a descriptor number there and, in do_accept(), a file.",
      kernel,
    };
  },
});

/**
 * Claim 30: whether the final ACK moves the connection to the accept queue, also when that is full. The experiment is
 * stepByStep(). Source: inet_csk_complete_hashdance().
 */
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
      return { verdict: "false", measured, why: "The connection is not in the accept queue.", kernel };
    if (whenFull && whenFull.state !== "ESTABLISHED") {
      return {
        verdict: "depends",
        measured,
        why: "The connection moves only if the accept queue has room. Then the kernel replaces the request by a complete socket and puts it into the queue. If the queue is full, the kernel drops the final ACK and keeps the request.",
        kernel,
      };
    }
    return {
      verdict: "holds",
      measured,
      why: "The kernel replaces the request by a complete socket and puts it into the accept queue.",
      kernel,
    };
  },
});
