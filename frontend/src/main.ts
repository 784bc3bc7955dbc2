/** The page's scripts. Everything can be read and done without them; they make it quicker. */
import { keepAges } from "./ages";
import { redrawCharts } from "./chart/controller";
import { currencyChoice } from "./currency";
import { isPublished } from "./edition";
import { pageKeys } from "./keys";
import { keepLive } from "./live";
import { marketTable } from "./market";
import { mount } from "./mounts";
import { showCurrentPage } from "./nav";
import { swapParts } from "./swap";
import { themeSwitch } from "./switch";

if (document.querySelector("[data-picker]")) void import("./lazy/picker").then(({ mountPicker }) => mountPicker());
if (isPublished()) {
  // The file knows nothing of what its address asks for.
  const main = document.getElementById("main")!;
  if (location.search) main.ariaBusy = "true";
  void import("./lazy/published").then(({ start }) => start()).finally(() => main.removeAttribute("aria-busy"));
}
marketTable(mount);
mount(document);
themeSwitch(redrawCharts);
// Paper has colours of its own.
matchMedia("print").addEventListener("change", redrawCharts);
currencyChoice();
keepAges();
keepLive();
swapParts(mount);
showCurrentPage();
pageKeys();
