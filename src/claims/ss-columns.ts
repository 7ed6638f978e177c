/** Claim 45: what ss -ltn shows of a listener. */
import { LabError } from "../errors";
import { claim } from "./claim";
import { count } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";

async function askSs() {
  return inLab({ wire: false }, async (lab) => {
    const listener = await lab.listen({ backlog: 128 });
    await lab.connect(listener, { clients: 45 });
    await atRest(() => [listener.acceptQueue], { quiet: 50 });
    const { stdout, stderr } = await (await lab.spawn("ss", ["-Hltn"])).output();
    const columns = new RegExp(`^LISTEN\\s+(\\d+)\\s+(\\d+)\\s+\\S+:${listener.port}\\s`, "m").exec(stdout);
    if (!columns)
      throw new LabError(`ss shows no listener on port ${listener.port}.`, {
        code: "ERR_UNREADABLE",
        hint: `It said: ${stderr || stdout || "nothing"}`,
      });
    return {
      recvQ: Number(columns[1]),
      sendQ: Number(columns[2]),
      acceptQueue: listener.acceptQueue,
      acceptMax: listener.acceptMax,
    };
  });
}

/**
 * Claim 45: Recv-Q and Send-Q of a listener in `ss -ltn`, and the same from TCP_INFO. The experiment fails with
 * ERR_UNREADABLE if ss prints no such line. Source: tcp_diag_get_info().
 */
export const ssColumns = claim({
  number: 45,
  section: "Part 4",
  statement: "In the output of ss -ltn, a listener's Recv-Q is the length of its accept queue and Send-Q its limit.",
  quote: "Recv-Q: Connections in Accept Queue",
  notebook: "01",
  evidence: {
    recvQ: count("Recv-Q of the listener's line"),
    sendQ: count("Send-Q of the listener's line"),
    acceptQueue: count("length of the accept queue (TCP_INFO)"),
    acceptMax: count("its limit (TCP_INFO)"),
  },
  experiment: (once) => once(askSs),
  judge({ recvQ, sendQ, acceptQueue, acceptMax }) {
    const measured = `ss: Recv-Q ${recvQ}, Send-Q ${sendQ}; TCP_INFO: length ${acceptQueue}, limit ${acceptMax}`;
    const kernel = "tcp_diag_get_info()";
    if (recvQ !== acceptQueue || sendQ !== acceptMax)
      return { verdict: "false", measured, why: "The columns do not show the length and the limit.", kernel };
    return {
      verdict: "holds",
      measured,
      why: "For a listener the kernel fills these columns with sk_ack_backlog and sk_max_ack_backlog. The accept queue holds one connection more than Send-Q.",
      kernel,
    };
  },
});
