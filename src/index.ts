/**
 * One Listener: the front door. `import { Lab, plot } from "one-listener"`.
 */
export { Lab, type LabConnectOptions, type LabOptions, type LabRecordOptions } from "./front-door";
export * from "./errors";
export { Counters, CounterDifference } from "./lab/counters";
export { Sysctls, type KnownSysctls, type SysctlValues } from "./lab/sysctls";
export { Program, type Exit, type Limits, type SpawnOptions } from "./lab/program";
export { owned } from "./lab/owned";
export { AcceptLoop, type AcceptLoopOptions, type AcceptLoopStats } from "./listener/accept-loop";
export { Clients, type ClientStateName, type ClientView, type ConnectOptions } from "./listener/clients";
export { Connection, type ReadOptions } from "./listener/connection";
export { Listener, type ListenOptions, type SynRequest } from "./listener/listener";
export { type SocketRow, type TableOptions, type TcpState } from "./listener/sockets-table";
export { Mirror, type MirrorSettings } from "./wire/mirror";
export * from "./trace";
export * as plot from "./plot";
export { decide, type ClaimNumber, type Decision, type EvidenceOf, type Verdict } from "./claims";
export { doctor, type Finding, type Report } from "./lab/doctor";
export * from "./native";
export { setTimeout as sleep } from "node:timers/promises";
