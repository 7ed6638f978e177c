/**
 * One Listener: the front door. `import { Lab, plot } from "one-listener"`.
 */
export { Lab, type LabConnectOptions, type LabOptions, type LabRecordOptions } from "./front-door";
export * from "./errors";
export { Counters, CounterDifference } from "./lab/counters";
export { Sysctls, type KnownSysctls, type SysctlValues } from "./lab/sysctls";
export { Program, type Limits, type SpawnOptions } from "./lab/program";
export { owned } from "./lab/owned";
export { AcceptLoop, type AcceptLoopOptions } from "./listener/accept-loop";
export { Clients, type ClientView } from "./listener/clients";
export { Connection } from "./listener/connection";
export { Listener, type ListenOptions, type SynRequest } from "./listener/listener";
export { type SocketRow, type TcpState } from "./listener/sockets-table";
export { Mirror } from "./wire/mirror";
export { Recording, Trace } from "./trace";
export * as plot from "./plot";
export { decide } from "./claims";
export { doctor } from "./lab/doctor";
export { native } from "./native";
export { setTimeout as sleep } from "node:timers/promises";
