/** The drawing of charts alone, for pictures that a test makes up. */
import { mountPlot } from "../../../frontend/src/chart/plot";
import { timeMarks } from "../../../frontend/src/chart/times";

Object.assign(window, { mountPlot, timeMarks });
