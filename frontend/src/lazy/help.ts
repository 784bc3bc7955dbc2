/** Loaded when it is first wanted, beside the page's own scripts (which makes them one file). */
import "../main";

export * from "../help";
