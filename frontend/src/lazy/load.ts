/** Pictures of what the page does not hold: loaded when it is asked for, beside the page's own scripts (which makes them one file). */
import "../main";

export { latest } from "../data/chunks";
export { currentSlot, load } from "../data/load";
