/** A handshake that is made segment by segment: the experiment behind claims 24 to 28 and 30. */
import { setTimeout as wait } from "node:timers/promises";
import type { Lab } from "../front-door";
import type { Listener } from "../listener/listener";
import { native } from "../native";
import { inLab } from "./experiment";

const readable = 1;
const handshakes = 32;
const answerBytes = 10;
const smallWindow = 3;
const largeWindow = 65_535;

/** Whether the listener is readable for the application: 1 or 0. */
async function notices(listener: Listener): Promise<number> {
  return (await native.poll(listener.fd, readable, 0).promise) ? 1 : 0;
}

/** What the kernel shows after the SYN, the final ACK and accept(). */
export async function stepByStep() {
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
    await connection?.close();

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

/** A client that announces one window in its SYN and another one in its ACK: how many bytes the server's kernel sends it at once. */
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
  await connection?.close();
  return { inSyn, inAck, written: answerBytes, sent };
}

/** A final ACK whose request is stored, while the accept queue is full. */
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
