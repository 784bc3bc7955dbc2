/** Choosing what to compare: loaded when it is asked for, beside the page's own scripts (which makes them one file). */
import "../main";

export { findAssets, mountPicker } from "../chart/picker";
