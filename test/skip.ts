export { skip } from "./fixtures/skip";
