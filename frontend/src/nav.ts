/** The row of pages scrolls sideways on a phone: the page that one is on stays in sight. */

export function showCurrentPage(): void {
  const row = document.querySelector<HTMLElement>(".top nav");
  const here = row?.querySelector<HTMLElement>("[aria-current]");
  if (row && here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}
