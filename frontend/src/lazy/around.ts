/** The words around a chart that is not the server's any more: loaded when it is asked for, beside the page's own scripts (which makes them one file). */
import "../main";

export * from "../chart/around";
