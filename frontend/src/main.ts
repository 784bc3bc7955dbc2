/** The page's scripts. Everything can be read and done without them; they make it quicker. */
import { keepAges } from "./ages";
import { mountChart, type Chart } from "./chart";
import { marketTable } from "./market";
import { mount, onMount, within } from "./mounts";
import { swapParts } from "./swap";
import { themeSwitch } from "./switch";

let charts: Chart[] = [];

onMount((part) => {
  for (const chart of charts) if (!chart.section.isConnected) chart.plot.destroy();
  charts = charts.filter((chart) => chart.section.isConnected);
  for (const section of within<HTMLElement>(part, ".chart")) {
    const chart = mountChart(section);
    if (chart) charts.push(chart);
  }
});

marketTable(mount);
mount(document);
themeSwitch(() => charts.forEach((chart) => chart.plot.redraw(false)));
keepAges();
swapParts(mount);
