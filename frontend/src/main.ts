/** The page's scripts. Everything can be read and done without them; they make it quicker. */
import { keepAges } from "./ages";
import { embedded } from "./chart/embedded";
import { mountPlot, type Plot } from "./chart/plot";
import { mount, onMount, within } from "./mounts";
import { swapParts } from "./swap";
import { themeSwitch } from "./switch";

const plots = new Map<HTMLElement, Plot>();

onMount((part) => {
  for (const [section, plot] of plots) {
    if (section.isConnected) continue;
    plot.destroy();
    plots.delete(section);
  }
  for (const section of within<HTMLElement>(part, ".chart")) {
    const box = section.querySelector<HTMLElement>("[data-chart]");
    const picture = embedded(section);
    if (!box || !picture) continue;
    const plot = mountPlot(section, box, { zoomed() {}, reset() {} });
    plot.show(picture);
    plots.set(section, plot);
  }
});

mount(document);
themeSwitch(() => plots.forEach((plot) => plot.redraw()));
keepAges();
swapParts(mount);
