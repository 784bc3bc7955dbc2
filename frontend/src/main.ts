/** The page's scripts. Everything can be read and done without them; they make it quicker. */
import { keepAges } from "./ages";
import { mountChart, type Chart } from "./chart";
import { swapParts } from "./swap";
import { themeSwitch } from "./switch";

let charts: Chart[] = [];

function mountCharts(part: ParentNode): void {
  for (const chart of charts) if (!chart.section.isConnected) chart.plot.destroy();
  charts = charts.filter((chart) => chart.section.isConnected);
  const itself = part instanceof HTMLElement && part.matches(".chart");
  for (const section of itself ? [part] : part.querySelectorAll<HTMLElement>(".chart")) {
    const chart = mountChart(section);
    if (chart) charts.push(chart);
  }
}

mountCharts(document);
themeSwitch(() => charts.forEach((chart) => chart.plot.redraw(false)));
keepAges();
swapParts(mountCharts);
