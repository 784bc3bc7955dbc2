/** What a published edition does without a server: loaded there alone, beside the page's own scripts. */
import "../main";

export { partOf } from "../published/parts";
export { start } from "../published/start";
