/** A chart's table and files: loaded when it is asked for, beside the page's own scripts (which makes them one file). */
import "../main";

export { download } from "../chart/download";
export { fillTable } from "../chart/table";
