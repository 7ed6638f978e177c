// Accepts every connection and says nothing. Usage: silent-server.mjs PORT
import { createServer } from "node:net";

const port = Number(process.argv[2]);
createServer((socket) => socket.on("error", () => undefined)).listen(port, "127.0.0.1", () => console.log("listening"));
