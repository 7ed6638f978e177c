// Node's http, as it comes. Usage: http-server.mjs PORT
import { createServer } from "node:http";

createServer((request, response) => response.end("hello\n")).listen(Number(process.argv[2]), "0.0.0.0");
